import fc from "fast-check";
import { expect, test } from "vitest";
import {
  canonicalJson,
  digestOf,
  type JsonValue,
  parseJsonStrict,
  sha256,
  sha256Hex,
} from "../../../src/kernel/index.ts";
import { runsOf } from "../../fixtures/effort.ts";

test("sorts by UTF-16 code units, not by code points", () => {
  // U+1F600 begins with the unit d83d, which is before fb33, though its code point is after.
  const value = { "\ufb33": 1, "\u{1f600}": 2, "\r": 3, "1": 4, "10": 5, "2": 6 };
  expect(canonicalJson(value)).toBe('{"\\r":3,"1":4,"10":5,"2":6,"\u{1f600}":2,"\ufb33":1}');
});

const numbers: readonly [number, string][] = [
  [-0, "0"],
  [1e21, "1e+21"],
  [1e-7, "1e-7"],
  [0.000001, "0.000001"],
  [333333333.3333333, "333333333.3333333"],
  [5e-324, "5e-324"],
];
for (const [number, text] of numbers) {
  test(`writes ${text}`, () => expect(canonicalJson([number])).toBe(`[${text}]`));
}

test("has no text for what is not JSON", () => {
  for (const value of [Number.NaN, Number.POSITIVE_INFINITY, "\ud800", undefined, 1n]) {
    expect(() => canonicalJson(value as JsonValue)).toThrow(/canonical JSON/);
  }
  expect(() => canonicalJson({ "\udc00": 1 })).toThrow(/surrogate/);
});

test("ordered and unordered values, down to any depth, are written alike", () => {
  const ordered = {
    a: [{ b: "\\ud800 is text", c: { d: "é\u2028" } }],
    e: { f: { g: { h: 1, i: [] } } },
  };
  const mixed = {
    e: { f: { g: { i: [], h: 1 } } },
    a: [{ c: { d: "é\u2028" }, b: "\\ud800 is text" }],
  };
  const text =
    '{"a":[{"b":"\\\\ud800 is text","c":{"d":"é\u2028"}}],"e":{"f":{"g":{"h":1,"i":[]}}}}';
  expect(canonicalJson(ordered)).toBe(text);
  expect(canonicalJson(mixed)).toBe(text);
  expect(() => canonicalJson({ a: { b: ["\ud800"] } })).toThrow(/surrogate/);
  expect(() => canonicalJson({ a: { b: [Number.NaN] } })).toThrow(/finite/);
  expect(() => canonicalJson({ a: undefined } as unknown as JsonValue)).toThrow(/canonical JSON/);
});

test("a value has one text whatever the order of its members, and the text gives the value back", () => {
  fc.assert(
    fc.property(fc.jsonValue({ noUnicodeString: false }), (value) => {
      const reversed = (held: unknown): unknown => {
        if (Array.isArray(held)) return held.map(reversed);
        if (typeof held !== "object" || held === null) return held;
        const entries = Object.entries(held).map(
          ([name, inner]) => [name, reversed(inner)] as const,
        );
        return Object.fromEntries(entries.reverse());
      };
      const text = canonicalJson(value as JsonValue);
      expect(canonicalJson(reversed(value) as JsonValue)).toBe(text);
      const again = parseJsonStrict(new TextEncoder().encode(text));
      if (again.ok) expect(canonicalJson(again.value)).toBe(text);
      else expect(again.error.kind).toBe("unsafe_number");
    }),
    { numRuns: runsOf(500) },
  );
});

test("digests are SHA-256 over the UTF-8 of the canonical text", () => {
  // FIPS 180-4 example: "abc".
  const abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
  expect(sha256Hex("abc")).toBe(abc);
  expect(Buffer.from(sha256(new TextEncoder().encode("abc"))).toString("hex")).toBe(abc);
  expect(digestOf({ b: 1, a: "é" })).toBe(`sha256:${sha256Hex('{"a":"é","b":1}')}`);
});
