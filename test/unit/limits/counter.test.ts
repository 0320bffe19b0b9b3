/** Counters of limits: never over the cap, whatever is asked of them and whenever. */
import fc from "fast-check";
import { expect, test } from "vitest";
import type { JsonObject } from "../../../src/kernel/index.ts";
import {
  type Cap,
  type Counter,
  counterKey,
  settleStored,
  type Taken,
  take,
  useOf,
} from "../../../src/limits/index.ts";
import { runsOf } from "../../fixtures/effort.ts";

const start = 1_800_000_000_000;
const rate = (callsMax: number, windowSeconds = 60): Cap => ({
  kind: "rate",
  callsMax,
  windowSeconds,
});
const budget = (max: number, period: "day" | "week" | "month" = "day"): Cap => ({
  kind: "budget",
  unit: "micro_usd",
  max,
  period,
});
const counterOf = (cap: Cap): Counter => ({ limit: "l", cap, each: { agent: "desk" } });

let calls = 0;
/** A stored counter that calls are taken from. */
class Stored {
  value: JsonObject | undefined;
  readonly #counter: Counter;

  constructor(cap: Cap) {
    this.#counter = counterOf(cap);
  }

  take(nowMs: number, amount = 1, call = `call-${++calls}`, run = "1", instance = "g"): Taken {
    const taken = take(this.#counter, this.value, nowMs, { call, amount, instance, run });
    if (taken === undefined) throw new Error("misread");
    // As the store keeps it.
    if (taken.ok) this.value = JSON.parse(JSON.stringify(taken.stored));
    return taken;
  }

  settle(call: string, charged: boolean): void {
    this.value = settleStored(this.value, call, charged) ?? this.value;
  }

  use(nowMs: number) {
    const use = useOf(this.value ?? {}, nowMs);
    if (use === undefined) throw new Error("misread");
    return use;
  }
}

test("theorem: never more than the cap in any window, of any length", () => {
  const windows = fc.constantFrom(1, 7, 60, 61, 3_600, 86_400, 2_592_000);
  const gaps = fc.array(fc.integer({ min: 0, max: 400 }), { maxLength: 80 });
  fc.assert(
    fc.property(windows, gaps, fc.integer({ min: 1, max: 8 }), (seconds, waits, max) => {
      const stored = new Stored(rate(max, seconds));
      const passed: number[] = [];
      let now = start;
      for (const wait of waits) {
        now += wait * seconds;
        if (stored.take(now).ok) passed.push(now);
      }
      for (const from of passed) {
        const within = passed.filter((at) => at >= from && at < from + seconds * 1_000);
        expect(within.length).toBeLessThanOrEqual(max);
      }
    }),
    { numRuns: runsOf(200) },
  );
});

test("theorem: a refusal by a rate says to the millisecond when there is room", () => {
  const gaps = fc.array(fc.integer({ min: 0, max: 9_000 }), { maxLength: 40 });
  let refusals = 0;
  fc.assert(
    fc.property(gaps, fc.integer({ min: 1, max: 5 }), (waits, max) => {
      const stored = new Stored(rate(max));
      let now = start + 137;
      for (const wait of waits) {
        now += wait;
        const taken = stored.take(now);
        if (taken.ok) continue;
        refusals += 1;
        const room = now + (taken.roomInMs ?? Number.NaN);
        const before = stored.value;
        expect(stored.take(room - 1).ok).toBe(false);
        expect(stored.take(room).ok).toBe(true);
        stored.value = before;
        expect(stored.use(now).roomAtMs).toBe(room);
      }
    }),
    { numRuns: runsOf(100) },
  );
  expect(refusals).toBeGreaterThan(0);
});

test("a cap that was lowered: room is when enough calls have left, not the first", () => {
  const wide = new Stored(rate(3));
  for (const at of [0, 10_000, 20_000]) expect(wide.take(start + at).ok).toBe(true);
  const narrow = new Stored(rate(2));
  narrow.value = wide.value;
  expect(narrow.take(start + 21_000)).toMatchObject({ ok: false, roomInMs: 50_000 });
});

test("theorem: a clock that wavers gives nobody more", () => {
  const steps = fc.array(fc.integer({ min: -50_000, max: 900 }), { minLength: 1, maxLength: 60 });
  fc.assert(
    fc.property(steps, (offsets) => {
      const stored = new Stored(rate(5));
      // Real time passes for less than a minute, whatever the clock shows.
      const taken = offsets.filter((by, at) => stored.take(start + at * 900 + by).ok);
      expect(taken.length).toBeLessThanOrEqual(5);
    }),
  );
});

test("a clock that goes far back keeps what was counted, and time passes again from there", () => {
  const stored = new Stored(rate(3));
  for (let i = 0; i < 3; i++) stored.take(start);
  const back = start - 7_200_000;
  expect(stored.take(back)).toMatchObject({ ok: false, roomInMs: 61_000 });
  const spent = new Stored(rate(3));
  spent.value = { ...stored.value, newest: Math.floor(back / 1_000) };
  expect(spent.take(back + 61_000).ok).toBe(true);
});

test("a rate of nothing never has room, and does not say when", () => {
  const taken = new Stored(rate(0)).take(start);
  expect(taken).toEqual({ ok: false, left: 0 });
});

/** Steps of calls: reserved with an amount, some settled, some left, in times that pass and runs that end. */
const steps = fc.array(
  fc.record({
    waitHours: fc.constantFrom(0, 0, 1, 7, 30, 24 * 8, 24 * 40),
    amount: fc.integer({ min: 0, max: 50 }),
    outcome: fc.constantFrom("charged", "not_sent", "left"),
    dies: fc.boolean(),
  }),
  { maxLength: 60 },
);

test("theorem: never overspent in a period; a restart loses nothing of it", () => {
  const periods = fc.constantFrom("day" as const, "week" as const, "month" as const);
  fc.assert(
    fc.property(periods, steps, fc.integer({ min: 1, max: 120 }), (period, all, max) => {
      const stored = new Stored(budget(max, period));
      const spent = new Map<string, number>();
      let now = start;
      let run = 1;
      for (const { waitHours, amount, outcome, dies } of all) {
        now += waitHours * 3_600_000;
        if (dies) run += 1;
        const call = `call-${++calls}`;
        if (!stored.take(now, amount, call, `${run}`).ok) continue;
        if (outcome !== "left") stored.settle(call, outcome === "charged");
        if (outcome === "not_sent") continue;
        const name = nameOf(period, now);
        spent.set(name, (spent.get(name) ?? 0) + amount);
        expect(spent.get(name)).toBeLessThanOrEqual(max);
        expect(stored.use(now).used).toBe(spent.get(name));
      }
    }),
    { numRuns: runsOf(200) },
  );
});

/** By the calendar of JavaScript, which the rules do not use. */
function nameOf(period: "day" | "week" | "month", ms: number): string {
  const date = new Date(ms);
  if (period === "month") return date.toISOString().slice(0, 7);
  if (period === "day") return date.toISOString().slice(0, 10);
  const monday = new Date(ms - ((date.getUTCDay() + 6) % 7) * 86_400_000);
  return monday.toISOString().slice(0, 10);
}

test("periods begin and end as the calendar says, from 1970 to 2200", () => {
  for (let ms = 86_400_003 * 9; ms < 7_258_118_400_000; ms += 86_400_000 * 9.71)
    for (const period of ["day", "week", "month"] as const) {
      const stored = new Stored(budget(1, period));
      stored.take(ms);
      const { resetsAtMs } = stored.use(ms);
      expect(nameOf(period, resetsAtMs - 1)).toBe(nameOf(period, ms));
      expect(nameOf(period, resetsAtMs)).not.toBe(nameOf(period, ms));
      expect(stored.take(resetsAtMs - 1).ok).toBe(false);
      expect(stored.take(resetsAtMs).ok).toBe(true);
    }
});

test("a refusal by a budget says what is left and when it begins anew; what never fits has no when", () => {
  const stored = new Stored(budget(100));
  stored.take(start, 70);
  const midnight = Math.ceil(start / 86_400_000) * 86_400_000;
  expect(stored.take(start, 31)).toEqual({ ok: false, left: 30, roomInMs: midnight - start });
  expect(stored.take(start, 101)).toEqual({ ok: false, left: 30 });
  expect(stored.take(start, 100)).toMatchObject({ roomInMs: midnight - start });
  expect(stored.take(start, 30).ok).toBe(true);
});

test("what is reserved counts as spent; settling charges it or gives it back, once", () => {
  const stored = new Stored(budget(100));
  stored.take(start, 70, "c1");
  expect(stored.use(start).used).toBe(70);
  stored.settle("c1", true);
  stored.settle("c1", false);
  expect([stored.use(start).used, stored.value?.["reserved"]]).toEqual([70, {}]);
  stored.take(start, 30, "c2");
  stored.settle("c2", false);
  expect(stored.use(start).used).toBe(70);
  expect(settleStored(stored.value, "c2", true)).toBeUndefined();
  expect(settleStored(undefined, "c2", true)).toBeUndefined();
});

test("a call belongs to the period in which it reserved; a period never comes twice", () => {
  const stored = new Stored(budget(100));
  stored.take(start, 70, "late");
  const tomorrow = start + 86_400_000;
  expect(stored.take(tomorrow, 100, "c").ok).toBe(true);
  stored.settle("late", true);
  expect(stored.use(tomorrow).used).toBe(100);
  expect(stored.take(start, 1).ok).toBe(false);
});

test("what a dead gateway left reserved is charged; that of others stays", () => {
  const stored = new Stored(budget(100));
  stored.take(start, 10, "c1", "1", "dead");
  stored.take(start, 20, "c2", "1", "alive");
  stored.take(start, 1, "c3", "2", "dead");
  stored.take(start, 2, "c4", "2", "dead");
  expect(stored.value).toMatchObject({ spent: 10, reserved: { c2: {}, c3: {}, c4: {} } });
  stored.settle("c3", false);
  expect(stored.use(start)).toMatchObject({ used: 32, left: 68 });
});

test("1,024 reservations at most are kept: the oldest is charged", () => {
  const stored = new Stored(budget(10_000));
  stored.take(start, 0);
  const gone = { amount: 1, instance: "gone", run: "1" };
  const names = Array.from({ length: 1_024 }, (_, i) => [`call-${10_000 + i}`, gone] as const);
  stored.value = {
    ...stored.value,
    reserved: Object.fromEntries([...names.slice(9), ...names.slice(0, 9)].toReversed()),
  };
  stored.take(start, 1, "call-99999");
  expect(stored.value).toMatchObject({ spent: 1 });
  expect(stored.value?.["reserved"]).not.toHaveProperty("call-10000");
  stored.settle("call-10000", false);
  expect(stored.use(start).used).toBe(1_025);
});

test("how full a counter is, and when it is empty", () => {
  const stored = new Stored(rate(3, 3_600));
  expect(stored.take(start).ok).toBe(true);
  stored.take(start + 600_000);
  const now = start + 660_000;
  expect(stored.use(now)).toEqual({
    limit: "l",
    each: { agent: "desk" },
    cap: rate(3, 3_600),
    used: 2,
    max: 3,
    left: 1,
    resetsAtMs: start + 600_000 + 61 * 60_000,
  });
  expect(stored.use(start + 8_000_000)).toMatchObject({ used: 0, resetsAtMs: start + 8_000_000 });
  // The cap was lowered to nothing since.
  stored.value = { ...stored.value, calls_max: 0 };
  expect(stored.use(now)).toMatchObject({ used: 2, max: 0, left: 0 });
  expect(stored.use(now)).not.toHaveProperty("roomAtMs");
});

test("a counter is one limit, what it counts, and whom; names of any length and form have a key", () => {
  const key = (limit: string, cap: Cap, each: Record<string, string> = {}): string =>
    counterKey({ limit, cap, each });
  expect(key("refunds", rate(5, 60), { agent: "a/b", tool: "s:GET /x" })).toBe(
    "limits/count/refunds/calls-in-60-s/agent%3Da%2Fb/tool%3Ds%3AGET%20%2Fx",
  );
  expect(key("refunds", budget(5, "week"))).toBe("limits/count/refunds/micro_usd-per-week");
  expect(key("refunds", rate(6, 60))).toBe(key("refunds", rate(5, 60)));
  const long = ["x".repeat(5_000), `${"x".repeat(4_999)}y`, "\ud800"].map((tool) =>
    key("l", rate(1), { tool }),
  );
  expect(new Set(long).size).toBe(3);
  for (const each of long) expect(each).toMatch(/^limits\/count\/sha256-[0-9a-f]{64}$/);
});

test("what this Holdfast has not stored is neither counted on nor shown", () => {
  const good = new Stored(rate(1));
  good.take(start);
  const strange: readonly JsonObject[] = [
    {},
    { newest: -1, counts: [] },
    { newest: 1, counts: [0.5] },
    { newest: 1, counts: [1, "1"] },
    { newest: "1", counts: [] },
    { newest: 1, counts: new Array(62).fill(1) },
  ];
  const taker = { call: "c", amount: 1, instance: "g", run: "1" };
  for (const wrong of strange)
    expect(take(counterOf(rate(1)), wrong, start, taker)).toBeUndefined();
  for (const wrong of [
    {},
    { start_ms: "x", spent: 0, reserved: {} },
    { start_ms: 1, spent: -1, reserved: {} },
    { start_ms: 1, spent: 0, reserved: { c: 1 } },
    { start_ms: 1, spent: 0, reserved: { c: null } },
    { start_ms: 1, spent: 0, reserved: { c: { amount: 1, run: "1" } } },
    { start_ms: 1, spent: 0, reserved: { c: { amount: 1, instance: "g" } } },
    { start_ms: 1, spent: 0, reserved: { c: { amount: "1", instance: "g", run: "1" } } },
    { start_ms: 1, spent: 0, reserved: { c: { amount: 0.5, instance: "g", run: "1" } } },
  ])
    expect(take(counterOf(budget(1)), wrong, start, taker)).toBeUndefined();
  for (const change of [
    { limit: 1 },
    { each: [] },
    { each: { agent: 1 } },
    { each: { agent: "desk", tool: 1 } },
    { window_seconds: "60" },
    { calls_max: "1" },
    { window_seconds: 0 },
    { counts: "x" },
  ])
    expect(useOf({ ...good.value, ...change }, start)).toBeUndefined();
  const money = new Stored(budget(1));
  money.take(start);
  for (const unit of ["micro_usd", "calls", "tokens"])
    expect(useOf({ ...money.value, unit }, start)?.cap).toMatchObject({ unit });
  for (const change of [{ unit: "eur" }, { period: "year" }, { max: "1" }, { spent: "x" }])
    expect(useOf({ ...money.value, ...change }, start)).toBeUndefined();
});
