import fc from "fast-check";
import { expect, test } from "vitest";
import { type JsonRefusalKind, parseJsonStrict } from "../../../src/kernel/index.ts";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

const refused: readonly [string, JsonRefusalKind, number, string][] = [
  ["", "syntax", 0, ""],
  ["{", "syntax", 1, ""],
  ['{"a":1,}', "syntax", 7, "/a"],
  ["[1,]", "syntax", 3, "/1"],
  ["[1 2]", "syntax", 3, "/0"],
  ["01", "syntax", 1, ""],
  ["1.", "syntax", 1, ""],
  ["+1", "syntax", 0, ""],
  ["nul", "syntax", 0, ""],
  ["1 1", "syntax", 2, ""],
  ['"a\nb"', "syntax", 2, ""],
  ['"\\x"', "syntax", 0, ""],
  ['"abc', "syntax", 0, ""],
  ['"\\"', "syntax", 0, ""],
  ['{"é":{"a":1,"b":[0,{"c":1,"c":2}]}}', "duplicate_key", 27, "/é/b/1/c"],
  ['{"a":1,"\\u0061":2}', "duplicate_key", 7, "/a"],
  ['{"a~/b":9007199254740992}', "unsafe_number", 8, "/a~0~1b"],
  ["[-9007199254740993]", "unsafe_number", 1, "/0"],
  ["1e400", "unsafe_number", 0, ""],
  ["1e30", "unsafe_number", 0, ""],
  ['"\\ud800"', "lone_surrogate", 0, ""],
  ['{"\\udc00\\ud800":1}', "lone_surrogate", 1, ""],
  ["\ufeff{}", "bad_utf8", 0, ""],
];

for (const [text, kind, offset, pointer] of refused) {
  test(`refuses ${JSON.stringify(text)}: ${kind} at byte ${offset}`, () => {
    expect(parseJsonStrict(bytes(text))).toMatchObject({ ok: false, error: { kind, offset } });
    const answer = parseJsonStrict(bytes(text));
    if (!answer.ok && pointer !== "") expect(answer.error.pointer).toBe(pointer);
  });
}

test("refuses bytes that are not UTF-8, and says which", () => {
  const text = Uint8Array.from([...bytes('"é\ufffd'), 0xed, 0xa0, 0x80, 0x22]);
  expect(parseJsonStrict(text)).toMatchObject({ error: { kind: "bad_utf8", offset: 6 } });
});

test("depth and size have exact bounds", () => {
  const nested = (depth: number): Uint8Array => bytes("[".repeat(depth) + "]".repeat(depth));
  expect(parseJsonStrict(nested(64)).ok).toBe(true);
  expect(parseJsonStrict(nested(65))).toMatchObject({ error: { kind: "too_deep", offset: 64 } });
  expect(parseJsonStrict(nested(3), { depthMax: 2 }).ok).toBe(false);
  expect(parseJsonStrict(bytes("1234"), { bytesMax: 4 }).ok).toBe(true);
  expect(parseJsonStrict(bytes("12345"), { bytesMax: 4 })).toMatchObject({
    error: { kind: "too_large" },
  });
});

test("a bomb of brackets is refused at once, not by the stack", () => {
  const answer = parseJsonStrict(bytes("[".repeat(1_000_000)));
  expect(answer).toMatchObject({ error: { kind: "too_deep", offset: 64 } });
});

test("names that mean something to JavaScript are plain keys", () => {
  const text = '{"__proto__":{"polluted":true},"constructor":1,"toString":2,"hasOwnProperty":3}';
  const answer = parseJsonStrict(bytes(text));
  if (!answer.ok) throw new Error(answer.error.detail);
  expect(JSON.stringify(answer.value)).toBe(text);
  expect("valueOf" in (answer.value as object)).toBe(false);
  expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
  expect(parseJsonStrict(bytes('{"__proto__":1,"__proto__":2}')).ok).toBe(false);
});

/**
 * V8 13.6 (Node 24) reads the name `"\""` as `\` once it has seen an object with a member `\` after the same members.
 * Its `JSON.parse` can be the measure only of texts without an escaped backslash.
 */
const v8ReadsRight = (text: string): boolean => !text.includes("\\\\");

test("reads escaped names right, whatever objects came before", () => {
  for (const name of ['"\\\\"', '"\\""', '"\\/"', '"\\u0062"']) {
    const answer = parseJsonStrict(bytes(`{"b":[],${name}:1}`));
    const kind = name.includes("0062") ? "b" : JSON.parse(name);
    if (kind === "b") expect(answer).toMatchObject({ error: { kind: "duplicate_key" } });
    else expect(answer.ok && Object.keys(answer.value as object)).toEqual(["b", kind]);
  }
});

test("what it accepts, JSON.parse reads the same", () => {
  fc.assert(
    fc.property(fc.json().filter(v8ReadsRight), (text) => {
      const answer = parseJsonStrict(bytes(text));
      if (answer.ok) expect(JSON.stringify(answer.value)).toBe(JSON.stringify(JSON.parse(text)));
      else
        expect(["duplicate_key", "unsafe_number", "lone_surrogate"]).toContain(answer.error.kind);
    }),
    { numRuns: 500 },
  );
});

test("what JSON.parse refuses, it refuses: texts with one change", () => {
  const noise = fc.constantFrom(...'{}[],:"\\ \t\n0-+.eE19tfnu\u0000é');
  fc.assert(
    fc.property(fc.json(), fc.nat(), noise, fc.boolean(), (text, at, char, insert) => {
      const i = at % (text.length + 1);
      const changed = text.slice(0, i) + char + text.slice(insert ? i : i + 1);
      fc.pre(v8ReadsRight(changed));
      const answer = parseJsonStrict(bytes(changed));
      let theirs: unknown;
      try {
        theirs = JSON.parse(changed);
      } catch {
        expect(answer.ok).toBe(false);
        return;
      }
      if (answer.ok) expect(JSON.stringify(answer.value)).toBe(JSON.stringify(theirs));
      else expect(answer.error.kind).not.toBe("syntax");
    }),
    { numRuns: 1000 },
  );
});
