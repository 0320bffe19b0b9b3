/** People's consent as agents meet it: real clients of both eras, over MCP and HTTP; a gateway that dies in between. */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { userInfo } from "node:os";
import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { afterEach, expect, test } from "vitest";
import { SqliteStore } from "../../../src/adapters/sqlite/index.ts";
import {
  type Approval,
  approvalIn,
  approvalKeys,
  approvalWrites,
  openPrefix,
  readApproval,
  vote,
} from "../../../src/approvals/index.ts";
import { SharedState } from "../../../src/state/index.ts";
import { auto } from "../../fixtures/mcp-gateway.ts";
import { decisionIn, reportBot, supportBot, until, type World, world } from "./harness.ts";

const policy = `
policy: consent
rules:
  - id: marked
    match: { tools: "files:write_file" }
    when: args.path.contains("approved")
    outcome: approval_needed
    reason: A marked file needs a person
    approval: { approvers: [{ groups: [leads] }] }
  - id: heavy
    match: { tools: "desk:POST /items" }
    when: args.body.weight > 10
    outcome: approval_needed
    reason: Over ten needs a person
`;

const people = `
approvals:
  hold_seconds: 1
  approvers: [{ id: bob, groups: [leads], cli_users: [nobody-here] }]
`;

const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

/** The people of this test: they look into the shared state as the control plane does. */
class People {
  readonly #state: SharedState;

  constructor(state: SharedState) {
    this.#state = state;
  }

  async pending(): Promise<Approval> {
    return await until("a question", async () => {
      const listed = await this.#state.list(openPrefix, 100);
      if (!listed.ok) throw new Error(listed.error.detail);
      const all = listed.value.flatMap(({ value }) => readApproval(value) ?? []);
      return all.find(({ state }) => state === "pending");
    });
  }

  async newest(): Promise<Approval> {
    const listed = await this.#state.list(openPrefix, 100);
    const all = listed.ok ? listed.value.flatMap(({ value }) => readApproval(value) ?? []) : [];
    const last = all.at(-1);
    if (last === undefined) throw new Error("nothing is open");
    return last;
  }

  async of(id: string): Promise<Approval | undefined> {
    const keys = approvalKeys(id);
    const read = await this.#state.read([keys.open, keys.closed]);
    return read.ok ? approvalIn(read.value, keys) : undefined;
  }

  async say(verdict: "approve" | "decline", asked?: Approval): Promise<Approval> {
    const { id } = asked ?? (await this.pending());
    const keys = approvalKeys(id);
    const bob = { id: "bob", groups: ["leads"], alsoKnownAs: [] };
    const ballot = { verdict, reason: "looked at it", channel: "cli", jti: `jti-${id}` };
    const done = await this.#state.transact([keys.open, keys.closed], (values, nowMs) => {
      const before = approvalIn(values, keys);
      const cast = before && vote(before, bob, ballot, nowMs);
      return { writes: cast?.ok ? approvalWrites(cast.value) : new Map(), result: cast };
    });
    if (!(done.ok && done.value?.ok)) throw new Error(JSON.stringify(done));
    return done.value.value;
  }
}

async function made(): Promise<{ here: World; people: People; gateway: { stop: Stop } }> {
  const here = await world({ config: people });
  closing.push(() => here.close());
  here.policy("consent.yaml", policy);
  const { gateway } = await here.both();
  const store = await SqliteStore.open(here.path("data/store.db"));
  if (!store.ok) throw new Error(store.error);
  const state = new SharedState(store.value);
  closing.push(() => state.close());
  return { here, people: new People(state), gateway };
}

type Stop = (signal?: NodeJS.Signals) => Promise<unknown>;

const write = (here: World, name: string) => ({
  name: "write_file",
  arguments: { path: here.path("workspace", name), content: "yes" },
});

test("a client of the stateless era sees one slow call, over several legs", async () => {
  const { here, people } = await made();
  const client = await here.client("files", auto);
  const called = client.callTool(write(here, "approved-1.txt"));
  const asked = await people.pending();
  // Longer than one leg: the client has come back with its state by itself.
  await new Promise((wake) => setTimeout(wake, 2_500));
  expect((await people.of(asked.id))?.state).toBe("pending");
  await people.say("approve");
  const result = await called;
  expect(result.isError ?? false).toBe(false);
  expect(readFileSync(here.path("workspace/approved-1.txt"), "utf8")).toBe("yes");
  expect(decisionIn(result)).toMatchObject({ approval_id: asked.id, approved_by: ["bob"] });
  expect((await people.of(asked.id))?.state).toBe("used");
  const entries = await until("the answer in the log", async () => {
    const all = here.entries();
    return all.some(({ kind }) => kind === "approval") ? all : undefined;
  });
  expect(entries.find(({ kind }) => kind === "approval")).toMatchObject({
    approval_id: asked.id,
    state: "granted",
    votes: [{ approver: "bob", verdict: "approve", reason: "looked at it", channel: "cli" }],
  });
  const allowed = entries.filter(({ decision }) => decision === "allow");
  expect(allowed.at(-1)).toMatchObject({
    approved_by: ["bob"],
    override_jti: `jti-${asked.id}`,
    approval_id: asked.id,
  });
});

