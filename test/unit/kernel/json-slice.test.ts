import fc from "fast-check";
import { expect, test } from "vitest";
import { hasMember, itemsOfJson, sliceJson } from "../../../src/kernel/index.ts";

type Path = readonly [string, ...string[]];
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const slice = (text: string, path: Path): string | undefined => {
  const found = sliceJson(bytes(text), path);
  return found && new TextDecoder().decode(found);
};
const items = (text: string): string[] | undefined =>
  itemsOfJson(bytes(text))?.map((item) => new TextDecoder().decode(item));

test("a member comes out as the bytes it is", () => {
  const text = ' { "a" : { "b" : 1.0e2 , "c" : { "é" : [ 1 ] } } } ';
  expect(slice(text, ["a", "b"])).toBe("1.0e2");
  expect(slice(text, ["a", "c", "é"])).toBe("[ 1 ]");
  expect(slice(text, ["a"])).toBe('{ "b" : 1.0e2 , "c" : { "é" : [ 1 ] } }');
});

test("nothing comes out where the path does not lead to exactly one value", () => {
  expect(slice('{"a":{"b":1}}', ["b"])).toBeUndefined();
  expect(slice('{"a":{"b":1}}', ["a", "c"])).toBeUndefined();
  expect(slice('{"a":[1]}', ["a", "b"])).toBeUndefined();
  expect(slice('{"a":1,"\\u0061":2}', ["a"])).toBeUndefined();
  expect(slice('{"a":', ["a"])).toBeUndefined();
  expect(slice("[]", ["a"])).toBeUndefined();
});

test("the items of an array come out as the bytes they are", () => {
  expect(items(' [ 1.0 , "a,]" ,{"b":[2]},[ ] ] ')).toEqual(["1.0", '"a,]"', '{"b":[2]}', "[ ]"]);
  expect(items(" [ ] ")).toEqual([]);
  expect(items("[1]")).toEqual(["1"]);
});

test("what is not an array has no items", () => {
  for (const text of ["", "{}", "1", '"[1]"', "[1", "[1 2]", "[1,", "[,1]", "[1}", '["a]']) {
    expect(items(text), text).toBeUndefined();
  }
});

/** The value as JSON has it, which knows no -0. */
const same = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

test("slices hold what the values hold", () => {
  const name = fc.constantFrom("a", "b", '"', "é");
  const value = fc.dictionary(name, fc.dictionary(name, fc.jsonValue()));
  fc.assert(
    fc.property(value, name, name, fc.nat(3), (object, first, second, indent) => {
      const found = slice(JSON.stringify(object, null, indent), [first, second]);
      const want = Object.hasOwn(object, first) ? object[first]?.[second] : undefined;
      expect(found && JSON.parse(found)).toEqual(want === undefined ? undefined : same(want));
    }),
  );
  fc.assert(
    fc.property(fc.array(fc.jsonValue()), fc.nat(3), (list, indent) => {
      const read = items(JSON.stringify(list, null, indent));
      expect(read?.map((item) => JSON.parse(item))).toEqual(same(list));
    }),
  );
});

test("a fault that is not the text's is not hidden", () => {
  expect(() => sliceJson(null as unknown as Uint8Array, ["a"])).toThrow(TypeError);
});

test("a member that stands twice is there, though it has no bytes of its own", () => {
  const has = (text: string, path: Path): boolean => hasMember(bytes(text), path);
  const text = ' { "a" : { "b" : null } } ';
  expect([has(text, ["a"]), has(text, ["a", "b"])]).toEqual([true, true]);
  expect([has(text, ["b"]), has(text, ["a", "c"])]).toEqual([false, false]);
  const twice = '{"a":{"b":1,"b":2},"a2":1}';
  expect(has(twice, ["a", "b"])).toBe(true);
  expect(slice(twice, ["a", "b"])).toBeUndefined();
  for (const none of ["", "5", "[1]", '{"a":1', '{"x" 1}']) expect(has(none, ["b"])).toBe(false);
  expect(has('{"a":1}', ["a", "b"])).toBe(false);
});
