/** Conditions of one operator whose operands are close to where its answer turns. */
import fc from "fast-check";
import type { JsonValue } from "../../../src/kernel/index.ts";
import type { Expr } from "../../../src/policy/ir.ts";
import { numbers, scalar } from "./generate-expr.ts";
import { evaluate } from "./twin-values.ts";

const literal = (value: JsonValue): Expr => ({ op: "literal", value });
const few = (...values: readonly JsonValue[]): fc.Arbitrary<Expr> =>
  fc.constantFrom(...values).map(literal);

const words = ["", "a", "ab", "b", "ba", "abc", "\u{1f600}", "\uffff", "\u{1f600}b", "a\nb", "A"];
const lists = [[], [1], [1, 2], [1, "a"], ["a"], [[1], ["a"]], [null], [true, true], [{ a: 1 }]];
const maps = [{}, { a: 1 }, { a: 2 }, { a: "a" }, { b: 1 }, { a: { b: 1 } }, { a: { b: "x" } }];

const operand = fc.oneof(
  fc.constantFrom(...numbers),
  fc.integer({ min: -1_000_000, max: 1_000_000 }).map((n) => n / 1_000),
  fc.integer({ min: -50, max: 50 }),
  fc.maxSafeInteger(),
);

/** Two numbers computed with, and the result compared with the one the twin knows, or something close to it. */
const exactly: fc.Arbitrary<Expr> = fc
  .record({
    how: fc.constantFrom("+", "-", "*", "/", "%"),
    left: operand,
    right: operand,
    off: fc.constantFrom(0, 0, 0, 1, 0.000001),
  })
  .map(({ how, left, right, off }): Expr => {
    const computed: Expr = { op: "arithmetic", how, left: literal(left), right: literal(right) };
    let result = 0;
    try {
      result = evaluate(computed, new Map()) as number;
    } catch {
      // The condition has no value: as good a question as any.
    }
    return { op: "compare", how: "==", left: computed, right: literal(result + off) };
  });

const sameKind = fc.constantFrom<readonly JsonValue[]>(
  [1, 2, 1.5, -1],
  words,
  [true, false],
  lists,
  maps,
  [null, null, 1],
);

const compared: fc.Arbitrary<Expr> = sameKind.chain((values) =>
  fc
    .tuple(fc.constantFrom("==", "!=", "<", "<=", ">", ">="), few(...values), few(...values))
    .map(([how, left, right]): Expr => ({ op: "compare", how, left, right })),
);

const member: fc.Arbitrary<Expr> = fc
  .tuple(few(1, 2, "a", "b", null, true, [1], { a: 1 }), few(...lists, ...maps))
  .map(([left, right]): Expr => ({ op: "in", left, right }));

const textual: fc.Arbitrary<Expr> = fc
  .tuple(fc.constantFrom("startsWith", "endsWith", "contains"), few(...words), few(...words))
  .map(([how, of, part]): Expr => ({ op: "string", how, of, with: part }));

const matched: fc.Arbitrary<Expr> = fc
  .tuple(few(...words), fc.constantFrom("a", "^a", "b$", "^.$", "[A-Z]", ""))
  .map(([of, pattern]): Expr => ({ op: "matches", of, pattern }));

const sized: fc.Arbitrary<Expr> = fc.tuple(few(...words, ...lists, ...maps), fc.nat(3)).map(
  ([of, size]): Expr => ({
    op: "compare",
    how: "==",
    left: { op: "size", of },
    right: literal(size),
  }),
);

/** A test that is true, false, or has no value. */
const tested: fc.Arbitrary<Expr> = fc.oneof(
  few(true, false, 1),
  fc
    .tuple(few(1, 2, "a"), few(1, 2, "a"))
    .map(([left, right]): Expr => ({ op: "compare", how: "==", left, right })),
);

const logical: fc.Arbitrary<Expr> = fc
  .tuple(fc.constantFrom("and", "or"), tested, tested)
  .map(([op, left, right]): Expr => ({ op, left, right }));

const chosen: fc.Arbitrary<Expr> = fc
  .tuple(tested, tested, tested)
  // biome-ignore lint/suspicious/noThenProperty: the word of the policy form
  .map(([test, yes, no]): Expr => ({ op: "if", test, then: yes, else: no }));

const quantified: fc.Arbitrary<Expr> = fc
  .tuple(
    fc.constantFrom("exists", "all", "exists_one"),
    fc.array(fc.constantFrom(1, 1, 2, "a", true), { maxLength: 3 }).map(literal),
    few(1, "a", true),
  )
  .map(([op, of, wanted]): Expr => {
    const body: Expr = {
      op: "compare",
      how: "==",
      left: { op: "local", name: "x" },
      right: wanted,
    };
    return { op, of, name: "x", body };
  });

const reached: fc.Arbitrary<Expr> = fc.oneof(
  fc
    .tuple(few(...maps, ...lists, 1, "a"), fc.constantFrom("a", "b", "constructor"))
    .map(([of, name]): Expr => ({ op: "has", of, name })),
  fc.tuple(few(...lists, ...maps), few(0, 1, -1, 0.5, "a", "0"), scalar).map(
    ([of, at, value]): Expr => ({
      op: "compare",
      how: "==",
      left: { op: "index", of, at },
      right: literal(value),
    }),
  ),
);

export const directed: fc.Arbitrary<Expr> = fc.oneof(
  exactly,
  compared,
  member,
  textual,
  matched,
  sized,
  logical,
  chosen,
  quantified,
  reached,
);
