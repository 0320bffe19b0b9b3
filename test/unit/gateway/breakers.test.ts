/** Breakers of gateways that share a store: what is held back, who hears of it, what a restart remembers. */
import { expect, test } from "vitest";
import type { BreakerEntry, Entry } from "../../../src/audit/index.ts";
import type { Health } from "../../../src/gateway/call.ts";
import { BreakerBoard, Breakers } from "../../../src/gateway/index.ts";
import type { Asked, Judgement } from "../../../src/gateway/judge.ts";
import { ok, type ToolId } from "../../../src/kernel/index.ts";
import {
  type BreakerSettings,
  breakerKey,
  type SharedBreaker,
  sharedBreakerJson,
} from "../../../src/limits/index.ts";
import {
  noStoreFaults,
  Random,
  recordingLog,
  recordingTelemetry,
  SimClock,
  SimDatabase,
} from "../../../src/sim/index.ts";
import { SharedState } from "../../../src/state/index.ts";

const settings: BreakerSettings = {
  failuresInRowMax: 3,
  failureRatioMax: 0.5,
  callsMin: 1_000,
  windowMs: 60_000,
  open: { baseMs: 1_000, maxMs: 8_000 },
  probesMax: 1,
};
const away = { ...noStoreFaults, refused: 1 };
const answered: Health = { kind: "answered" };
const failed: Health = { kind: "failed", cause: "refused: ECONNREFUSED" };
const toolFailed: Health = { kind: "tool_failed", cause: "it answered 500" };
const look: ToolId = "pay:look";
const create: ToolId = "pay:create";

const allowed = { decision: { decision: "allow" } } as Judgement;
let calls = 0;

function asked(tool: ToolId, effect: "read" | "write" = tool === look ? "read" : "write"): Asked {
  calls += 1;
  const request = { identity: { agent: "a" }, args: {} };
  return { callId: `call-${calls}`, request, tool: { id: tool, effect } } as unknown as Asked;
}

/** `slow`: what the store is asked waits, when a promise is set, until that is kept. */
function gateway(
  name: string,
  clock: SimClock,
  database: SimDatabase,
  slow: { list?: Promise<void> | undefined; write?: Promise<void> | undefined } = {},
) {
  const real = new SharedState(database.open(), { process: `gateway/${name}` });
  const state = {
    list: async (...of: Parameters<SharedState["list"]>) => {
      const listed = await real.list(...of);
      await slow.list;
      return listed;
    },
    transact: async (...of: Parameters<SharedState["transact"]>) => {
      await slow.write;
      return await real.transact(...of);
    },
  } as unknown as SharedState;
  const entropy = { bytes: (count: number) => new Uint8Array(count).fill((calls * 7) % 256) };
  const entries: BreakerEntry[] = [];
  const ledger = {
    append: async (entry: Entry) => ok({ index: entries.push(entry as BreakerEntry), treeSize: 1 }),
  } as never;
  const breakers = new Breakers({
    ...{ clock, entropy: { bytes: (count) => new Uint8Array(count).fill(255) } },
    settings: new Map([["pay", settings]]),
  });
  const telemetry = recordingTelemetry();
  const board = new BreakerBoard({
    ...{ breakers, clock, ledger, log: recordingLog(), telemetry, tenant: "t" },
    upstreams: ["pay"],
    state,
    entropy: { bytes: (count) => Buffer.from(entropy.bytes(count)).fill(name, 0, 1) },
    origin: { instance: name, site: "s", epoch: 0 },
    pollMs: 500,
  });
  /** What the gate said; a call that passes comes to `health`. */
  const call = (tool: ToolId, health: Health = answered, effect?: "read" | "write") => {
    const one = asked(tool, effect);
    const entered = breakers.enter(one, allowed, false);
    const passes = entered.judgement === allowed;
    if (passes) breakers.report(one, health);
    return passes ? "passes" : entered.judgement.decision.refusal;
  };
  const begin = (tool: ToolId) => {
    const one = asked(tool);
    const entered = breakers.enter(one, allowed, false);
    return {
      passes: entered.judgement === allowed,
      end: (health: Health) => breakers.report(one, health),
      settle: entered.settle,
    };
  };
  return { breakers, board, call, begin, entries };
}

