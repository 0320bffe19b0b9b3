import fc from "fast-check";
import { expect, test } from "vitest";
import { spliceJson } from "../../../src/kernel/index.ts";

type Path = readonly [string, ...string[]];
const splice = (text: string, path: Path, json: string): string => {
  const answer = spliceJson(new TextEncoder().encode(text), path, json);
  return answer.ok
    ? new TextDecoder().decode(answer.value)
    : `${answer.error.kind}@${answer.error.offset}`;
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
  ['{"result":{"_meta":{}},"result":{}}', "duplicate_key@23"],
  ['{"result":{"_meta":{"r":1,"\\u0072":2}}}', "duplicate_key@26"],
  ['{"result":{"_meta":null}}', "not_an_object@19"],
  ['{"result":[]}', "not_an_object@10"],
  ["[1]", "not_an_object@0"],
  ["\ufeff{}", "not_an_object@0"],
  ['{"a" 1}', "syntax@5"],
  ['{"a":[1', "syntax@5"],
  ['{"a":}', "syntax@5"],
  ['{"a":1', "syntax@6"],
  ['{"a', "syntax@1"],
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
    { numRuns: 500 },
  );
});
