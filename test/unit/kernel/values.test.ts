import { expect, test } from "vitest";
import {
  assert,
  InvariantError,
  isJsonArray,
  isJsonObject,
  unreachable,
} from "../../../src/kernel/index.ts";

test("arrays, null and scalars are no objects; only arrays are arrays", () => {
  const values = [null, true, 1, "a", [], ["a"], {}, Object.create(null), undefined];
  expect(values.map(isJsonObject)).toEqual([...Array(6).fill(false), true, true, false]);
  expect(values.filter(isJsonArray)).toEqual([[], ["a"]]);
});

test("a broken invariant throws, says what must be true, and is known by its name", () => {
  expect(() => assert(1 + 1 === 2, "sums hold")).not.toThrow();
  expect(() => assert(0, "a size is positive")).toThrow(new InvariantError("a size is positive"));
  expect(() => unreachable({ kind: "new" } as never)).toThrow(
    new InvariantError('unreachable: {"kind":"new"}'),
  );
  expect(new InvariantError("x")).toMatchObject({ name: "InvariantError", message: "x" });
});
