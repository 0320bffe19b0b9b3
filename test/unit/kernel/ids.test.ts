import fc from "fast-check";
import { expect, test } from "vitest";
import { callId, serverNamePattern, splitToolId, toolId } from "../../../src/kernel/index.ts";

test("a tool id splits at the first colon: tool names may hold more of them", () => {
  expect(toolId("payments", "POST /payments")).toBe("payments:POST /payments");
  expect(splitToolId("a:b:c")).toEqual({ server: "a", tool: "b:c" });
  expect(splitToolId(toolId("files", "read"))).toEqual({ server: "files", tool: "read" });
});

test("a server name is a lower-case DNS label", () => {
  for (const name of ["a", "files-2", `a${"b".repeat(62)}`]) {
    expect(serverNamePattern.test(name), name).toBe(true);
  }
  for (const name of ["", "A", "2a", "-a", "a.b", "a:b", "a b", "a_b", `a${"b".repeat(63)}`]) {
    expect(serverNamePattern.test(name), name).toBe(false);
  }
});

/** Crockford base32, read as one number. */
const numberOf = (id: string): bigint =>
  [...id].reduce((sum, c) => sum * 32n + BigInt("0123456789abcdefghjkmnpqrstvwxyz".indexOf(c)), 0n);

test("a call id is a ULID: 48 bits of time, 80 bits of chance, in 26 characters", () => {
  expect(callId(1469918176385, new Uint8Array(10))).toBe("01aryz6s410000000000000000");
  const entropy = fc.uint8Array({ minLength: 10, maxLength: 12 });
  fc.assert(
    fc.property(fc.nat({ max: 2 ** 48 - 1 }), entropy, (nowMs, bytes) => {
      const id = callId(nowMs, bytes);
      const chance = bytes.subarray(0, 10).reduce((sum, byte) => sum * 256n + BigInt(byte), 0n);
      expect(id).toMatch(/^[0-9a-z]{26}$/);
      expect(numberOf(id)).toBe((BigInt(nowMs) << 80n) + chance);
    }),
  );
});

test("call ids sort by time", () => {
  const ids = [1, 31, 32, 2 ** 40, 2 ** 47].map((nowMs) =>
    callId(nowMs, new Uint8Array(10).fill(255)),
  );
  expect([...ids].sort()).toEqual(ids);
});
