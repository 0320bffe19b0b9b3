/** Conditions for tests: every operator, over every type, mostly well typed and now and then not. */
import fc from "fast-check";
import type { JsonObject, JsonValue } from "../../../src/kernel/index.ts";
import type { Expr } from "../../../src/policy/ir.ts";

const strings: readonly string[] = [
  "",
  "a",
  "ab",
  "EUR",
  "e\u0301",
  "é",
  "\u{1f600}",
  "\uffff",
  "a<b>&c",
  "line\nbreak",
  "10",
];
export const numbers: readonly number[] = [
  0,
  1,
  2,
  3,
  5,
  7,
  10,
  -1,
  -3,
  50_000,
  75_000.25,
  0.1,
  0.2,
  0.3,
  1.5,
  -2.75,
  0.000001,
  1e-7,
  1e15,
  999_999_999_999.999,
  0.123456789012345,
  0.1234567890123456,
  2 ** 53 - 1,
  -(2 ** 53 - 1),
  1e9,
  3e9,
];

export const scalar: fc.Arbitrary<JsonValue> = fc.oneof(
  fc.constant(null),
  fc.boolean(),
  fc.constantFrom(...numbers),
  fc.integer({ min: -1_000, max: 1_000 }),
  fc.integer({ min: -100_000, max: 100_000 }).map((n) => n / 100),
  fc.constantFrom(...strings),
);

const names = ["a", "b", "c d"] as const;

/** What `args`, `context` and properties hold. */
export const jsonObject: fc.Arbitrary<JsonObject> = fc.letrec<{
  value: JsonValue;
  map: JsonObject;
}>((tie) => ({
  value: fc.oneof(
    { depthSize: "small", withCrossShrink: true, maxDepth: 2 },
    { arbitrary: scalar, weight: 4 },
    { arbitrary: fc.array(tie("value"), { maxLength: 3 }), weight: 1 },
    { arbitrary: tie("map"), weight: 1 },
  ),
  map: fc.dictionary(fc.constantFrom(...names), tie("value"), {
    maxKeys: 3,
    noNullPrototype: true,
  }),
})).map;

/** The fields of `args` that conditions ask for by type; one is often missing or of another type. */
export const args: fc.Arbitrary<JsonObject> = fc.record(
  {
    n: fc.oneof(
      { arbitrary: fc.constantFrom(...numbers), weight: 8 },
      { arbitrary: scalar, weight: 1 },
    ),
    m: fc.oneof(
      { arbitrary: fc.constantFrom(...numbers), weight: 8 },
      { arbitrary: scalar, weight: 1 },
    ),
    s: fc.oneof(
      { arbitrary: fc.constantFrom(...strings), weight: 8 },
      { arbitrary: scalar, weight: 1 },
    ),
    t: fc.constantFrom(...strings),
    p: fc.oneof({ arbitrary: fc.boolean(), weight: 8 }, { arbitrary: scalar, weight: 1 }),
    list: fc.oneof(
      fc.array(fc.constantFrom(...numbers), { maxLength: 3 }),
      fc.array(fc.constantFrom(...strings), { maxLength: 3 }),
      fc.array(scalar, { maxLength: 3 }),
      fc.array(jsonObject, { maxLength: 2 }),
    ),
    map: jsonObject,
  },
  { requiredKeys: ["t"], noNullPrototype: true },
);

const args_: Expr = { op: "root", name: "args" };
const field = (name: string): Expr => ({ op: "field", of: args_, name });
const model: Expr = { op: "root", name: "model" };
const fact = (name: string): Expr => ({ op: "field", of: model, name });
const literal = (value: JsonValue): Expr => ({ op: "literal", value });

type Kind = "bool" | "number" | "string" | "list" | "map";

const bound = ["x", "y"] as const;

/** `depth` bounds the tree. Variables in `scope` are bound outside. */
export function condition(depth: number, scope: readonly string[] = []): fc.Arbitrary<Expr> {
  return typed("bool", depth, scope);
}

