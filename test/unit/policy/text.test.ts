/** Text is counted and ordered by code points, as CEL and OPA do it, and not by UTF-16 as JavaScript does. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { compareText, sizeOfText } from "../../../src/policy/values.ts";

const edges = fc.constantFrom(
  "",
  "a",
  "b",
  "\ud7ff",
  "\ue000",
  "\uffff",
  "\u{10000}",
  "\u{10ffff}",
);
const text = fc.array(edges, { maxLength: 4 }).map((parts) => parts.join(""));

test("order is that of the UTF-8 bytes", () => {
  fc.assert(
    fc.property(text, text, (a, b) => {
      const bytes = Buffer.compare(Buffer.from(a), Buffer.from(b));
      expect(Math.sign(compareText(a, b))).toBe(bytes);
    }),
  );
  expect(compareText("\uffff", "\u{10000}")).toBeLessThan(0);
  expect("\uffff" < "\u{10000}").toBe(false);
});

test("size is the number of code points", () => {
  fc.assert(
    fc.property(text, (a) => {
      expect(sizeOfText(a)).toBe([...a].length);
    }),
  );
  expect(sizeOfText("\ud800a\udc00")).toBe(3);
});
