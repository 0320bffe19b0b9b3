/** The queue as a value: whatever gateways and people do, in whatever order, its parts agree and nothing is done twice. */
import fc from "fast-check";
import { expect, test } from "vitest";
import {
  type Attempt,
  attempted,
  bindingKey,
  type Change,
  claimed,
  closedPrefix,
  type Draft,
  type EscrowBounds,
  type EscrowItem,
  endedByPerson,
  hold,
  holdKeys,
  isClosed,
  isItemId,
  itemKeys,
  laneFree,
  laneKey,
  queueKey,
  queuePrefix,
  readItem,
  readLane,
  released,
  releasedPrefix,
  step,
  unrecordedKey,
  unrecordedPrefix,
  usageKey,
  usageOf,
} from "../../../src/escrow/index.ts";
import type { JsonObject, Result } from "../../../src/kernel/index.ts";

const bounds: EscrowBounds = {
  itemsMax: 6,
  bytesMax: 400,
  itemsPerAgentMax: 4,
  bytesPerAgentMax: 300,
};

function draft(id: string, of: Partial<Draft> = {}): Draft {
  return {
    ...{ id, upstream: "pay", tool: "pay:POST /charge", face: "http", method: "POST" },
    ...{ tenant: "acme", agent: "buyer", model: null, principal: null, delegation: [] },
    ...{ idempotency_key: id, args: { body: { n: id } }, args_digest: `sha256:${id}` },
    ...{ args_redacted: {}, met: [], carry: {}, repeats: null, risk: "high" },
    ...{ policy_version: "rev", determining_rules: [], instance: "one" },
    cause: { by: "switch", text: "pay is down" },
    ...of,
  };
}

/** A store of one process: what a change did not name it neither sees nor writes. */
class Stored {
  readonly values = new Map<string, JsonObject>();

  run<T>(keys: readonly string[], change: (values: Map<string, JsonObject>) => Change<T>): T {
    const seen = new Map([...this.values].filter(([key]) => keys.includes(key)));
    const { writes, result } = change(seen);
    for (const [key, value] of writes) {
      if (!keys.includes(key)) throw new Error(`wrote ${key}, which it did not name`);
      if (value === null) this.values.delete(key);
      else this.values.set(key, JSON.parse(JSON.stringify(value)));
    }
    return result;
  }

  under(prefix: string): readonly (readonly [string, JsonObject])[] {
    const found = [...this.values].filter(([key]) => key.startsWith(prefix));
    return found.sort(([a], [b]) => (a < b ? -1 : 1));
  }

  open(): readonly EscrowItem[] {
    return this.under(queuePrefix).map(([, value]) => readItem(value) as EscrowItem);
  }

  hold(one: Draft, nowMs = 1): ReturnType<typeof hold>["result"] {
    return this.run(holdKeys(one), (values) => hold(values, one, bounds, nowMs));
  }

  step(
    item: EscrowItem,
    take: Parameters<typeof step>[2],
    said?: Parameters<typeof step>[3],
  ): Result<EscrowItem, string> {
    const keys = [...itemKeys(item), unrecordedKey({ ...item, version: item.version + 1 })];
    return this.run(keys, (values) => step(values, item, take, said));
  }
}

function heldItem(store: Stored, one: Draft): EscrowItem {
  const held = store.hold(one);
  if (held.kind !== "queued") throw new Error(JSON.stringify(held));
  return held.item;
}

function value<T>(result: Result<T, string>): T {
  if (!result.ok) throw new Error(result.error);
  return result.value;
}

