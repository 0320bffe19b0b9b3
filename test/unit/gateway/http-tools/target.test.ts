/** The request target has one meaning, or is refused. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  readParameters,
  readPath,
  writeParameters,
  writePath,
} from "../../../../src/gateway/http-tools/target.ts";

describe("a path is refused", () => {
  const refused: readonly (readonly [path: string, finds: RegExp])[] = [
    ["/a/../b", /dot segment/],
    ["/a/./b", /dot segment/],
    ["/a/%2e%2e/b", /dot segment/],
    ["/a/.%2E/b", /dot segment/],
    ["/a/..;x=1/b", /dot segment/],
    ["/a/..", /dot segment/],
    ["/a//b", /empty segment/],
    ["//a", /empty segment/],
    ["/a%2fb", /encoded slash/],
    ["/a%2Fb", /encoded slash/],
    ["/a%5cb", /backslash/],
    ["/a\\b", /must be percent-encoded/],
    ["/a%00", /control character/],
    ["/a%0d%0ab", /control character/],
    ["/a%7f", /control character/],
    ["/a%252fb", /double percent-encoding/],
    ["/a%252e%252e", /double percent-encoding/],
    ["/a%", /two hexadecimal digits/],
    ["/a%zz", /two hexadecimal digits/],
    ["/a%c0%af", /UTF-8/],
    ["/a%ff", /UTF-8/],
    ["/a%ed%a0%80", /UTF-8/],
    ["/a b", /must be percent-encoded/],
    ["/é", /must be percent-encoded/],
    ["/a#b", /must be percent-encoded/],
    ["a", /begin with/],
    ["http://other/", /begin with/],
    ["", /begin with/],
  ];
  test.each(refused)("%s", (path, finds) => {
    const read = readPath(path);
    expect(read.ok ? "accepted" : read.error).toMatch(finds);
  });
});

test("a path is read decoded, and a trailing slash is kept", () => {
  expect(readPath("/a/b%20c/%C3%A9:x@y")).toEqual({ ok: true, value: ["a", "b c", "é:x@y"] });
  expect(readPath("/a/")).toEqual({ ok: true, value: ["a", ""] });
  expect(readPath("/")).toEqual({ ok: true, value: [""] });
});

test("whatever is accepted is sent as the same segments, and a URL parser does not change it", () => {
  const nasty = fc.stringMatching(/^(?:%2[eEfF5]|%5c|%00|[./\\;%a-c:@+ é]|%C3%A9){0,12}$/);
  let accepted = 0;
  fc.assert(
    fc.property(fc.oneof(nasty, fc.webPath(), fc.string()), (tail) => {
      const read = readPath(`/${tail}`);
      if (!read.ok) return;
      accepted++;
      const written = writePath(read.value);
      expect(readPath(written)).toEqual(read);
      expect(new URL(`http://upstream.test/base${written}`).pathname).toBe(`/base${written}`);
      for (const segment of read.value) expect(segment).not.toMatch(/^\.{1,2}(?:;|$)|[/\\\0]/);
    }),
    { numRuns: 3000 },
  );
  expect(accepted).toBeGreaterThan(300);
});

test("a query keeps every value in order and is written as it was judged", () => {
  const read = readParameters("a=1&b=x+y&a=2&c&__proto__=p", 10);
  expect(read.ok && { ...read.value }).toEqual({
    a: ["1", "2"],
    b: "x y",
    c: "",
    ["__proto__"]: "p",
  });
  expect(read.ok && Object.getPrototypeOf(read.value)).toBe(null);
  fc.assert(
    fc.property(
      fc.dictionary(
        fc.string({ minLength: 1, unit: "grapheme" }).filter((name) => !name.includes("\0")),
        fc.oneof(
          fc.string({ unit: "grapheme" }),
          fc.array(fc.string({ unit: "grapheme" }), { minLength: 2, maxLength: 3 }),
        ),
      ),
      (values) => {
        const written = writeParameters(values);
        if (!written.ok || JSON.stringify(values).includes("\\u0000")) return;
        const again = readParameters(written.value, 1000);
        expect(again.ok && { ...again.value }).toEqual({ ...values });
      },
    ),
  );
});

test.each(["=x", "a=%", "a=%zz", "a=%ff", "a=%00", "a=é", 'a="', "a=1&&b=2"])(
  "the query %s is refused",
  (query) => {
    expect(readParameters(query, 10).ok).toBe(false);
  },
);

test("more parameters than allowed are refused", () => {
  expect(readParameters("a=1&b=2&c=3", 2).ok).toBe(false);
});

test("what a query cannot carry is not written", () => {
  expect(writeParameters({ a: { b: 1 } }).ok).toBe(false);
  expect(writeParameters({ a: [[1]] }).ok).toBe(false);
  expect(writeParameters({ a: null }).ok).toBe(false);
  expect(writeParameters({ a: "\ud800" }).ok).toBe(false);
});
