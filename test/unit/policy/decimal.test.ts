import { expect, test } from "vitest";
import { add, divide, multiply, remainder, subtract } from "../../../src/policy/decimal.ts";

test("decimals are exact", () => {
  expect(add(0.1, 0.2)).toBe(0.3);
  expect(subtract(1_000_000.1, 1_000_000)).toBe(0.1);
  expect(multiply(1.1, 1.1)).toBe(1.21);
  expect(divide(5, 2)).toBe(2.5);
  expect(divide(10, 3)).toBe(3.333333);
  expect(divide(-10, 3)).toBe(-3.333333);
  expect(remainder(-7, 3)).toBe(-1);
});

test("what needs more digits than are computed with has no value", () => {
  expect(add(2 ** 53 - 1, 1)).toBeUndefined();
  expect(multiply(2 ** 27, 2 ** 27)).toBeUndefined();
  expect(add(100_000_000_000_000, 0.25)).toBeUndefined();
  expect(multiply(1e-8, 1e-8)).toBeUndefined();
  expect(add(0.1234567890123456, 0)).toBeUndefined();
  expect(divide(1e13, 7)).toBeUndefined();
  expect(remainder(1.5, 1)).toBeUndefined();
});

test("zero has no sign", () => {
  expect(Object.is(remainder(-4, 2), 0)).toBe(true);
  expect(Object.is(multiply(-1, 0), 0)).toBe(true);
  expect(Object.is(divide(0, -5), 0)).toBe(true);
  expect(Object.is(multiply(-0.5, 0), 0)).toBe(true);
});