/** Every part of the queue says what the items say. */
function expectAgreement(store: Stored): void {
  const open = store.open();
  expect(usageOf(store.values.get(usageKey))).toEqual({
    items: open.length,
    bytes: open.reduce((sum, { bytes }) => sum + bytes, 0),
  });
  expect(store.under(releasedPrefix).map(([, { id }]) => id)).toEqual(
    open
      .filter(({ state }) => state === "released")
      .sort((a, b) => a.upstream.localeCompare(b.upstream) || a.seq - b.seq)
      .map(({ id }) => id),
  );
  for (const upstream of ["pay", "files"]) {
    const { holder } = readLane(store.values.get(laneKey(upstream)));
    const inHand = open.filter(
      (item) => item.upstream === upstream && /executing|unknown/.test(item.state),
    );
    expect(inHand.map(({ id }) => id)).toEqual(holder === null ? [] : [holder.id]);
  }
  for (const item of open) expect(store.values.get(bindingKey(item))?.["id"]).toBe(item.id);
  for (const [, each] of store.under(closedPrefix)) {
    const item = readItem(each) as EscrowItem;
    expect(isClosed(item)).toBe(true);
    expect([item.args, item.carry]).toEqual([null, null]);
  }
}

const attempts: readonly Attempt[] = [
  { kind: "executed", note: null },
  { kind: "failed", note: "status 400" },
  { kind: "discarded", note: "policy denies" },
  { kind: "again", note: "not sent", waitMs: 5 },
  { kind: "back", note: "paused" },
  { kind: "unknown", note: "the gateway died" },
];

const action = fc.record({
  what: fc.constantFrom("hold", "release", "claim", "settle", "discard", "done", "late"),
  pick: fc.nat(20),
  upstream: fc.constantFrom("pay", "files"),
  agent: fc.constantFrom("buyer", "clerk"),
  same: fc.boolean(),
  came: fc.nat(attempts.length - 1),
});

test("whatever happens, the parts agree, one item of an upstream is in hand, and a closed one stays closed", () => {
  fc.assert(
    fc.property(fc.array(action, { maxLength: 60 }), (actions) => {
      const store = new Stored();
      const ended = new Map<string, string>();
      const calls: { item: EscrowItem; call: string }[] = [];
      for (const [at, { what, pick, upstream, agent, same, came }] of actions.entries()) {
        const open = store.open();
        const item = open[pick % Math.max(open.length, 1)];
        const digest = same ? `sha256:${pick % 3}` : `sha256:w${at}`;
        if (what === "hold")
          store.hold(draft(`c${at}`, { upstream, agent, args_digest: digest }), at);
        else if (item !== undefined) act(store, item, what, at, attempts[came] as Attempt, calls);
        for (const [, each] of store.under(closedPrefix)) {
          const { id, state } = readItem(each) as EscrowItem;
          expect(ended.get(id) ?? state).toBe(state);
          ended.set(id, state);
        }
        expectAgreement(store);
      }
    }),
    { numRuns: 300 },
  );
});

function act(
  store: Stored,
  item: EscrowItem,
  what: string,
  at: number,
  came: Attempt,
  calls: { item: EscrowItem; call: string }[],
): void {
  const { turn } = readLane(store.values.get(laneKey(item.upstream)));
  const word = { by: "ann", reason: "looked at it", at_ms: at };
  switch (what) {
    case "release":
      store.step(item, (now) => released(now, "ann", "fine", at), { step: "released", word });
      break;
    case "claim": {
      const claim = { call: `x${at}`, instance: "one", log: "l", run: "r", at_ms: at };
      const taken = store.step(item, (now, lane) => {
        const free = laneFree(lane, turn);
        return free.ok ? claimed(now, claim) : free;
      });
      if (taken.ok) calls.push({ item: taken.value, call: claim.call });
      break;
    }
    case "settle":
    case "late": {
      // `late`: a gateway that was given up, or a second answer of the same call.
      const mine = what === "late" ? calls[at % Math.max(calls.length, 1)] : calls.at(-1);
      if (mine !== undefined) store.step(mine.item, (now) => attempted(now, mine.call, came, at));
      break;
    }
    case "discard":
      store.step(item, (now) => endedByPerson(now, "discarded", "ann", "not wanted", at));
      break;
    default:
      store.step(item, (now) => endedByPerson(now, "executed", "ann", "seen in the journal", at));
  }
}

