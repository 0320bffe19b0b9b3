/**
 * Read-only escrow as people use it: an upstream goes down, its writes are queued, reads go on; it comes back, a person lets
 * the writes go, and the upstream's own journal shows each of them once, in order.
 */
import { afterEach, expect, test } from "vitest";
import { escrow, holdfast, items, town, write } from "./escrow-town.ts";
import { ask, decisionIn, until, type World } from "./harness.ts";

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

const ids = (all: readonly Record<string, unknown>[]): string[] => all.map(({ id }) => String(id));

async function settled(here: World): Promise<void> {
  const done = await escrow(here, "reconcile", "--wait-seconds", "30");
  expect(done.code, done.out + done.err).toBe(0);
}

test("an upstream goes down: writes are queued, reads go on; it comes back: each is executed once, in order", async () => {
  const { here, bank, shop } = await town(cleanups);
  await here.both();
  expect((await write(here, "bank", { note: "before" })).status).toBe(200);
  const on = await escrow(here, "on", "--upstream", "bank", "--reason", "bank is down");
  expect(on.code, on.err).toBe(0);
  // Up still: a read passes, a write does not, and another upstream is not concerned.
  expect((await here.http("GET", "/http/bank/notes")).status).toBe(200);
  expect((await write(here, "shop", { note: "elsewhere" })).status).toBe(200);
  await bank.down();
  const first = await write(here, "bank", { note: "one" });
  expect(first.status).toBe(202);
  expect(first.body).toMatchObject({ executed: false, refusal: "escrowed", decision: "deny" });
  expect(first.body["determining_rules"]).toEqual(["escrow/all"]);
  expect(first.headers.get("location")).toBeNull();
  expect(first.headers.get("holdfast-decision")).toBe("escrowed");
  expect(String(first.body["next"])).toMatch(/^queued, not executed: do not retry/);
  for (const note of ["two", "three"]) await write(here, "bank", { note });
  // An agent that retries all the same is told that it is the same; policy's no stays a no.
  const again = await write(here, "bank", { note: "one" });
  expect(again.body).toMatchObject({ escrow_id: first.body["escrow_id"], refusal: "escrowed" });
  expect(String(again.body["reason"])).toContain("asked 2 times");
  expect((await write(here, "bank", { note: "secret" })).body).toMatchObject({ decision: "deny" });
  expect((await write(here, "bank", { note: "secret" })).body["refusal"]).toBeUndefined();
  expect((await here.http("GET", "/http/shop/notes")).status).toBe(200);
  expect(await items(here)).toMatchObject([
    { seq: 1, state: "queued", args_redacted: { body: { note: "one" } } },
    { seq: 2, state: "queued" },
    { seq: 3, state: "queued" },
  ]);

  await bank.up();
  expect((await escrow(here, "off", "--all")).code).toBe(0);
  expect((await escrow(here, "release", "--upstream", "bank")).err).toContain("--reason");
  const released = await escrow(here, "release", "--upstream", "bank", "--reason", "bank is back");
  expect(released.code, released.err).toBe(0);
  await settled(here);
  expect(bank.effects.map(({ note }) => note)).toEqual(["before", "one", "two", "three"]);
  expect(bank.effects[1]?.key).toBe(first.body["escrow_id"]);
  expect(shop.effects.map(({ note }) => note)).toEqual(["elsewhere"]);
  expect(await items(here)).toEqual([]);
  const closed = await items(here, "--closed");
  expect(closed.map(({ state }) => state)).toEqual(["executed", "executed", "executed"]);
  await expectRecorded(here, String(first.body["escrow_id"]));
});

/** The log tells the whole story of one held write: held, asked again, let go, decided anew, done. */
async function expectRecorded(here: World, item: string): Promise<void> {
  await until("the release to be recorded", async () =>
    here.entries().some(({ kind, step }) => kind === "escrow" && step === "released")
      ? true
      : undefined,
  );
  const about = here
    .entries()
    .filter((entry) => entry["item"] === item || (entry["escrow"] as never)?.["item"] === item);
  const steps = about.map(
    ({ kind, escrow: mark, step }) => `${kind} ${step ?? mark?.["step" as never]}`,
  );
  expect(steps.sort()).toEqual([
    "decision held",
    "decision held_already",
    "decision released",
    "escrow released",
  ]);
  const executed = about.find((entry) => (entry["escrow"] as never)?.["step"] === "released");
  expect(executed).toMatchObject({ decision: "allow", escrow: { reason: "bank is back" } });
  expect(here.audit("verify").code).toBe(0);
  const shown = here.audit("show", ["--call", item]).stdout;
  expect(shown).toMatch(/escrowed/);
  expect(shown).toMatch(/escrow released/);
  expect(shown).toMatch(/released by .*: bank is back/);
}

test("an MCP call is held with a result that explains itself, and carried out when its client is gone", async () => {
  const { here, blog } = await town(cleanups);
  await here.both();
  await escrow(here, "on", "--tool", "blog:post", "--reason", "read-only drill");
  const client = await here.client("blog");
  const call = async (note: string) => await client.callTool({ name: "post", arguments: { note } });
  const held = await call("hello");
  expect(held.isError).toBe(true);
  const [content] = held.content as { text: string }[];
  expect(content?.text).toMatch(/^Queued for people: blog:post was not executed\.\n/);
  expect(content?.text).toContain("read-only drill");
  const id = String(decisionIn(held)["escrow_id"]);
  expect(content?.text).toContain(`escrow_id=${id}`);
  await client.close();
  expect(blog.received).toEqual([]);
  expect((await escrow(here, "release", id, "--reason", "fine")).code).toBe(0);
  await settled(here);
  // Still in escrow: what a person let go passes, what comes new does not.
  expect(blog.effects).toEqual([{ key: id, note: "hello" }]);
  expect(here.audit("verify").code).toBe(0);
});

