import { expect, test } from "vitest";
import { type Identity, VerifiedTokens } from "../../../src/identity/index.ts";

const identity = (expiresAtMs: number): Identity => ({
  agent: "a",
  tenant: "t",
  delegation: [],
  how: "jwt",
  expiresAtMs,
  properties: {},
});
const at = (wallMs: number, monotonicMs = wallMs) => ({ wallMs, monotonicMs });

test("answers until the token expires, not at it", () => {
  const cache = new VerifiedTokens(10);
  cache.put("d", identity(2000), at(1000));
  expect(cache.get("d", at(1999))).toBeDefined();
  expect(cache.get("d", at(2000))).toBeUndefined();
  expect(cache.get("d", at(1999))).toBeUndefined();
});

test("a wall clock set back revives nothing and lengthens nothing", () => {
  const cache = new VerifiedTokens(10);
  cache.put("d", identity(2000), at(1000, 0));
  expect(cache.get("d", at(999, 1))).toBeUndefined();
  cache.put("d", identity(2000), at(1000, 0));
  // The wall clock was set back by a second while 1.5 s passed.
  expect(cache.get("d", at(1500, 1500))).toBeUndefined();
});

test("a wall clock set forward expires at once", () => {
  const cache = new VerifiedTokens(10);
  cache.put("d", identity(2000), at(1000, 0));
  expect(cache.get("d", at(5000, 1))).toBeUndefined();
});

test("keeps no expired token, and no more than its bound: the least used leaves", () => {
  const cache = new VerifiedTokens(2);
  cache.put("late", identity(1000), at(1000));
  expect(cache.size).toBe(0);
  for (const digest of ["a", "b"]) cache.put(digest, identity(2000), at(1000));
  cache.get("a", at(1001));
  cache.put("c", identity(2000), at(1001));
  expect(["a", "b", "c"].map((digest) => cache.get(digest, at(1002)) !== undefined)).toEqual([
    true,
    false,
    true,
  ]);
});
