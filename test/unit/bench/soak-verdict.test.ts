/** The verdict of a soak: a leak is called one, noise and warming up are not. */
import { expect, test } from "vitest";
import { trendOf } from "../../../bench/soak-verdict.ts";
import { Random } from "../../../src/sim/index.ts";

const random = new Random(7);
const points = (value: (minutes: number) => number) =>
  Array.from({ length: 60 }, (_, i) => ({ minutes: i + 1, value: value(i + 1) }));
const noise = (): number => random.below(1_000) / 100;
const tolerance = { share: 0.04, absolute: 1 };

test("a steady rise under noise grows, and the slope says how fast", () => {
  const trend = trendOf(
    points((minutes) => 100 + minutes * 0.5 + noise()),
    tolerance,
  );
  expect(trend.grows).toBe(true);
  expect(trend.perHour).toBeGreaterThan(25);
  expect(trend.perHour).toBeLessThan(35);
});

test("noise, one outlier, and a rise that ends in the first third do not grow", () => {
  expect(
    trendOf(
      points(() => 100 + noise()),
      tolerance,
    ).grows,
  ).toBe(false);
  expect(
    trendOf(
      points((minutes) => (minutes === 59 ? 500 : 100)),
      tolerance,
    ).grows,
  ).toBe(false);
  expect(
    trendOf(
      points((minutes) => 100 + Math.min(minutes, 20)),
      tolerance,
    ).grows,
  ).toBe(false);
});

test("a rise in stairs, as memory is taken page by page, grows", () => {
  const trend = trendOf(
    points((minutes) => 100 + 3 * Math.floor(minutes / 7)),
    tolerance,
  );
  expect(trend.grows).toBe(true);
});

test("too few samples are no verdict", () => {
  expect(() => trendOf(points(() => 1).slice(0, 4), tolerance)).toThrow(/too few/);
});