/** Arbitraries are made once each: the tree of them is far larger than any condition. */
const made = new Map<string, fc.Arbitrary<Expr>>();

function typed(kind: Kind, depth: number, scope: readonly string[]): fc.Arbitrary<Expr> {
  const key = `${kind} ${depth} ${scope.join(" ")}`;
  const known = made.get(key) ?? makeTyped(kind, depth, scope);
  made.set(key, known);
  return known;
}

function makeTyped(kind: Kind, depth: number, scope: readonly string[]): fc.Arbitrary<Expr> {
  const right =
    depth <= 0
      ? leaf(kind, scope)
      : fc.oneof(
          { arbitrary: leaf(kind, scope), weight: 1 },
          { arbitrary: node(kind, depth - 1, scope), weight: 4 },
        );
  const wrong = fc
    .constantFrom<Kind>("bool", "number", "string", "list", "map")
    .chain((other) => leaf(other, scope));
  return fc.oneof({ arbitrary: right, weight: 30 }, { arbitrary: wrong, weight: 1 });
}

function leaf(kind: Kind, scope: readonly string[]): fc.Arbitrary<Expr> {
  const locals = scope.map((name) => fc.constant<Expr>({ op: "local", name }));
  return fc.oneof(plainLeaf(kind), ...(locals.length > 0 ? [fc.oneof(...locals)] : []));
}

function plainLeaf(kind: Kind): fc.Arbitrary<Expr> {
  switch (kind) {
    case "bool":
      return fc.oneof(fc.boolean().map(literal), fc.constantFrom(field("p"), fact("known")));
    case "number":
      return fc.oneof(
        fc.constantFrom(...numbers).map(literal),
        fc.constantFrom(field("n"), field("m"), fact("dependents")),
      );
    case "string":
      return fc.oneof(
        fc.constantFrom(...strings).map(literal),
        fc.constantFrom(field("s"), field("t")),
        fc.constant<Expr>({ op: "field", of: { op: "root", name: "subject" }, name: "id" }),
        fc.constant<Expr>({ op: "field", of: { op: "root", name: "action" }, name: "risk" }),
      );
    case "list":
      return fc.oneof(fc.constant(field("list")), fc.array(scalar, { maxLength: 3 }).map(literal));
    case "map":
      return fc.oneof(
        fc.constantFrom<Expr>(field("map"), args_, { op: "root", name: "context" }, model),
        fc.constant<Expr>({
          op: "field",
          of: { op: "root", name: "resource" },
          name: "properties",
        }),
        jsonObject.map(literal),
      );
  }
}

function node(kind: Kind, depth: number, scope: readonly string[]): fc.Arbitrary<Expr> {
  const sub = (of: Kind): fc.Arbitrary<Expr> => typed(of, depth, scope);
  const operand = fc
    .constantFrom<Kind>("bool", "number", "string", "list", "map")
    .chain((of) => leaf(of, scope));
  const common = [
    fc.tuple(sub("bool"), sub(kind), sub(kind)).map(
      // biome-ignore lint/suspicious/noThenProperty: the word of the policy form
      ([test, yes, no]): Expr => ({ op: "if", test, then: yes, else: no }),
    ),
    fc.record<Extract<Expr, { op: "index" }>>({
      op: fc.constant("index"),
      of: fc.constant(field("list")),
      at: fc.oneof(fc.constantFrom(0, 1, -1, 0.5, "0").map(literal), sub("number")),
    }),
    fc.record<Extract<Expr, { op: "index" }>>({
      op: fc.constant("index"),
      of: sub("map"),
      at: fc.oneof(fc.constantFrom(...names, 0).map(literal), sub("string")),
    }),
    fc.record<Extract<Expr, { op: "field" }>>({
      op: fc.constant("field"),
      of: sub("map"),
      name: fc.constantFrom(...names),
    }),
  ];
  return fc.oneof(
    { arbitrary: fc.oneof<fc.Arbitrary<Expr>[]>(...common), weight: 1 },
    {
      arbitrary: fc.oneof<fc.Arbitrary<Expr>[]>(...nodes(kind, sub, operand, depth, scope)),
      weight: 4,
    },
  );
}

