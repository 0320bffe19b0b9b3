import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { rateChange } from "../../../../../src/model/why/signals/rates.ts";
import { slowerThan } from "../../../../../src/model/why/signals/slow-calls.ts";
import {
  median,
  natsOf,
  normalOf,
  rateChangeNats,
  weightedMedian,
} from "../../../../../src/model/why/signals/statistics.ts";

test("a median is the middle, between two the mean; outliers move neither it nor the scale", () => {
  expect(median([3, 1, 2])).toBe(2);
  expect(median([4, 1, 2, 3])).toBe(2.5);
  const calm = normalOf([10, 11, 9, 10, 11, 9, 10], 0.1);
  const wild = normalOf([10, 11, 9, 10, 11, 9, 1_000], 0.1);
  expect(wild.middle).toBe(calm.middle);
  expect(wild.scale).toBeLessThan(2 * calm.scale);
});

test("a weighted median stands where half of the weight lies below", () => {
  expect(
    weightedMedian([
      [3, 4],
      [1_997, 1],
    ]),
  ).toBe(3);
  expect(
    weightedMedian([
      [1, 1],
      [2, 1],
      [3, 5],
    ]),
  ).toBe(3);
});

test("evidence grows with the logarithm of a deviation and begins where noise ends", () => {
  expect(natsOf(2.9)).toBe(0);
  expect(natsOf(103)).toBeLessThan(2 * natsOf(13));
});

describe("a change of a rate", () => {
  const count = fc.integer({ min: 0, max: 60 });
  const runs = fc.integer({ min: 1, max: 60 });

  test("is no evidence where rates are the same, and is never against", () => {
    fc.assert(
      fc.property(count, runs, count, runs, (k, n, pastK, pastN) => {
        expect(rateChangeNats(k, n, pastK, pastN)).toBeGreaterThanOrEqual(0);
        expect(rateChangeNats(k, n, k * 3, n * 3)).toBeCloseTo(0, 9);
      }),
    );
  });

  test("weighs more the more often it was seen", () => {
    expect(rateChangeNats(20, 20, 1, 40)).toBeGreaterThan(4 * rateChangeNats(2, 2, 0.1, 4));
  });

  test("needs to lie beyond the windows of the past, but for the one most like now", () => {
    const now = [{ events: 9, runs: 10 }];
    const old = { events: 0, runs: 10 };
    expect(rateChange([old, { events: 10, runs: 10 }], now)).toBeUndefined();
    expect(rateChange([old, old, { events: 10, runs: 10 }], now)?.more).toBe(true);
    expect(rateChange([], now)).toBeUndefined();
  });
});

test("calls are slower by their ratio, and surer the more there are", () => {
  const past = [{ quantiles: { p50: 9, p90: 14, max: 19 }, count: 50 }];
  const now = (count: number) => ({ quantiles: { p50: 99, p90: 120, max: 150 }, count });
  expect(slowerThan(past, now(5)).ratio).toBeCloseTo(Math.log(10), 9);
  expect(slowerThan(past, now(10)).surprise).toBeCloseTo(2 * slowerThan(past, now(5)).surprise, 9);
  expect(slowerThan(past, { quantiles: { p50: 8, p90: 9, max: 9 }, count: 50 })).toEqual({
    ratio: 0,
    surprise: 0,
  });
});