function world() {
  const clock = new SimClock();
  const database = new SimDatabase(new Random(1), clock);
  const make = (name: string) => gateway(name, clock, database);
  const stored = (of: { upstream: string; tool?: string }) =>
    JSON.parse(database.present.get(breakerKey(of) ?? "") ?? "null");
  const people = new SharedState(database.open());
  const put = (of: { upstream: string; tool?: string }, change: Partial<SharedBreaker>) => {
    const key = breakerKey(of) ?? "";
    const shared = { ...byPeople, sinceMs: clock.wallMs(), ...change };
    return people.transact([key], () => ({
      writes: new Map([[key, sharedBreakerJson(shared)]]),
      result: undefined,
    }));
  };
  return { clock, database, make, stored, put };
}

const byPeople: SharedBreaker = {
  id: "brk-people",
  state: "open",
  sinceMs: 0,
  openMs: null,
  times: 1,
  cause: "maintenance",
  by: "sre@desk",
};

const ofPay = { upstream: "pay" };
const ofCreate = { upstream: "pay", tool: "create" };

test("a tool that fails is held back alone; an upstream that does not answer, as a whole", () => {
  const { make } = world();
  const one = make("one");
  for (let i = 0; i < 3; i++) expect(one.call(create, toolFailed)).toBe("passes");
  expect([one.call(create), one.call(look)]).toEqual(["breaker_open", "passes"]);
  const two = make("two");
  // Three failures open the tool's own; what it cannot send any more says nothing against the others.
  for (let i = 0; i < 3; i++) two.call(create, failed);
  expect([two.call(create), two.call(look)]).toEqual(["breaker_open", "passes"]);
  for (const tool of ["pay:a", "pay:b", "pay:c", "pay:d", "pay:e", "pay:f"] as const)
    two.call(tool, failed);
  expect(two.call("pay:g")).toBe("breaker_open");
  expect(two.breakers.isHeld("pay")).toBe(true);
});

test("calls that were under way when the tool's breaker opened do not open the upstream's", () => {
  const { make } = world();
  const { begin, call } = make("one");
  const under = Array.from({ length: 40 }, () => begin(create));
  for (const { end } of under) end(failed);
  expect([call(create), call(look)]).toEqual(["breaker_open", "passes"]);
});

test("what callers do to themselves opens nothing", () => {
  const { make } = world();
  const one = make("one");
  for (let i = 0; i < 50; i++) expect(one.call(create, { kind: "unsaid" })).toBe("passes");
});

test("an upstream that asks to be left alone is, for that long and no longer than ever", async () => {
  const { clock, make } = world();
  const one = make("one");
  one.call(look, { kind: "tool_failed", cause: "it answered 429", waitMs: 3_000 });
  expect([one.call(look), one.call(create)]).toEqual(["breaker_open", "passes"]);
  expect(one.breakers.holdFor(look)).toMatchObject({ retryAfterMs: 3_000 });
  await clock.advance(3_000);
  one.call(look, { kind: "tool_failed", cause: "it answered 429", waitMs: 3_600_000 });
  expect(one.breakers.holdFor(look)).toMatchObject({ retryAfterMs: 8_000 });
});

test("half-open: a read probes, a write waits for one; one at a time; a probe that was not made gives its place back", async () => {
  const { clock, make } = world();
  const one = make("one");
  for (const tool of ["a", "b", "c", "d", "e", "f"]) one.call(`pay:${tool}`, failed);
  expect(one.call(look)).toBe("breaker_open");
  await clock.advance(1_000);
  // A write of a tool that has not failed: a read would be the better probe.
  expect(one.call(create)).toBe("breaker_open");
  const probe = one.begin(look);
  expect([probe.passes, one.begin(look).passes]).toEqual([true, false]);
  await probe.settle?.("not_sent");
  const again = one.begin(look);
  expect(again.passes).toBe(true);
  again.end(failed);
  expect(one.breakers.holdFor(look)).toMatchObject({ of: ofPay, retryAfterMs: 2_000 });
  await clock.advance(3_000);
  // No read came for so long.
  expect(one.call(create)).toBe("passes");
  expect([one.call(create), one.call(look)]).toEqual(["passes", "passes"]);
});

