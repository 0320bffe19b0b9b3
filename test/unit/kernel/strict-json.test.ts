import fc from "fast-check";
import { expect, test } from "vitest";
import { foldName, type JsonRefusalKind, parseJsonStrict } from "../../../src/kernel/index.ts";
import { runsOf } from "../../fixtures/effort.ts";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

const tooLarge = "a number is too large to be read exactly; send it as a string";

/** The text, what kind of refusal, at which byte, for which value, in which words. */
const refused: readonly [string, JsonRefusalKind, number, string, string][] = [
  ["", "syntax", 0, "", "the text ends too early"],
  ["{", "syntax", 1, "", "a member name is expected"],
  ['{"a":1,}', "syntax", 7, "/a", "a member name is expected"],
  ['{"a" 1}', "syntax", 5, "/a", "a colon is expected"],
  ['{"a":1', "syntax", 6, "/a", "a comma or } is expected"],
  ['{"a":1]', "syntax", 6, "/a", "a comma or } is expected"],
  ["[1,]", "syntax", 3, "/1", "a value is expected"],
  ["[1 2]", "syntax", 3, "/0", "a comma or ] is expected"],
  ["[1,", "syntax", 3, "/1", "the text ends too early"],
  ["01", "syntax", 1, "", "something follows the value"],
  ["1.", "syntax", 1, "", "something follows the value"],
  ["+1", "syntax", 0, "", "a value is expected"],
  ["nul", "syntax", 0, "", "a value is expected"],
  ["1 1", "syntax", 2, "", "something follows the value"],
  ['"a\nb"', "syntax", 2, "", "a string holds a control character"],
  ['"\\x"', "syntax", 0, "", "a string holds a bad escape or a control character"],
  ['"abc', "syntax", 0, "", "a string does not end"],
  ['"\\"', "syntax", 0, "", "a string does not end"],
  [
    '{"é":{"a":1,"b":[0,{"c":1,"c":2}]}}',
    "duplicate_key",
    27,
    "/é/b/1/c",
    "a member name stands twice",
  ],
  ['{"a":1,"\\u0061":2}', "duplicate_key", 7, "/a", "a member name stands twice"],
  ['{"a~/b":9007199254740992}', "unsafe_number", 8, "/a~0~1b", tooLarge],
  ["[-9007199254740993]", "unsafe_number", 1, "/0", tooLarge],
  ["1e400", "unsafe_number", 0, "", tooLarge],
  ["1e30", "unsafe_number", 0, "", tooLarge],
  ['"\\ud800"', "lone_surrogate", 0, "", "a string holds half a surrogate pair"],
  ['{"\\udc00\\ud800":1}', "lone_surrogate", 1, "", "a string holds half a surrogate pair"],
  ["\ufeff{}", "bad_utf8", 0, "", "the text begins with a byte order mark"],
];

for (const [text, kind, offset, pointer, what] of refused) {
  test(`refuses ${JSON.stringify(text)}: ${kind} at byte ${offset}`, () => {
    const where = pointer === "" ? "" : ` at ${pointer}`;
    expect(parseJsonStrict(bytes(text))).toEqual({
      ok: false,
      error: { kind, offset, pointer, detail: `${what}${where} (byte ${offset})` },
    });
  });
}

test("the pointer is that of the value being read, whatever was read and left before it", () => {
  const answer = parseJsonStrict(bytes('{"a":{"deep":[[1]]},"b":[[],{},{"c":nope}]}'));
  expect(answer).toMatchObject({ error: { pointer: "/b/2/c" } });
  const after = parseJsonStrict(bytes('{"a":{"deep":[[1]]} "b"}'));
  expect(after).toMatchObject({ error: { pointer: "/a", offset: 20 } });
});

test("every space of JSON may stand between tokens, and no other", () => {
  const text = '\t\r\n {\r"a"\t:\n[ ]\r,"b":{\t}}\r\n\t ';
  expect(parseJsonStrict(bytes(text))).toEqual({ ok: true, value: { a: [], b: {} } });
  for (const space of ["\u000b", "\f", "\u00a0", "\u2028"]) {
    expect(parseJsonStrict(bytes(`${space}1`)).ok).toBe(false);
  }
});

