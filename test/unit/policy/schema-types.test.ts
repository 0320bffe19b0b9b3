/** What a JSON Schema and a literal say about values, as far as conditions are checked against it. */
import { expect, test } from "vitest";
import type { JsonObject, JsonValue } from "../../../src/kernel/index.ts";
import { join, type Type, typeOfSchema, typeOfValue } from "../../../src/policy/types.ts";

const any: Type = { kind: "any" };
const text: Type = { kind: "string" };
const whole: Type = { kind: "number", form: "whole" };
const fraction: Type = { kind: "number", form: "fraction" };
const words = (...these: string[]): Type => ({ kind: "string", words: these });

test("scalars, constants and enumerations", () => {
  const of = (schema: JsonObject): Type => typeOfSchema(schema);
  expect(of({ type: "string" })).toEqual(text);
  expect(of({ type: "integer" })).toEqual(whole);
  expect(of({ type: "number" })).toEqual(fraction);
  expect(of({ type: "boolean" })).toEqual({ kind: "bool" });
  expect(of({ type: "null" })).toEqual({ kind: "null" });
  expect(of({ type: ["string", "null"] })).toEqual(any);
  expect(of({ enum: ["a", "b"] })).toEqual(words("a", "b"));
  expect(of({ const: "a" })).toEqual(words("a"));
  expect(of({ const: null })).toEqual({ kind: "null" });
  expect(of({ enum: [1, 2] })).toEqual(whole);
  expect(of({ enum: [1, 2.5] })).toEqual({ kind: "number" });
  expect(of({ enum: [1, "a"] })).toEqual(any);
  expect(of({ enum: [] })).toEqual(any);
  expect(typeOfSchema(true)).toEqual(any);
});

test("an object has the properties it lists, and others only when it says so", () => {
  const properties = { a: { type: "string" }, b: { type: "integer" } };
  const fields = new Map([
    ["a", { type: text, required: true }],
    ["b", { type: whole, required: false }],
  ]);
  const closed = { kind: "map", fields };
  const base = { type: "object", properties, required: ["a"] };
  expect(typeOfSchema(base)).toEqual(closed);
  expect(typeOfSchema({ ...base, additionalProperties: false })).toEqual(closed);
  for (const more of [true, {}])
    expect(typeOfSchema({ ...base, additionalProperties: more })).toEqual({ ...closed, rest: any });
  expect(typeOfSchema({ ...base, additionalProperties: { type: "null" } })).toEqual({
    ...closed,
    rest: { kind: "null" },
  });
  for (const open of ["patternProperties", "anyOf", "oneOf", "allOf", "if", "$dynamicRef"])
    expect(typeOfSchema({ ...base, [open]: {} }), open).toEqual({ ...closed, rest: any });
  expect(typeOfSchema({ type: "object" })).toEqual({ kind: "map", fields: new Map(), rest: any });
});

test("lists and references inside the schema; a reference without an end stays open", () => {
  const $defs = { "a/b": { type: "integer" }, loop: { $ref: "#/$defs/loop" } };
  const of = (schema: JsonObject): Type => typeOfSchema({ ...schema, $defs });
  const ref = (to: string): JsonObject => ({ type: "array", items: { $ref: to } });
  expect(of(ref("#/$defs/a~1b"))).toEqual({ kind: "list", of: whole });
  expect(of({ type: "array" })).toEqual({ kind: "list", of: any });
  for (const nowhere of [
    "#/$defs/none",
    "#/$defs/a~1b/x",
    "other.json",
    "#/$defs/toString",
    "x/$defs/a~1b",
  ])
    expect(of(ref(nowhere))).toEqual({ kind: "list", of: any });
  expect(of({ $ref: "#/$defs/loop" })).toEqual(any);
});

test("literals have the type of their items, when those have one", () => {
  const of = (value: JsonValue): Type => typeOfValue(value);
  expect(of(1)).toEqual(whole);
  expect(of(1.5)).toEqual(fraction);
  expect([of("a"), of(true), of(null)]).toEqual([text, { kind: "bool" }, { kind: "null" }]);
  expect(of([1, 2])).toEqual({ kind: "list", of: whole });
  expect(of([1, "a"])).toEqual({ kind: "list", of: any });
  expect(of([])).toEqual({ kind: "list", of: any });
  expect(of({ a: 1 })).toEqual({ kind: "map", fields: new Map(), rest: any });
});

test("a value of one type or the other has what both have", () => {
  const map = (entries: readonly [string, Type, boolean][], rest?: Type): Type => ({
    kind: "map",
    fields: new Map(entries.map(([name, type, required]) => [name, { type, required }])),
    ...(rest === undefined ? {} : { rest }),
  });
  expect(join(words("a"), words("b"))).toEqual(words("a", "b"));
  expect(join(words("a"), text)).toEqual(text);
  expect(join(whole, whole)).toEqual(whole);
  expect(join(whole, fraction)).toEqual({ kind: "number" });
  expect(join(whole, text)).toEqual(any);
  expect(join({ kind: "bool" }, { kind: "bool" })).toEqual({ kind: "bool" });
  expect(join({ kind: "list", of: whole }, { kind: "list", of: text })).toEqual({
    kind: "list",
    of: any,
  });
  const a = map([
    ["x", whole, true],
    ["y", text, true],
    ["z", text, false],
  ]);
  const b = map([
    ["x", whole, true],
    ["z", text, true],
  ]);
  const joined: [string, Type, boolean][] = [
    ["x", whole, true],
    ["y", text, false],
    ["z", text, false],
  ];
  expect(join(a, b)).toEqual(map(joined));
  expect(join(a, map([["x", whole, true]], text))).toMatchObject({ rest: any });
});

test("schemas that hold themselves are followed to a depth of 32", () => {
  const list = { type: "array", items: { $ref: "#/$defs/one" } };
  const map = { type: "object", properties: { a: { $ref: "#/$defs/one" } } };
  const more = { type: "object", additionalProperties: { $ref: "#/$defs/one" } };
  const depthOf = (type: Type | undefined): number => {
    if (type?.kind === "list") return 1 + depthOf(type.of);
    return type?.kind === "map" ? 1 + depthOf(type.fields.get("a")?.type ?? type.rest) : 0;
  };
  for (const one of [list, map, more])
    expect(depthOf(typeOfSchema({ $ref: "#/$defs/one", $defs: { one } }))).toBe(16);
});