test("another gateway, and a restart, know what one has learnt; the first answer frees all", async () => {
  const { clock, make, stored } = world();
  const [one, two] = [make("one"), make("two")];
  for (let i = 0; i < 3; i++) one.call(create, toolFailed);
  await clock.advance(1);
  expect(stored(ofCreate)).toMatchObject({
    ...{ state: "open", open_ms: 1_000, times: 1, by: "gateway one", cause: "it answered 500" },
  });
  await clock.run(two.board.refresh());
  expect([two.call(create), two.call(look)]).toEqual(["breaker_open", "passes"]);
  const restarted = make("one");
  expect(restarted.call(create)).toBe("passes");
  await clock.run(restarted.board.refresh());
  expect(restarted.call(create)).toBe("breaker_open");
  await clock.advance(1_000);
  expect(two.call(create)).toBe("passes");
  await clock.advance(1);
  expect(stored(ofCreate)).toMatchObject({ state: "closed", by: "gateway two" });
  await clock.run(restarted.board.refresh());
  expect([restarted.call(create), restarted.call(create)]).toEqual(["passes", "passes"]);
  const told = (each: typeof one) => each.entries.map(({ state, by }) => `${state} by ${by}`);
  const both = ["open by gateway one", "closed by gateway two"];
  expect([told(one), told(two), told(restarted)]).toEqual([["open by gateway one"], both, both]);
  // A closing is kept for others to see, and then swept.
  await clock.advance(61_000);
  await clock.run(two.board.refresh());
  await clock.advance(10);
  expect(stored(ofCreate)).toBeNull();
});

test("a restart after its time is over is half-open: one call finds out", async () => {
  const { clock, make } = world();
  for (let i = 0, one = make("one"); i < 3; i++) one.call(create, toolFailed);
  await clock.advance(5_000);
  const restarted = make("one");
  await clock.run(restarted.board.refresh());
  const probe = restarted.begin(create);
  expect([probe.passes, restarted.begin(create).passes]).toEqual([true, false]);
  probe.end(toolFailed);
  // It counts on where the run before it had stopped.
  expect(restarted.breakers.holdFor(create)).toMatchObject({ retryAfterMs: 2_000 });
});

test("without the store each goes by its own, and tells when it is back", async () => {
  const { clock, database, make, stored } = world();
  const [one, two] = [make("one"), make("two")];
  database.faults = away;
  for (let i = 0; i < 3; i++) one.call(create, toolFailed);
  await clock.run(one.board.refresh());
  expect(one.call(create)).toBe("breaker_open");
  expect(one.board.status).toMatchObject({
    error: expect.stringContaining("unreachable"),
    breakers: [{ breaker: "pay:create", state: "open", shared: false }],
  });
  database.faults = noStoreFaults;
  await clock.run(one.board.refresh());
  expect(stored(ofCreate)).toMatchObject({ by: "gateway one" });
  await clock.run(two.board.refresh());
  expect(two.call(create)).toBe("breaker_open");
  expect(one.board.status).toMatchObject({ error: null, breakers: [{ shared: true }] });
});

test("people open and reset; no answer closes what they hold", async () => {
  const { clock, make, put } = world();
  const one = make("one");
  const under = one.begin(look);
  await clock.run(put(ofPay, {}));
  await clock.run(one.board.refresh());
  under.end(answered);
  await clock.advance(86_400_000);
  await clock.run(one.board.refresh());
  expect(one.breakers.holdFor(look)).toEqual({
    ...{ kind: "breaker_open", of: ofPay, cause: "maintenance", retryAfterMs: undefined },
  });
  await clock.run(put(ofPay, { id: "brk-reset", state: "closed", openMs: 0, by: "sre@desk" }));
  await clock.run(one.board.refresh());
  expect(one.call(look)).toBe("passes");
  expect(one.entries).toMatchObject([
    { kind: "breaker", upstream: "pay", tool: null, state: "open", open_ms: null, by: "sre@desk" },
    { kind: "breaker", upstream: "pay", tool: null, state: "closed", by: "sre@desk" },
  ]);
});

test("a gateway that opens at the same time as people keeps what people said", async () => {
  const { clock, make, put, stored } = world();
  const one = make("one");
  await clock.run(put(ofCreate, {}));
  for (let i = 0; i < 3; i++) one.call(create, toolFailed);
  await clock.advance(5);
  expect(stored(ofCreate)).toMatchObject({ id: "brk-people" });
  await clock.advance(60_000);
  expect(one.call(create)).toBe("breaker_open");
});