test("names that differ by case alone are refused where that is asked for, and only there", () => {
  const twins = '{"x":{"Kind":1,"\u212AIND":2}}';
  expect(parseJsonStrict(bytes(twins), {}).ok).toBe(true);
  expect(parseJsonStrict(bytes(twins), { caseTwins: "refuse" })).toEqual({
    ok: false,
    error: {
      kind: "duplicate_key",
      offset: 15,
      pointer: "/x/\u212AIND",
      detail: "two member names differ by case alone at /x/\u212AIND (byte 15)",
    },
  });
  const apart = '{"a":{"b":1},"b":{"A":1}}';
  expect(parseJsonStrict(bytes(apart), { caseTwins: "refuse" }).ok).toBe(true);
});

test("names fold as Unicode has it: the long s is s, the Kelvin sign is k", () => {
  expect(foldName("\u017F")).toBe(foldName("S"));
  expect(foldName("\u212A")).toBe(foldName("k"));
  expect(foldName("Name")).toBe("name");
});

test("unsafe integers read as the nearest double only where that is asked for", () => {
  const nearest = { unsafeNumbers: "nearest" } as const;
  expect(parseJsonStrict(bytes("9007199254740993"), nearest)).toEqual({
    ok: true,
    value: 9007199254740992,
  });
  expect(parseJsonStrict(bytes("9007199254740993"), { unsafeNumbers: "refuse" }).ok).toBe(false);
  expect(parseJsonStrict(bytes("9007199254740991"))).toEqual({ ok: true, value: 2 ** 53 - 1 });
  expect(parseJsonStrict(bytes("0.1"))).toEqual({ ok: true, value: 0.1 });
  expect(parseJsonStrict(bytes("1e400"), nearest)).toMatchObject({
    error: { kind: "unsafe_number" },
  });
});

test("refuses bytes that are not UTF-8, and says which", () => {
  const text = Uint8Array.from([...bytes('"é\ufffd'), 0xed, 0xa0, 0x80, 0x22]);
  expect(parseJsonStrict(text)).toEqual({
    ok: false,
    error: { kind: "bad_utf8", offset: 6, pointer: "", detail: "the text is not UTF-8 (byte 6)" },
  });
  const marked = Uint8Array.from([0xef, 0xbb, 0xbf, 0x22, 0xff]);
  expect(parseJsonStrict(marked)).toMatchObject({ error: { kind: "bad_utf8", offset: 4 } });
});

test("depth and size have exact bounds", () => {
  const nested = (depth: number): Uint8Array => bytes("[".repeat(depth) + "]".repeat(depth));
  expect(parseJsonStrict(nested(64)).ok).toBe(true);
  expect(parseJsonStrict(nested(65))).toMatchObject({ error: { kind: "too_deep", offset: 64 } });
  expect(parseJsonStrict(nested(3), { depthMax: 2 }).ok).toBe(false);
  expect(parseJsonStrict(bytes("1234"), { bytesMax: 4 }).ok).toBe(true);
  expect(parseJsonStrict(bytes("12345"), { bytesMax: 4 })).toEqual({
    ok: false,
    error: {
      kind: "too_large",
      offset: 4,
      pointer: "",
      detail: "the text has 5 bytes, over 4 (byte 4)",
    },
  });
  expect(parseJsonStrict(bytes("[[[]]]"), { depthMax: 2 })).toMatchObject({
    error: { kind: "too_deep", detail: "nested deeper than 2 at /0/0 (byte 2)" },
  });
});

test("depth counts what encloses, not how many there are", () => {
  const many = `[${"[{}],".repeat(100)}{"a":[]}]`;
  expect(parseJsonStrict(bytes(many), { depthMax: 3 }).ok).toBe(true);
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
    { numRuns: runsOf(500) },
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
    { numRuns: runsOf(1000) },
  );
});
