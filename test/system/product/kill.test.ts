/** The kill switch as people use it: one command, real gateways under load, on the embedded store and on PostgreSQL. */
import { execFile } from "node:child_process";
import { join } from "node:path";
import { afterAll, afterEach, expect, test } from "vitest";
import { PostgresServer } from "../../fixtures/postgres.ts";
import { type Answer, ask, root, until, type World, world } from "./harness.ts";

const worlds: World[] = [];
afterEach(() => Promise.all(worlds.splice(0).map((one) => one.close())));
const servers: PostgresServer[] = [];
afterAll(() => Promise.all(servers.map((server) => server.remove())));

async function made(config = "", limits = ""): Promise<World> {
  const one = await world({ config, ...(limits === "" ? {} : { limits }) });
  worlds.push(one);
  return one;
}

interface Ran {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** Not synchronously: the upstream lives in this process, and must see what comes while the command runs. */
function kill(here: World, ...args: readonly string[]): Promise<Ran> {
  const program = join(root, "bin/holdfast.mjs");
  const all = [program, "kill", ...args, "--config", here.path("holdfast.yaml")];
  return new Promise((resolve) => {
    execFile(process.execPath, all, { timeout: 60_000 }, (error, out, err) => {
      resolve({ code: error === null ? 0 : Number(error.code ?? -1), out, err });
    });
  });
}

const put = (here: World): Promise<Answer> => here.http("POST", "/http/desk/items", { weight: 1 });
const get = (here: World): Promise<Answer> => here.http("GET", "/http/desk/items");

/** Writes without pause until told to stop; the answers, newest last. */
function load(here: World): { readonly answers: Answer[]; stop(): Promise<void> } {
  const answers: Answer[] = [];
  let running = true;
  const lanes = Array.from({ length: 4 }, async () => {
    while (running) answers.push(await put(here));
  });
  return {
    answers,
    stop: async () => {
      running = false;
      await Promise.all(lanes);
    },
  };
}

test("one word stops everything under load; what was forwarded later is nothing; lifting lets it through", async () => {
  const here = await made();
  await here.both();
  const loaded = load(here);
  await until("some calls", async () => (here.desk.seen.length > 50 ? true : undefined));
  // The command returns when the gateway has said that it obeys.
  const killed = await kill(here, "--reason", "runaway agent");
  expect(killed.code, killed.err).toBe(0);
  expect(killed.out).toContain("in force after");
  // What was already on its way when the switch was thrown arrives within a moment.
  await new Promise((wake) => setTimeout(wake, 1_000));
  const forwarded = here.desk.seen.length;
  const before = loaded.answers.length;
  await until("refusals", async () => (loaded.answers.length > before + 50 ? true : undefined));
  await loaded.stop();
  expect(here.desk.seen.length - forwarded).toBe(0);
  expect(loaded.answers.at(-1)?.body).toMatchObject({ refusal: "paused", decision: "deny" });
  expect(String(loaded.answers.at(-1)?.body["reason"])).toContain("runaway agent");
  expect((await get(here)).body).toMatchObject({ refusal: "paused" });
  const listed = await kill(here, "list");
  expect(listed.out).toMatch(/kill-[0-9a-f]{8} +pause +every call .*runaway agent/);
  expect(listed.out).toMatch(/gateway +standalone .*obeys/);
  expect((await kill(here, "lift", "--all")).code).toBe(0);
  expect((await put(here)).status).toBe(200);
  const kinds = here.entries().filter(({ kind }) => kind === "kill");
  expect(kinds).toMatchObject([
    { serial: 1, switches: [{ reason: "runaway agent" }] },
    { serial: 2, switches: [] },
  ]);
  expect(here.audit("verify").code).toBe(0);
});

test("a scoped pause and a dry run stop only what they name; the switch survives a restart", async () => {
  const here = await made();
  const { gateway } = await here.both();
  expect((await kill(here, "--agent", "support-bot", "--tool", "desk:POST /items")).code).toBe(0);
  expect((await put(here)).body).toMatchObject({ refusal: "paused" });
  expect((await get(here)).status).toBe(200);
  expect(await gateway.stop()).toBe(0);
  await here.gateway();
  expect((await put(here)).body).toMatchObject({ refusal: "paused" });
  expect((await kill(here, "lift", "--all")).code).toBe(0);
  expect((await kill(here, "--upstream", "desk", "--dry-run")).code).toBe(0);
  const seen = here.desk.seen.length;
  expect((await put(here)).body).toMatchObject({ refusal: "dry_run" });
  expect(here.desk.seen.length).toBe(seen);
  expect(here.entries().slice(-2)).toMatchObject([
    { kind: "decision", decision: "allow" },
    { kind: "outcome", outcome: "not_sent" },
  ]);
});

test("the command says what is wrong, and how to go on", async () => {
  const here = await made();
  expect(await kill(here, "lift", "kill-00000000")).toMatchObject({
    code: 2,
    err: "error: no switch kill-00000000 is thrown\n",
  });
  expect((await kill(here, "lift")).err).toContain("name the switches to lift, or --all");
  expect((await kill(here, "--upstream", "dessk")).err).toContain(
    'no upstream "dessk" is configured here',
  );
  expect(await kill(here, "list", "--store", "postgres://127.0.0.1:9/none")).toMatchObject({
    code: 2,
  });
  // A mistyped subcommand must not be taken for "everything".
  expect(await kill(here, "lits")).toMatchObject({ code: 2 });
  const json = JSON.parse((await kill(here, "list", "--json")).out);
  expect(json.switches).toMatchObject([{ scope: { upstream: "dessk" }, mode: "pause" }]);
  expect(json.gateways).toEqual([]);
});

test("two gateways on one PostgreSQL obey one command; when it is gone, writes stop and reads go on", async () => {
  const server = await PostgresServer.primary();
  servers.push(server);
  const shared = (instance: string): Promise<World> =>
    made(`store: { postgres: "${server.url}" }\ninstance: ${instance}`, "kill_lease_ms: 1500");
  const [one, two] = [await shared("one"), await shared("two")];
  await Promise.all([one.both(), two.both()]);
  expect([(await put(one)).status, (await put(two)).status]).toEqual([200, 200]);
  const killed = await kill(one, "--tenant", "default");
  expect(killed.out, killed.err).toMatch(/in force after \d+ ms: one, two/);
  const seen = (): number => one.desk.seen.length + two.desk.seen.length;
  const forwarded = seen();
  for (const each of [one, two])
    expect((await put(each)).body).toMatchObject({ refusal: "paused" });
  expect(seen()).toBe(forwarded);
  expect((await kill(two, "lift", "--all")).code).toBe(0);
  expect([(await put(one)).status, (await put(two)).status]).toEqual([200, 200]);
  await server.kill();
  await until("the lease to end", async () =>
    (await put(one)).body["refusal"] === "kill_state_unknown" ? true : undefined,
  );
  expect((await get(one)).status).toBe(200);
  const status = await ask(`${one.gatewayUrl}/statusz`);
  expect(status.body["kill_switch"]).toMatchObject({ serial: 2 });
  await server.start();
  await until("writes again", async () => ((await put(one)).status === 200 ? true : undefined));
});

test("a gateway starts while its store is away: reads are served, writes are not", async () => {
  const here = await made('store: { postgres: "postgres://127.0.0.1:9/none" }');
  await here.both();
  expect((await get(here)).status).toBe(200);
  expect((await put(here)).body).toMatchObject({ refusal: "kill_state_unknown" });
});