test("what is let go is decided anew: a changed policy discards it, the kill switch sends it back", async () => {
  const { here, bank } = await town(cleanups);
  const { control } = await here.both();
  await escrow(here, "on", "--upstream", "bank", "--reason", "drill");
  for (const note of ["late", "kept", "dropped"]) await write(here, "bank", { note });
  const [late = "", kept = "", dropped = ""] = ids(await items(here));
  const from = control.log.length;
  here.policy(
    "late.yaml",
    'policy: late\nrules:\n  - { id: no, match: { tools: "bank:POST /notes" }, when: args.body.note == "late", outcome: deny, reason: Too late }\n',
  );
  await control.line("bundle_published", from);
  await until("the policy", async () =>
    (await ask(`${here.gatewayUrl}/readyz`)).body["policy_version"] !==
    (await items(here))[0]?.["policy_version"]
      ? true
      : undefined,
  );
  expect((await escrow(here, "discard", dropped, "--reason", "not wanted any more")).code).toBe(0);
  expect((await escrow(here, "release", late, "--reason", "fine")).code).toBe(0);
  const gone = await until("the discard", async () =>
    (await items(here, "--closed")).find(({ id }) => id === late),
  );
  expect(gone).toMatchObject({ state: "discarded", closed_ms: expect.any(Number) });
  expect(String(gone["note"])).toMatch(/^policy sha256:\S+ denies it now: Too late$/);
  expect((await holdfast(here, "kill", "--upstream", "bank")).code).toBe(0);
  expect((await escrow(here, "release", kept, "--reason", "fine")).code).toBe(0);
  const back = await until("the way back", async () =>
    (await items(here)).find(({ id, note }) => id === kept && note !== null),
  );
  expect(back).toMatchObject({ state: "queued", release: null });
  expect(String(back["note"])).toMatch(/^paused: paused by /);
  expect((await holdfast(here, "kill", "lift", "--all")).code).toBe(0);
  // Lifting the kill switch ended no escrow.
  expect((await write(here, "bank", { note: "new" })).status).toBe(202);
  expect((await escrow(here, "release", kept, "--reason", "again")).code).toBe(0);
  await until("the write", async () => (bank.effects.length > 0 ? true : undefined));
  expect(bank.effects).toEqual([{ key: kept, note: "kept" }]);
});

test("policy and an open breaker begin to queue by themselves, and only people end it; enforcement points are told no", async () => {
  const { here, bank, shop } = await town(
    cleanups,
    "authzen: { enforcement_points: [{ agent: report-bot }] }",
    "{ failures_in_row: 2, open_ms: 1000, writes: escrow }",
  );
  const { control } = await here.both();
  const from = control.log.length;
  here.policy(
    "hold.yaml",
    'escrow:\n  - { match: { tools: "bank:*" }, reason: The books are being closed }\n',
  );
  await control.line("bundle_published", from);
  const held = await until("policy", async () => {
    const answer = await write(here, "bank", { note: "closing" });
    return answer.status === 202 ? answer : undefined;
  });
  expect(String(held.body["reason"])).toContain("The books are being closed");
  // Until the policy was in force, writes went through.
  const before = bank.received.length;
  expect((await here.http("GET", "/http/bank/notes")).status).toBe(200);
  const asked = {
    subject: { type: "agent", id: "support-bot" },
    action: { name: "bank:POST /notes" },
  };
  const evaluation = await here.http(
    "POST",
    "/access/v1/evaluation",
    { ...asked, resource: { type: "http", id: "/notes" }, context: { arguments: {} } },
    "report-bot-development-token",
  );
  expect(evaluation.body).toMatchObject({ decision: false });
  // Its breaker holds back a shop that fails; the one that waits is not lost when it closes again.
  shop.status = () => 503;
  const queued = await until("the breaker", async () => {
    const answer = await write(here, "shop", { note: "broken" });
    return answer.status === 202 ? answer : undefined;
  });
  expect(String(queued.body["reason"])).toContain("is not called for");
  shop.status = () => 200;
  expect(bank.received.length).toBe(before);
  expect((await items(here)).map(({ cause }) => (cause as { by: string }).by).sort()).toEqual([
    "breaker",
    "policy",
  ]);
  const released = await escrow(
    here,
    "release",
    String(queued.body["escrow_id"]),
    "--reason",
    "well again",
  );
  expect(released.code, released.err).toBe(0);
  await until("the write", async () =>
    shop.effects.some(({ key }) => key === queued.body["escrow_id"]) ? true : undefined,
  );
  const status = await ask(`${here.gatewayUrl}/statusz`);
  expect(status.body["escrow"]).toEqual({});
  await until("the gauge", async () => {
    const { body } = await ask(`${here.gatewayUrl}/metrics`);
    return /^holdfast_escrow_items 1$/m.test(String(body["text"])) ? true : undefined;
  });
});