test("what is cut off while the gateway stops is not held against its upstreams", async () => {
  const { clock, database, make } = world();
  const one = make("one");
  const stop = new AbortController();
  const following = one.board.follow(stop.signal);
  await clock.advance(600);
  stop.abort();
  await clock.run(following);
  const commits = database.commits;
  for (let i = 0; i < 3; i++) one.call(create, failed);
  await clock.advance(1_000);
  expect([database.commits, one.entries]).toEqual([commits, []]);
});

test("a breaker that nobody calls is forgotten after an hour, and made-up tools take no room", async () => {
  const { clock, make, stored } = world();
  const one = make("one");
  for (let i = 0; i < 3; i++) one.call(create, toolFailed);
  await clock.advance(3_602_000);
  await clock.run(one.board.refresh());
  await clock.advance(5);
  expect(one.breakers.held).toEqual([]);
  expect(stored(ofCreate)).toMatchObject({ state: "closed" });
  for (let i = 0; i < 1_500; i++) one.call(`pay:made-up-${i}`, toolFailed);
  for (let i = 0; i < 3; i++) one.call("pay:made-up-1400", toolFailed);
  expect(one.call("pay:made-up-1400")).toBe("passes");
  await clock.advance(61_000);
  await clock.run(one.board.refresh());
  for (let i = 0; i < 3; i++) one.call("pay:made-up-1400", toolFailed);
  expect(one.call("pay:made-up-1400")).toBe("breaker_open");
});

test("no fault of the store makes two gateways disagree for good", async () => {
  for (let seed = 1; seed <= 40; seed++) {
    const clock = new SimClock();
    const random = new Random(seed);
    const faults = { refused: 0.2, commitLost: 0.2, answerLost: 0.2, delayMsMax: 20 };
    const database = new SimDatabase(random, clock, faults);
    const all = ["one", "two", "three"].map((name) => gateway(name, clock, database));
    const stop = new AbortController();
    const following = all.map((each) => each.board.follow(stop.signal));
    for (let i = 0; i < 60; i++) {
      const each = all[random.below(3)];
      const health = [answered, failed, toolFailed, toolFailed][random.below(4)] ?? answered;
      each?.call(random.below(2) === 0 ? create : look, health);
      await clock.advance(random.below(300));
    }
    database.faults = noStoreFaults;
    await clock.advance(4_000);
    const kinds = all.map(({ breakers }) =>
      [ofPay, ofCreate, { upstream: "pay", tool: "look" }].map(
        (of) => breakers.of(of).kind !== "closed",
      ),
    );
    expect(kinds[1], `seed ${seed}`).toEqual(kinds[0]);
    expect(kinds[2], `seed ${seed}`).toEqual(kinds[0]);
    stop.abort();
    await clock.run(Promise.all(following));
  }
});

function gate(): { readonly passed: Promise<void>; open(): void } {
  let open = (): void => undefined;
  const passed = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { passed, open };
}

test("a look that began before one's own change was stored takes nothing back", async () => {
  const { clock, database, stored } = world();
  const slow: { list?: Promise<void> | undefined } = {};
  const one = gateway("one", clock, database, slow);
  for (let i = 0; i < 3; i++) one.call(create, toolFailed);
  await clock.advance(1_000);
  const looking = gate();
  slow.list = looking.passed;
  const refreshing = one.board.refresh();
  await clock.advance(5);
  // What it will see is that the breaker is open; by then it has closed.
  expect(one.call(create)).toBe("passes");
  await clock.advance(5);
  expect(stored(ofCreate)).toMatchObject({ state: "closed" });
  looking.open();
  await clock.run(refreshing);
  expect([one.breakers.of(ofCreate).kind, one.call(create)]).toEqual(["closed", "passes"]);
});

test("what changes while a change is being stored is stored after it", async () => {
  const { clock, database, stored } = world();
  const slow: { write?: Promise<void> | undefined } = {};
  const one = gateway("one", clock, database, slow);
  const writing = gate();
  slow.write = writing.passed;
  for (let i = 0; i < 3; i++) one.call(create, toolFailed);
  await clock.advance(1_000);
  expect(one.call(create)).toBe("passes");
  await clock.advance(5);
  expect(stored(ofCreate)).toBeNull();
  slow.write = undefined;
  writing.open();
  await clock.advance(5);
  expect(stored(ofCreate)).toMatchObject({ state: "closed", by: "gateway one" });
});