test("a client that opens addresses is given the approval page for its user", async () => {
  const { here, people } = await made();
  const capabilities = { elicitation: { url: {} } };
  const client = await here.client("files", { ...auto, capabilities });
  const shown: string[] = [];
  client.setRequestHandler("elicitation/create", async ({ params }) => {
    if (params.mode === "url") shown.push(params.url);
    await people.say("approve");
    return { action: "accept" };
  });
  const result = await client.callTool(write(here, "approved-2.txt"));
  expect(result.isError ?? false).toBe(false);
  const { approval_id: id } = decisionIn(result);
  expect(shown).toEqual([`${here.controlUrl}/approvals/${String(id)}`]);
});

test("a user who turns the page down is not waited for", async () => {
  const { here } = await made();
  const capabilities = { elicitation: { url: {} } };
  const client = await here.client("files", { ...auto, capabilities });
  client.setRequestHandler("elicitation/create", async () => ({ action: "decline" }));
  const result = await client.callTool(write(here, "approved-3.txt"));
  expect([result.isError, decisionIn(result)["decision"]]).toEqual([true, "approval_needed"]);
});

test("an older client is held for one leg, told in words, and comes back", async () => {
  const { here, people } = await made();
  const client = await here.client("files");
  const told = await client.callTool(write(here, "approved-4.txt"));
  const [block] = told.content;
  const { id } = await people.pending();
  expect([told.isError, block?.type === "text" ? block.text : ""]).toEqual([
    true,
    expect.stringContaining(`approval_id=${id}`),
  ]);
  await people.say("approve");
  expect((await client.callTool(write(here, "approved-4.txt"))).isError ?? false).toBe(false);
  expect(existsSync(here.path("workspace/approved-4.txt"))).toBe(true);
});

test("HTTP: Prefer: wait is answered with what the call came to; a no is told with its reason", async () => {
  const { here, people } = await made();
  const put = (weight: number, headers: Record<string, string> = {}): Promise<Response> =>
    fetch(`${here.gatewayUrl}/http/desk/items`, {
      method: "POST",
      headers: {
        ...{ authorization: `Bearer ${supportBot}`, "content-type": "application/json" },
        ...headers,
      },
      body: JSON.stringify({ weight }),
    });
  const waiting = put(11, { prefer: "respond-async, wait=20" });
  await people.say("approve");
  // hold_seconds is the most that is waited, so the first answer may still be the question.
  const first = await waiting;
  expect((first.status === 200 ? first : await put(11)).status).toBe(200);
  expect(here.desk.seen.length).toBe(1);
  expect((await put(12)).status).toBe(403);
  await people.say("decline");
  const declined = await put(12);
  expect([declined.status, await declined.json()]).toMatchObject([
    403,
    { refusal: "declined", reason: expect.stringContaining("declined by bob: looked at it") },
  ]);
  const forged = await put(12, { "holdfast-override": "e30.e30.e30" });
  expect(await forged.json()).toMatchObject({ refusal: "override_forged" });
  expect(here.desk.seen.length).toBe(1);
});

test("an agent looks after its own question, is given the token, and shows it; nobody else is", async () => {
  const { here, people } = await made();
  const call = (headers: Record<string, string> = {}) =>
    fetch(`${here.gatewayUrl}/http/desk/items`, {
      method: "POST",
      headers: {
        ...{ authorization: `Bearer ${supportBot}`, "content-type": "application/json" },
        ...headers,
      },
      body: JSON.stringify({ weight: 77 }),
    });
  await call();
  const { id } = await people.pending();
  expect((await here.http("GET", `/approvals/${id}`)).body).toMatchObject({ state: "pending" });
  expect((await here.http("GET", `/approvals/${id}`, undefined, reportBot)).status).toBe(404);
  expect((await here.http("POST", `/approvals/${id}`, {})).status).toBe(405);
  await people.say("approve");
  const { body } = await here.http("GET", `/approvals/${id}`);
  const token = String(body["override_token"]);
  const shown = { "holdfast-override": token };
  const used = await call(shown);
  expect([used.status, here.desk.seen.length]).toEqual([200, 1]);
  const replayed = await call(shown);
  expect([replayed.status, await replayed.json()]).toMatchObject([
    403,
    { refusal: "override_replayed" },
  ]);
  expect(JSON.stringify(here.desk.seen)).not.toContain(token);
});

