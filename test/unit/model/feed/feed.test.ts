/** Hostile names and broken events: bounded or refused, and the same every time. */
import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import "../../../fixtures/fixed-seed.ts";
import { isWellFormed } from "../../../../src/kernel/index.ts";
import {
  boundedName,
  boundedText,
  faultOf,
  isHostileName,
  type ModelEvent,
} from "../../../../src/model/index.ts";
import { runsOf } from "../../../fixtures/effort.ts";
import { fact, traffic } from "../../../fixtures/model-events.ts";

describe("a name", () => {
  test.each([
    ["cart", "cart"],
    ["/api/{id} ü 日本", "/api/{id} ü 日本"],
    ["__proto__", "__proto__"],
    ["a\u0000b\u001b[31m", "a\\u{0}b\\u{1b}[31m"],
    ["user\u202egnp.exe", "user\\u{202e}gnp.exe"],
    ["zero\u200bwidth", "zero\\u{200b}width"],
    ["half \ud800", "half \\u{d800}"],
  ])("%j is kept as %j", (name, kept) => {
    expect(boundedName(name)).toBe(kept);
    expect(isHostileName(name)).toBe(name !== kept);
  });

  test("of a megabyte is short, and still told from another", () => {
    const [a, b] = [`${"x".repeat(1_000_000)}a`, `${"x".repeat(1_000_000)}b`];
    expect(boundedName(a)).toHaveLength(255);
    expect(boundedName(a)).not.toBe(boundedName(b));
    expect(boundedName(a)).toBe(boundedName(a));
    expect(isHostileName(a)).toBe(true);
  });

  test("whatever it is, can be stored and is bounded", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 600 }), (name) => {
        const kept = boundedName(name);
        expect(kept.length).toBeLessThanOrEqual(256);
        expect(isWellFormed(kept)).toBe(true);
        expect(boundedName(kept)).toBe(kept);
        expect(isWellFormed(boundedText(name))).toBe(true);
      }),
      { numRuns: runsOf(500) },
    );
  });

  test("text for people keeps its lines", () => {
    expect(boundedText("a\n\tb\u0007")).toBe("a\n\tb\\u{7}");
    expect(boundedText("x".repeat(10_000))).toHaveLength(4_096);
  });
});

describe("an event that cannot be kept is refused by its member", () => {
  const well = fact(1, "service:a", "spec", { deep: [1, "x"] });
  test.each<[string, Partial<ModelEvent> | object, string]>([
    ["no time", { at: Number.NaN }, "at: NaN is no time"],
    ["a time beyond dates", { knownAt: 1e300 }, "knownAt: 1e+300 is no time"],
    ["no id", { id: "" }, "id: has 0 characters"],
    ["no node", { node: "cart" }, 'node: "cart" is no node id'],
    ["an unknown kind", { node: "planet:mars" }, 'node: "planet:mars" is no node id'],
    ["a long node", { node: `service:${"x".repeat(600)}` }, "node: a name of 608 characters"],
    ["a number that is none", { value: { deep: [1, Infinity] } }, "value.deep.1: Infinity"],
    ["half a character", { value: { deep: "\udc00" } }, "value.deep: half a character"],
  ])("%s", (_, member, says) => {
    expect(faultOf(well)).toBeUndefined();
    expect(faultOf({ ...well, ...member } as ModelEvent)).toContain(says);
  });

  test("every node of it is looked at", () => {
    expect(faultOf(traffic(1, null, "service:a"))).toBeUndefined();
    expect(faultOf(traffic(1, "a", "service:a"))).toContain("node:");
  });
});

test("the naughty strings of others are kept visible", () => {
  // A few of each class that such lists hold, written out here.
  const naughty = JSON.parse(readFileSync("test/fixtures/naughty-names.json", "utf8")) as string[];
  for (const name of naughty)
    expect(faultOf(fact(1, `service:${boundedName(name)}`, "s", {}))).toBeUndefined();
});