function nodes(
  kind: Kind,
  sub: (kind: Kind) => fc.Arbitrary<Expr>,
  operand: fc.Arbitrary<Expr>,
  depth: number,
  scope: readonly string[],
): fc.Arbitrary<Expr>[] {
  const plus = (of: "string" | "list"): fc.Arbitrary<Expr> =>
    fc.record({
      op: fc.constant("arithmetic"),
      how: fc.constant("+"),
      left: sub(of),
      right: sub(of),
    });
  switch (kind) {
    case "bool":
      return booleans(sub, operand, depth, scope);
    case "number":
      return [
        fc.record({
          op: fc.constant("arithmetic"),
          how: fc.constantFrom("+", "-", "*", "/", "%"),
          left: sub("number"),
          right: sub("number"),
        }),
        fc.record({ op: fc.constant("negate"), of: sub("number") }),
        fc.record({
          op: fc.constant("size"),
          of: fc.oneof(sub("string"), sub("list"), sub("map")),
        }),
      ];
    case "string":
      return [plus("string")];
    case "list":
      return [
        plus("list"),
        fc.record({
          op: fc.constant("list"),
          items: fc.array(fc.oneof(operand, sub("number")), { maxLength: 3 }),
        }),
      ];
    case "map":
      return [plainLeaf("map")];
  }
}

function booleans(
  sub: (kind: Kind) => fc.Arbitrary<Expr>,
  operand: fc.Arbitrary<Expr>,
  depth: number,
  scope: readonly string[],
): fc.Arbitrary<Expr>[] {
  const pair = fc
    .constantFrom<Kind>("bool", "number", "string", "list", "map")
    .chain((kind) => fc.tuple(sub(kind), sub(kind)));
  const ordered = fc
    .constantFrom<Kind>("number", "number", "string", "bool")
    .chain((kind) => fc.tuple(sub(kind), sub(kind)));
  const quantified = fc
    .constantFrom(...bound)
    .chain((name) =>
      fc
        .tuple(
          fc.constantFrom("exists" as const, "all" as const, "exists_one" as const),
          fc.oneof(sub("list"), sub("map")),
          condition(depth, [...scope, name]),
        )
        .map(([op, of, body]): Expr => ({ op, of, name, body })),
    );
  return [
    fc.record({ op: fc.constant("not"), of: sub("bool") }),
    fc.record({ op: fc.constantFrom("and", "or"), left: sub("bool"), right: sub("bool") }),
    fc.record({
      op: fc.constant("has"),
      of: sub("map"),
      name: fc.constantFrom(...names, "n", "s", "constructor"),
    }),
    fc
      .tuple(fc.constantFrom("==", "!="), pair)
      .map(([how, [left, right]]) => ({ op: "compare", how, left, right }) as Expr),
    fc
      .tuple(fc.constantFrom("<", "<=", ">", ">="), ordered)
      .map(([how, [left, right]]) => ({ op: "compare", how, left, right }) as Expr),
    fc.record({ op: fc.constant("in"), left: operand, right: fc.oneof(sub("list"), sub("map")) }),
    fc.record({
      op: fc.constant("string"),
      how: fc.constantFrom("startsWith", "endsWith", "contains"),
      of: sub("string"),
      with: sub("string"),
    }),
    fc.record({
      op: fc.constant("matches"),
      of: sub("string"),
      pattern: fc.constantFrom("^a", "b$", "[0-9]+", "^[A-Z]{3}$", "^.$", ""),
    }),
    quantified,
  ];
}
