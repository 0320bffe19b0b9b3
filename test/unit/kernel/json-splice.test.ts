import fc from "fast-check";
import { expect, test } from "vitest";
import { spliceJson } from "../../../src/kernel/index.ts";
import { runsOf } from "../../fixtures/effort.ts";

type Path = readonly [string, ...string[]];
const splice = (text: string, path: Path, json: string): string => {
  const answer = spliceJson(new TextEncoder().encode(text), path, json);
  return answer.ok
    ? new TextDecoder().decode(answer.value)
    : `${answer.error.kind}: ${answer.error.detail}`;
};
const path: Path = ["result", "_meta", "r"];

const cases: readonly [string, string][] = [
  ["{}", '{"result":{"_meta":{"r":7}}}'],
  [' { "id" : 1.0e2 } ', ' { "id" : 1.0e2,"result":{"_meta":{"r":7}} } '],
  ['{"result":{ }}', '{"result":{"_meta":{"r":7} }}'],
  ['{"result":{"x":"}\\"{"},"id":1}', '{"result":{"x":"}\\"{","_meta":{"r":7}},"id":1}'],
  ['{"result":{"_meta":{"r":[1,{"r":2}],"z":0}}}', '{"result":{"_meta":{"r":7,"z":0}}}'],
  [
    '{"result":{"\\u005fmeta":{"a":9007199254740993}}}',
    '{"result":{"\\u005fmeta":{"a":9007199254740993,"r":7}}}',
  ],
  [
    '\r\n\t{\r\n\t"result"\r\n\t:\t{"_meta":{"r"\t:\r1\n,"z":[]\t}\r}}',
    '\r\n\t{\r\n\t"result"\r\n\t:\t{"_meta":{"r"\t:\r7\n,"z":[]\t}\r}}',
  ],
  ...["\t", "\r", "\n", " "].map((space): [string, string] => [
    `{"result":{"_meta":{"r":1${space}}}}`,
    `{"result":{"_meta":{"r":7${space}}}}`,
  ]),
  [
    '{"result":{"_meta":{}},"result":{}}',
    'duplicate_key: the member "result" stands twice (byte 23)',
  ],
  [
    '{"result":{"_meta":{"r":1,"\\u0072":2}}}',
    'duplicate_key: the member "r" stands twice (byte 26)',
  ],
  ['{"result":{"_meta":null}}', "not_an_object: an object is expected (byte 19)"],
  ['{"result":[]}', "not_an_object: an object is expected (byte 10)"],
  ["[1]", "not_an_object: an object is expected (byte 0)"],
  ["\ufeff{}", "not_an_object: an object is expected (byte 0)"],
  ['{"a" 1}', "syntax: a colon is expected (byte 5)"],
  ['{"a":1 "b":2}', "syntax: a comma or } is expected (byte 7)"],
  ['{"a":[1', "syntax: an object or array does not end (byte 5)"],
  ['{"a":[[1]', "syntax: an object or array does not end (byte 5)"],
  ['{"a":}', "syntax: a value is expected (byte 5)"],
  ['{"a":1', "syntax: a comma or } is expected (byte 6)"],
  ['{"a', "syntax: a string does not end (byte 1)"],
  ['{"a\\"', "syntax: a string does not end (byte 1)"],
  ["{a:1}", "syntax: a string is expected (byte 1)"],
  ['{"\\x":1}', "syntax: a member name is not a JSON string (byte 1)"],
];
for (const [text, want] of cases) {
  test(`${text} becomes ${want}`, () => expect(splice(text, path, "7")).toBe(want));
}

test("does to the text what assignment does to the value, and touches no byte outside the member", () => {
  const name = fc.constantFrom("a", "b", '"', "é", "_meta");
  const value = fc.letrec((tie) => ({
    any: fc.oneof(
      { maxDepth: 4 },
      fc.string(),
      fc.integer(),
      fc.constant(null),
      tie("object"),
      fc.array(tie("any"), { maxLength: 3 }),
    ),
    object: fc.dictionary(name, tie("any"), { maxKeys: 4 }),
  }));
  fc.assert(
    fc.property(value.object, name, name, fc.nat(3), (object, first, second, indent) => {
      const text = JSON.stringify(object, null, indent);
      const inner = object[first];
      const spliced = splice(text, [first, second], '"new"');
      if (
        inner !== undefined &&
        (typeof inner !== "object" || inner === null || Array.isArray(inner))
      ) {
        expect(spliced).toMatch(/^not_an_object/);
        return;
      }
      expect(JSON.parse(spliced)).toEqual({ ...object, [first]: { ...inner, [second]: "new" } });
      let head = 0;
      while (head < text.length && text[head] === spliced[head]) head++;
      let tail = 0;
      while (tail < text.length - head && text.at(-1 - tail) === spliced.at(-1 - tail)) tail++;
      const was = inner === undefined ? undefined : (inner as Record<string, unknown>)[second];
      const gone = was === undefined ? 0 : JSON.stringify(was, null, indent).length;
      expect(text.length - head - tail).toBeLessThanOrEqual(gone + 16 * indent * gone);
    }),
    { numRuns: runsOf(500) },
  );
});

test.each([
  ['{"\\u0069d":1,"id":2}', 'duplicate_key: the member "id" stands twice (byte 13)'],
  ['{"\\u0069\\u0064":1}', '{"\\u0069\\u0064":7}'],
  ['{"i\\u00e9":1}', '{"i\\u00e9":1,"id":7}'],
  ['{"i\\/d":1}', '{"i\\/d":1,"id":7}'],
  ['{"\\x69d":1}', "syntax: a member name is not a JSON string (byte 1)"],
  ['{"\\u006":1,"abc":2}', "syntax: a member name is not a JSON string (byte 1)"],
  ['{"a\u0001":1}', "syntax: a member name is not a JSON string (byte 1)"],
  ['{"ids":1,"i":2}', '{"ids":1,"i":2,"id":7}'],
])("%s: a name is found however it is spelled, and a bad spelling is refused", (text, want) => {
  expect(splice(text, ["id"], "7")).toBe(want);
});
