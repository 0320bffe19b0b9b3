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

test("15 digits are computed with, and all whole numbers within 2^53 - 1", () => {
  expect(add(0.123456789012345, 0)).toBe(0.123456789012345);
  expect(multiply(1e-8, 1e-7)).toBe(1e-15);
  expect(add(2 ** 53 - 2, 1)).toBe(2 ** 53 - 1);
  expect(subtract(2 ** 53 - 1, 1)).toBe(2 ** 53 - 2);
  expect(divide(2 ** 53 - 1, 1)).toBe(2 ** 53 - 1);
  expect(divide(999_999_999, 1_000_000_007)).toBe(0.999999);
});

test("a 16th digit has no value, in an operand, in the common form, or in the result", () => {
  const long = 0.1234567890123456;
  for (const apply of [add, subtract, multiply, divide]) {
    expect(apply(1, long)).toBeUndefined();
    expect(apply(long, 1)).toBeUndefined();
  }
  expect(subtract(100_000_000_000_000, 99_999_999_999_999.5)).toBeUndefined();
  expect(subtract(99_999_999_999_999.5, 100_000_000_000_000)).toBeUndefined();
  expect(add(99_999_999_999_999.5, 0.5)).toBeUndefined();
  expect(divide(1e9, 3e9)).toBeUndefined();
  expect(remainder(1, 2 ** 53)).toBeUndefined();
  expect(remainder(2 ** 53, 3)).toBeUndefined();
});
