/** Rate windows and budgets as values. */
import fc from "fast-check";
import { expect, test } from "vitest";
import {
  budgetAt,
  budgetJson,
  committedMicroUsd,
  countedIn,
  emptyBudget,
  emptyWindow,
  type RateWindow,
  rateWindowJson,
  readBudget,
  readRateWindow,
  retryAfterMs,
  settled,
  windowAt,
  withCall,
  withoutAbandoned,
  withReservation,
} from "../../../src/limits/index.ts";

const start = 1_800_000_000_000;

/** Takes a call if there is room; the window after, and whether there was. */
function take(window: RateWindow, nowMs: number, max: number): readonly [RateWindow, boolean] {
  const now = windowAt(window, nowMs);
  return countedIn(now) < max ? [withCall(now), true] : [now, false];
}

test("theorem: never more than the cap in any sixty seconds", () => {
  const gaps = fc.array(fc.integer({ min: 0, max: 20_000 }), { maxLength: 80 });
  fc.assert(
    fc.property(gaps, fc.integer({ min: 1, max: 8 }), (waits, max) => {
      const passed: number[] = [];
      let window = emptyWindow;
      let now = start;
      for (const wait of waits) {
        now += wait;
        const [next, took] = take(window, now, max);
        window = next;
        if (took) passed.push(now);
      }
      for (const from of passed)
        expect(passed.filter((at) => at >= from && at < from + 60_000).length).toBeLessThanOrEqual(
          max,
        );
    }),
  );
});

test("theorem: a clock that wavers gives nobody more", () => {
  const steps = fc.array(fc.integer({ min: -50_000, max: 900 }), { minLength: 1, maxLength: 60 });
  fc.assert(
    fc.property(steps, (offsets) => {
      let window = emptyWindow;
      let taken = 0;
      // Real time passes for less than a minute, whatever the clock shows.
      for (const [at, offset] of offsets.entries()) {
        const [next, took] = take(window, start + at * 900 + offset, 5);
        window = next;
        if (took) taken += 1;
      }
      expect(taken).toBeLessThanOrEqual(5);
    }),
  );
});

test("there is room again after a minute and a second, as it was said", () => {
  let window = emptyWindow;
  for (let i = 0; i < 3; i++) [window] = take(window, start + i * 1_000, 3);
  const [full, took] = take(window, start + 3_000, 3);
  expect(took).toBe(false);
  expect(take(full, start + 3_000 + retryAfterMs(full) - 1_000, 3)[1]).toBe(false);
  expect(take(full, start + 3_000 + retryAfterMs(full), 3)[1]).toBe(true);
});

test("a clock that goes far back keeps what was counted, and time passes again from there", () => {
  let window = emptyWindow;
  for (let i = 0; i < 3; i++) [window] = take(window, start, 3);
  const back = start - 7_200_000;
  expect(take(window, back, 3)[1]).toBe(false);
  expect(take(windowAt(window, back), back + 61_000, 3)[1]).toBe(true);
});

test("windows and budgets read back as they were stored, and nothing else is taken for one", () => {
  const [window] = take(emptyWindow, start, 3);
  expect(readRateWindow(rateWindowJson(window))).toEqual(window);
  expect(readRateWindow(undefined)).toEqual(emptyWindow);
  const budget = withReservation(budgetAt(emptyBudget, start), "c", {
    microUsd: 5,
    instance: "g",
    run: "1",
  });
  expect(readBudget(budgetJson(budget))).toEqual(budget);
  expect(readBudget(undefined)).toEqual(emptyBudget);
  for (const wrong of [
    {},
    { newest: -1, counts: [] },
    { newest: 1, counts: [0.5] },
    { newest: 1, counts: new Array(62).fill(1) },
  ])
    expect(readRateWindow(wrong)).toBeUndefined();
  for (const wrong of [
    {},
    { day: "x", spent_micro_usd: 0, reserved: {} },
    { day: 1, spent_micro_usd: -1, reserved: {} },
    { day: 1, spent_micro_usd: 0, reserved: { c: 1 } },
    { day: 1, spent_micro_usd: 0, reserved: { c: { micro_usd: 1 } } },
    { day: 1, spent_micro_usd: 0, reserved: { c: { micro_usd: 1, instance: "g" } } },
  ])
    expect(readBudget(wrong)).toBeUndefined();
});

test("what is reserved counts as spent; settling charges it or gives it back, once", () => {
  const day = budgetAt(emptyBudget, start);
  const reserved = withReservation(day, "c1", { microUsd: 70, instance: "g", run: "1" });
  expect(committedMicroUsd(reserved)).toBe(70);
  const charged = settled(reserved, "c1", true);
  expect([committedMicroUsd(charged), charged.reserved]).toEqual([70, {}]);
  expect(settled(charged, "c1", true)).toBe(charged);
  expect(committedMicroUsd(settled(reserved, "c1", false))).toBe(0);
});

test("a new day begins at nothing spent, but what is under way counts on; a day never comes twice", () => {
  const spent = settled(
    withReservation(budgetAt(emptyBudget, start), "c1", { microUsd: 70, instance: "g", run: "1" }),
    "c1",
    true,
  );
  const open = withReservation(spent, "c2", { microUsd: 30, instance: "g", run: "1" });
  const tomorrow = budgetAt(open, start + 86_400_000);
  expect(committedMicroUsd(tomorrow)).toBe(30);
  expect(budgetAt(tomorrow, start)).toBe(tomorrow);
});

test("what a dead gateway left reserved is charged; that of others stays", () => {
  const day = budgetAt(emptyBudget, start);
  const one = withReservation(day, "c1", { microUsd: 10, instance: "dead", run: "1" });
  const two = withReservation(one, "c2", { microUsd: 20, instance: "alive", run: "1" });
  expect(withoutAbandoned(two, "dead", "1")).toBe(two);
  const left = withoutAbandoned(two, "dead", "2");
  expect([left.spentMicroUsd, Object.keys(left.reserved)]).toEqual([10, ["c2"]]);
  expect(withoutAbandoned(left, "dead", "2")).toBe(left);
});