test("an agent that can set neither headers nor _meta uses the gateway's own tools", async () => {
  const { here, people } = await made();
  const client = await here.client("files", auto);
  const called = client.callTool(write(here, "approved-5.txt"));
  await people.pending();
  // Its client gives up; the grant is there all the same.
  await client.close();
  await called.catch(() => undefined);
  await people.say("approve");
  const url = new URL(`${here.gatewayUrl}/mcp`);
  const requestInit = { headers: { authorization: `Bearer ${supportBot}` } };
  const all = new Client({ name: "own-tools", version: "1" });
  await all.connect(new StreamableHTTPClientTransport(url, { requestInit }));
  closing.push(() => all.close());
  const names = (await all.listTools()).tools.map(({ name }) => name);
  expect(names).toEqual(
    expect.arrayContaining(["holdfast.approval_status", "holdfast.approval_redeem"]),
  );
  const { id } = await people.newest();
  const looked = await all.callTool({
    name: "holdfast.approval_status",
    arguments: { approval_id: id },
  });
  const status = looked.structuredContent as Record<string, unknown>;
  expect(status).toMatchObject({ state: "granted", approval_id: id });
  const redeem = (path: string) =>
    all.callTool({
      name: "holdfast.approval_redeem",
      arguments: {
        override_token: status["override_token"],
        tool: "files.write_file",
        arguments: { ...write(here, path).arguments },
      },
    });
  const other = await redeem("approved-6.txt");
  expect(decisionIn(other)["refusal"]).toBe("override_other_arguments");
  expect((await redeem("approved-5.txt")).isError ?? false).toBe(false);
  expect(existsSync(here.path("workspace/approved-5.txt"))).toBe(true);
  expect(decisionIn(await redeem("approved-5.txt"))["refusal"]).toBe("override_replayed");
});

test("people answer from a shell: list, show, approve, revoke; who is nobody is told what to add", async () => {
  const here = await world({
    config: people.replace("nobody-here", JSON.stringify(userInfo().username)),
  });
  closing.push(() => here.close());
  here.policy("consent.yaml", policy);
  await here.both();
  const put = (weight: number) => here.http("POST", "/http/desk/items", { weight });
  const cli = (...args: string[]) => here.command("approvals", ...args);
  const first = await put(21);
  const id = String(first.body["approval_id"]);
  // Asked twice, people are asked once.
  expect((await put(21)).body["approval_id"]).toBe(id);
  expect(cli("list").stdout).toContain(`${id}  pending  high  support-bot  desk:POST /items`);
  const shown = cli("show", id);
  expect(shown.stdout).toContain('arguments: {"body":{"weight":21}');
  expect(cli("approve", id).code).toBe(2);
  expect(cli("approve", id, "--reason", "it is fine").stdout).toBe(`${id} is granted\n`);
  const twice = cli("approve", id, "--reason", "again");
  expect([twice.code, twice.stderr]).toEqual([1, `error: ${id} is granted already\n`]);
  expect((await put(21)).status).toBe(200);
  expect(JSON.parse(cli("show", id, "--json").stdout)).toMatchObject({ state: "used" });
  const second = String((await put(22)).body["approval_id"]);
  expect(cli("approve", second, "--reason", "yes").code).toBe(0);
  expect(cli("revoke", second, "--reason", "no, wait").stdout).toBe(`${second} is revoked\n`);
  expect((await put(22)).body["approval_id"]).not.toBe(second);
  expect(cli("list", "--all", "--json").stdout.trim().split("\n").length).toBe(3);
  expect(cli("show", "apr-none").code).toBe(1);
  const config = readFileSync(here.path("holdfast.yaml"), "utf8");
  writeFileSync(
    here.path("holdfast.yaml"),
    config.replace(/cli_users: \[[^\]]*\]/, "cli_users: [x]"),
  );
  const stranger = cli("approve", second, "--reason", "yes");
  expect([stranger.code, stranger.stderr]).toEqual([2, expect.stringContaining("cli_users")]);
});

test("a gateway that is killed while the upstream works: nobody knows, and the grant is not used again", async () => {
  const { here, people, gateway } = await made();
  const put = () => here.http("POST", "/http/desk/items", { weight: 50 });
  await put();
  const { id } = await people.say("approve");
  const held = here.desk.hold();
  const lost = put().catch(() => undefined);
  await held.arrived;
  await gateway.stop("SIGKILL");
  await lost;
  held.cut();
  expect((await people.of(id))?.state).toBe("claimed");
  await here.gateway();
  expect((await people.of(id))?.state).toBe("unknown");
  const again = await put();
  expect([again.status, again.body["decision"]]).toEqual([403, "approval_needed"]);
  const next = await people.pending();
  expect([next.after_unknown, next.id === id]).toEqual([id, false]);
  expect(here.desk.seen.length).toBe(1);
});
