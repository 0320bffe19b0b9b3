/** The failure table of the README, cell by cell, on real processes. */
import { spawnSync } from "node:child_process";
import { generateKeyPairSync } from "node:crypto";
import { copyFileSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { afterEach, expect, test } from "vitest";
import {
  type Answer,
  ask,
  decisionIn,
  Process,
  until,
  type World,
  type WorldOptions,
  world,
} from "./harness.ts";

const worlds: World[] = [];
afterEach(() => Promise.all(worlds.splice(0).map((one) => one.close())));

async function made(options: WorldOptions = {}): Promise<World> {
  const one = await world(options);
  worlds.push(one);
  return one;
}

const put = (here: World): Promise<Answer> => here.http("POST", "/http/desk/items", { weight: 1 });
const bundle = (here: World): string => here.path("data/bundles/current.tar.gz");
const ready = (here: World): Promise<Answer> => ask(`${here.gatewayUrl}/readyz`);
const metrics = async (here: World): Promise<string> =>
  String((await ask(`${here.gatewayUrl}/metrics`)).body["text"]);

test("control killed: the gateway decides on, also after its own restart", async () => {
  const here = await made();
  const { control, gateway } = await here.both();
  await control.stop("SIGKILL");
  expect((await put(here)).status).toBe(200);
  await gateway.stop("SIGKILL");
  const again = await here.gateway();
  expect((await ready(here)).status).toBe(200);
  const answer = await put(here);
  expect([answer.status, answer.headers.get("holdfast-decision")]).toEqual([200, "allow"]);
  expect(await again.stop()).toBe(0);
});

test("no bundle ever: everything is denied and recorded, with a reason, and readyz is 503", async () => {
  const here = await made();
  const gateway = await here.gateway();
  for (const [method, body] of [
    ["POST", {}],
    ["GET", undefined],
  ] as const) {
    const denied = await here.http(method, "/http/desk/items", body);
    expect(denied.body).toMatchObject({
      decision: "deny",
      refusal: "no_policy",
      reason: "no valid policy bundle is loaded, so nothing is allowed",
    });
  }
  expect(here.desk.seen).toEqual([]);
  const state = await ready(here);
  expect(state.status).toBe(503);
  expect(state.body).toMatchObject({ ready: false, policy_version: null });
  expect(JSON.stringify(state.body["checks"])).toContain("no bundle is stored");
  expect((await ask(`${here.gatewayUrl}/livez`)).status).toBe(200);
  // A bundle that comes later ends it, without a restart.
  here.start("control");
  await gateway.line("policy_activated");
  expect((await put(here)).status).toBe(200);
  await gateway.stop();
  const kinds = here.entries().map(({ kind, decision }) => decision ?? kind);
  expect(kinds).toEqual(["start", "deny", "deny", "policy", "allow", "outcome"]);
});

test("a changed, an unsigned and a foreign bundle are refused; the last good decides", async () => {
  const here = await made();
  const { control, gateway } = await here.both();
  await control.stop();
  const good = readFileSync(bundle(here));
  const refused = async (times: number, error: RegExp): Promise<void> => {
    await until(`refusal ${times}`, async () =>
      (await metrics(here)).includes(`holdfast_policy_bundle_refused_total ${times}\n`)
        ? true
        : undefined,
    );
    const state = await ready(here);
    expect([state.status, String(state.body["policy_error"])]).toEqual([
      200,
      expect.stringMatching(error),
    ]);
    expect((await put(here)).status).toBe(200);
  };
  writeFileSync(bundle(here), good.subarray(0, good.length / 2));
  await refused(1, /not a bundle archive/);
  writeFileSync(bundle(here), repacked(here, good, ".signatures.json"));
  await refused(2, /signature/);
  // Its own data folder, so its own key.
  const other = await made();
  await other.start("control").line("bundle_published");
  copyFileSync(bundle(other), bundle(here));
  await refused(3, /signature|key/);
  writeFileSync(bundle(here), good);
  await until("the good bundle again", async () =>
    (await ready(here)).body["policy_error"] === null ? true : undefined,
  );
  // Restarted with a refused one: the last good decides.
  await gateway.stop();
  copyFileSync(bundle(other), bundle(here));
  const again = await here.gateway();
  expect((await put(here)).status).toBe(200);
  // It was the key that was wrong: as soon as it is right, the same bundle is good.
  copyFileSync(other.path("data/keys/bundle.pub.pem"), here.path("data/keys/bundle.pub.pem"));
  await until("the other bundle", async () =>
    (await ready(here)).body["policy_error"] === null ? true : undefined,
  );
  expect(again.child.exitCode).toBeNull();
  expect((await put(here)).status).toBe(200);
});

/** The bundle without one of its files, packed by the system's tar. */
function repacked(here: World, good: Buffer, without: string): Buffer {
  writeFileSync(here.path("good.tgz"), good);
  const script = `set -e; mkdir u; tar -xzPf good.tgz -C u --transform 's,^/,,'; rm u/${without}; tar -czf out.tgz -C u .`;
  const run = spawnSync("sh", ["-c", script], { cwd: here.folder, encoding: "utf8" });
  expect(run.stderr).toBe("");
  return readFileSync(here.path("out.tgz"));
}

test("policies that are broken when control starts: said, nothing published, what was published stays", async () => {
  const here = await made();
  const good = readFileSync(here.path("policies/desk.yaml"), "utf8");
  const broken = good.replace("outcome: allow", "outcome: alow");
  here.policy("desk.yaml", broken);
  const first = here.start("control");
  const refused = await first.line("policies_refused");
  expect(String(refused["errors"])).toMatch(/desk\.yaml:\d+:\d+: error: .*did you mean allow\?/);
  const control = (path: string): Promise<Answer> => ask(`${here.controlUrl}${path}`);
  await first.line("control_listening");
  expect((await control("/readyz")).status).toBe(503);
  expect((await control("/bundles/holdfast")).status).toBe(404);
  here.policy("desk.yaml", good);
  const { revision } = await first.line("bundle_published");
  await first.stop("SIGKILL");
  here.policy("desk.yaml", broken);
  const second = here.start("control");
  await second.line("policies_refused");
  await second.line("control_listening");
  const state = await control("/readyz");
  expect([state.status, state.body]).toEqual([
    200,
    expect.objectContaining({ revision, errors: refused["errors"] }),
  ]);
  expect((await control("/bundles/holdfast")).status).toBe(200);
});

test("a condition that cannot be evaluated: a write is denied, a read that may is opened", async () => {
  const here = await made();
  const { gateway } = await here.both();
  const write = await here.http("POST", "/http/desk/broken", { weight: "heavy" });
  expect(write.status).toBe(403);
  expect(write.body).toMatchObject({ decision: "deny", determining_rules: ["desk/not-heavy"] });
  expect(here.desk.seen).toEqual([]);
  const read = await here.http("GET", "/http/desk/items?count=many");
  expect([read.status, read.headers.get("holdfast-decision")]).toEqual([200, "allow"]);
  await gateway.stop();
  const decisions = here.entries().filter(({ kind }) => kind === "decision");
  expect(decisions).toMatchObject([
    { decision: "deny", opened: false, indeterminate: [{ rule: "desk/not-heavy" }] },
    { decision: "allow", opened: true, indeterminate: [{ rule: "desk/not-too-many" }] },
  ]);
});

test("the record cannot be written: refusals, readyz 503, and a restart goes on", async () => {
  const here = await made();
  const { gateway } = await here.both();
  expect((await put(here)).status).toBe(200);
  // No file of this process may grow any more: each write fails (EFBIG), as on a full disk.
  const limited = spawnSync("prlimit", ["--pid", String(gateway.pid), "--fsize=0"]);
  expect(limited.status).toBe(0);
  const seen = here.desk.seen.length;
  for (let i = 0; i < 2; i++) {
    const refused = await put(here);
    expect([refused.status, refused.body["refusal"]]).toEqual([503, "record_failed"]);
    expect(refused.body["decision"]).toBe("deny");
  }
  const client = await here.client("files");
  const result = await client.callTool({
    name: "write_file",
    arguments: { path: here.path("workspace/x.txt"), content: "x" },
  });
  expect(decisionIn(result)).toMatchObject({ refusal: "record_failed" });
  expect(readdirSync(here.path("workspace"))).toEqual(["welcome.txt"]);
  expect(here.desk.seen.length).toBe(seen);
  const state = await ready(here);
  expect([state.status, JSON.stringify(state.body["checks"])]).toEqual([
    503,
    expect.stringContaining("failed"),
  ]);
  expect(await metrics(here)).toContain("holdfast_ledger_healthy 0");
  expect(await gateway.stop()).toBe(1);
  const again = await here.gateway();
  expect((await put(here)).status).toBe(200);
  await again.stop();
  expect(here.audit("verify").code).toBe(0);
});

test("an upstream that is down saw nothing; one that breaks off may have acted", async () => {
  const here = await made();
  const { gateway } = await here.both();
  const down = await here.http("POST", "/http/gone/items", {});
  expect(down.status).toBe(502);
  expect(JSON.stringify(down.body)).toContain("not_sent");
  const held = here.desk.hold();
  const broken = put(here);
  await held.arrived;
  held.cut();
  const unknown = await broken;
  expect(unknown.status).toBe(502);
  expect(JSON.stringify(unknown.body)).toContain("unknown");
  // A stdio server that dies in the middle of a call.
  const client = await here.client("everything");
  const call = client.callTool({
    name: "get-sum",
    arguments: { a: 1, b: 2 },
  });
  expect(decisionIn(await call)["decision"]).toBe("allow");
  for (const pid of children(gateway.pid)) process.kill(pid, "SIGSTOP");
  const cut = client.callTool({ name: "get-sum", arguments: { a: 3, b: 4 } });
  await until("the call is under way", async () =>
    (await metrics(here)).includes("holdfast_calls_in_flight 1") ? true : undefined,
  );
  for (const pid of children(gateway.pid)) process.kill(pid, "SIGKILL");
  const result = await cut;
  expect(JSON.stringify(result.content)).toContain("outcome=unknown");
  await gateway.stop();
  const outcomes = here.entries().filter(({ kind }) => kind === "outcome");
  expect(outcomes.map(({ outcome }) => outcome)).toEqual(["not_sent", "unknown", "ok", "unknown"]);
});

function children(pid: number): readonly number[] {
  const text = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8");
  return text.split(" ").flatMap((one) => (one.trim() === "" ? [] : [Number(one)]));
}

test("what keeps it from starting is one sentence and the exit code 1", async () => {
  const here = await made();
  await here.both();
  const second = here.start("gateway");
  expect(await second.exit).toBe(1);
  expect(second.log).toMatch(
    /^holdfast gateway: the log in .*: lock is held by another process: one log has one writer; stop it first\n$/,
  );
  // Another data folder, the same address.
  const config = readFileSync(here.path("holdfast.yaml"), "utf8");
  writeFileSync(here.path("other.yaml"), config.replace("data: ./data", "data: ./other"));
  for (const role of ["gateway", "control"]) {
    const third = new Process([role, "--config", here.path("other.yaml")]);
    expect(await third.exit).toBe(1);
    expect(third.log).toContain(`holdfast ${role}: cannot listen on 127.0.0.1:`);
  }
  // A key that is no key.
  rmSync(here.path("other"), { recursive: true });
  const { publicKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const pem = publicKey.export({ type: "spki", format: "pem" });
  const jwks = here.path("keys.json");
  writeFileSync(jwks, String(pem));
  writeFileSync(
    here.path("other.yaml"),
    `${config.replace("data: ./data", "data: ./other")}\nidentity: { issuers: [{ issuer: x, jwks_file: ${jwks} }] }\n`,
  );
  const fourth = new Process(["gateway", "--config", here.path("other.yaml")]);
  expect(await fourth.exit).toBe(1);
  expect(fourth.log).toContain(`holdfast gateway: ${jwks}: `);
});