test("an item goes from queued to executed, and leaves nothing of its arguments", () => {
  const store = new Stored();
  const item = heldItem(store, draft("c1"));
  expect(item).toMatchObject({ state: "queued", seq: 1, queued_ms: 1 });
  const go = value(store.step(item, (now) => released(now, "ann", " fine ", 2)));
  expect(go).toMatchObject({ state: "released", release: { by: "ann", reason: "fine", at_ms: 2 } });
  const claim = { call: "x1", instance: "one", log: "l", run: "r", at_ms: 3 };
  value(store.step(item, (now) => claimed(now, claim)));
  const done = value(
    store.step(item, (now) => attempted(now, "x1", { kind: "executed", note: null }, 4)),
  );
  expect(done).toMatchObject({ state: "executed", args: null, carry: null, closed_ms: 4 });
  expect(store.under("escrow/").map(([key]) => key)).toEqual([
    "escrow/closed/c1",
    "escrow/lane/pay",
  ]);
  expect(store.step(item, (now) => released(now, "ann", "again", 5))).toEqual({
    ok: false,
    error: "c1 is executed; that is final",
  });
});

test("the same write is held once, for as long as it is open; another key of the agent's own makes it another", () => {
  const store = new Stored();
  const first = heldItem(store, draft("c1", { args_digest: "sha256:a" }));
  const again = draft("c2", { args_digest: "sha256:a" });
  expect(store.hold(again)).toEqual({ kind: "again", id: "c1", asks: 2 });
  expect(store.hold(again)).toEqual({ kind: "again", id: "c1", asks: 3 });
  expect(store.hold({ ...again, id: "c3", repeats: "k" }).kind).toBe("queued");
  expect(store.hold({ ...again, id: "c4", agent: "clerk" }).kind).toBe("queued");
  expect(store.hold({ ...again, id: "c5", principal: "bob" }).kind).toBe("queued");
  value(store.step(first, (now) => endedByPerson(now, "discarded", "ann", "no", 9)));
  expect(store.hold({ ...again, id: "c6" }).kind).toBe("queued");
});

test("a full queue refuses and says which bound", () => {
  const store = new Stored();
  for (const id of ["a1", "a2", "a3", "a4"]) heldItem(store, draft(id));
  expect(store.hold(draft("a5"))).toEqual({
    kind: "full",
    detail: "buyer has 4 writes in escrow already (limits.escrow_items_per_agent_max)",
  });
  for (const id of ["b1", "b2"]) heldItem(store, draft(id, { agent: "clerk" }));
  expect(store.hold(draft("b3", { agent: "clerk" }))).toMatchObject({
    detail: "6 writes are in escrow already (limits.escrow_items_max)",
  });
  const big = { args: { body: "x".repeat(280) } };
  expect(new Stored().hold(draft("c1", { ...big, args: { body: "x".repeat(320) } }))).toMatchObject(
    {
      detail: expect.stringContaining("limits.escrow_bytes_per_agent_max"),
    },
  );
  const other = new Stored();
  heldItem(other, draft("d1", big));
  expect(other.hold(draft("d2", { ...big, agent: "clerk" }))).toMatchObject({
    detail: expect.stringContaining("limits.escrow_bytes_max"),
  });
  expectAgreement(store);
});

test("nobody takes an item past one that was in hand when the lane was looked at", () => {
  const store = new Stored();
  const [one, two] = [heldItem(store, draft("c1")), heldItem(store, draft("c2"))];
  for (const item of [one, two]) value(store.step(item, (now) => released(now, "ann", "go", 1)));
  const claim =
    (call: string, turn: number) => (now: EscrowItem, lane: Parameters<typeof laneFree>[0]) => {
      const free = laneFree(lane, turn);
      return free.ok ? claimed(now, { call, instance: "one", log: "l", run: "r", at_ms: 2 }) : free;
    };
  value(store.step(one, claim("x1", 0)));
  // A second gateway looks now: the first item is in hand, so the second seems to be first.
  const { turn } = readLane(store.values.get(laneKey("pay")));
  expect(store.step(two, claim("x2", turn)).ok).toBe(false);
  value(store.step(one, (now) => attempted(now, "x1", { kind: "again", note: "n", waitMs: 9 }, 3)));
  expect(store.step(two, claim("x2", turn)).ok).toBe(false);
  // And it waits for as long as it was told to.
  expect(store.step(one, claim("x3", turn + 1))).toEqual({
    ok: false,
    error: "c1 waits before it is tried again",
  });
});

