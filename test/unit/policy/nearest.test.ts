/** The word that was meant: one edit in three characters, a swap of neighbours being one. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { nearestWord } from "../../../src/policy/diagnostic.ts";

test.each([
  ["hsa", ["has"], "has"],
  ["ahs", ["has"], "has"],
  ["sah", ["has"], undefined],
  ["hs", ["has"], "has"],
  ["hass", ["has"], "has"],
  ["hsx", ["has"], undefined],
  ["HAS", ["has"], "has"],
  ["abdc", ["abcd"], "abcd"],
  ["bacd", ["abcd"], "abcd"],
  ["badc", ["abcd"], undefined],
  ["badcef", ["abcdef"], "abcdef"],
  ["acb", ["xyz", "abc", "ab"], "abc"],
  ["abc", ["abd", "abe"], "abd"],
  ["abc", ["abx", "abc"], "abc"],
  ["abcdef", ["abc"], undefined],
  ["x", [], undefined],
  ["", ["a"], "a"],
])("%s among %j is %s", (word, known, meant) => {
  expect(nearestWord(word, known)).toBe(meant);
});

/** The definition, without a table. */
function distance(a: string, b: string): number {
  if (a === "" || b === "") return a.length + b.length;
  const [x, y] = [a.at(-1), b.at(-1)];
  const swapped = a.length > 1 && b.length > 1 && x === b.at(-2) && a.at(-2) === y;
  return Math.min(
    distance(a.slice(0, -1), b) + 1,
    distance(a, b.slice(0, -1)) + 1,
    distance(a.slice(0, -1), b.slice(0, -1)) + (x === y ? 0 : 1),
    swapped ? distance(a.slice(0, -2), b.slice(0, -2)) + 1 : Number.POSITIVE_INFINITY,
  );
}

test("the distance is that of its definition", () => {
  const word = fc.array(fc.constantFrom("a", "b", "c"), { maxLength: 6 }).map((w) => w.join(""));
  fc.assert(
    fc.property(word, word, (a, b) => {
      const near = distance(a, b) <= Math.max(1, Math.floor(a.length / 3));
      expect(nearestWord(a, [b])).toBe(near ? b : undefined);
    }),
  );
});