test("an attempt is settled by its own call alone, also late; a person's word stands against it", () => {
  const store = new Stored();
  const item = heldItem(store, draft("c1"));
  value(store.step(item, (now) => released(now, "ann", "go", 1)));
  value(
    store.step(item, (now) =>
      claimed(now, { call: "x1", instance: "a", log: "l", run: "r", at_ms: 2 }),
    ),
  );
  expect(
    store.step(item, (now) => attempted(now, "x2", { kind: "executed", note: null }, 3)).ok,
  ).toBe(false);
  value(store.step(item, (now) => attempted(now, "x1", { kind: "unknown", note: "silent" }, 3)));
  const late = store.step(item, (now) => attempted(now, "x1", { kind: "executed", note: null }, 4));
  expect(value(late).state).toBe("executed");
});

test("a release and an end need a reason, and leave a word to be recorded", () => {
  const store = new Stored();
  const item = heldItem(store, draft("c1"));
  const error = "say why: the reason is recorded";
  expect(released(item, "ann", "  ", 1)).toEqual({ ok: false, error });
  expect(endedByPerson(item, "discarded", "ann", "", 1)).toEqual({ ok: false, error });
  const word = { by: "ann", reason: "fine", at_ms: 1 };
  value(store.step(item, (now) => released(now, "ann", "fine", 1), { step: "released", word }));
  expect(store.under(unrecordedPrefix)).toEqual([
    [
      "escrow/unrecorded/c1/2",
      expect.objectContaining({ step: "released", id: "c1", by: "ann", reason: "fine" }),
    ],
  ]);
});

test.each([
  ["queued", "executed"],
  ["released", "executed"],
] as const)("nobody can say that a %s item was done", (state, end) => {
  const store = new Stored();
  const item = heldItem(store, draft("c1"));
  if (state === "released") value(store.step(item, (now) => released(now, "a", "go", 1)));
  const done = store.step(item, (now) => endedByPerson(now, end, "ann", "saw it", 2));
  expect(done).toEqual({ ok: false, error: `c1 is ${state}, so it cannot be executed` });
});

test("an item in hand is not discarded: it may be with the upstream this very moment", () => {
  const store = new Stored();
  const item = heldItem(store, draft("c1"));
  value(store.step(item, (now) => released(now, "ann", "go", 1)));
  value(
    store.step(item, (now) =>
      claimed(now, { call: "x", instance: "a", log: "l", run: "r", at_ms: 2 }),
    ),
  );
  expect(store.step(item, (now) => endedByPerson(now, "discarded", "ann", "no", 3)).ok).toBe(false);
  expect(store.step(item, (now) => released(now, "ann", "go", 3)).ok).toBe(false);
});

test.each([
  ["another version", { v: 2 }],
  ["an unknown state", { state: "frozen" }],
  ["no key", { idempotency_key: 7 }],
  ["no order", { seq: "1" }],
  ["a claim that is no object", { claim: "x" }],
  ["arguments without the rest", { carry: null }],
])("%s is not taken for an item", (_, change) => {
  const store = new Stored();
  const stored = store.values;
  heldItem(store, draft("c1"));
  const whole = stored.get(queueKey("c1")) as JsonObject;
  expect(readItem(whole)).toBeDefined();
  expect(readItem({ ...whole, ...change } as JsonObject)).toBeUndefined();
  expect(readItem(undefined)).toBeUndefined();
});

test("an id from outside is a call id or nothing", () => {
  expect(isItemId("01m8k3cp70htj2y4v6w8x0z2b4")).toBe(true);
  for (const text of ["", "../x", "A", "a b", "a".repeat(65)]) expect(isItemId(text)).toBe(false);
});
