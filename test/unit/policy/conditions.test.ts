/** CEL to the typed form, and back to the text that people read. */
import { expect, test } from "vitest";
import type { Expr } from "../../../src/policy/index.ts";
import { loadPolicySet } from "../../../src/policy/index.ts";
import { printExpr } from "../../../src/policy/print.ts";

function convert(condition: string): Expr | undefined {
  const text = `policy: p
rules:
- id: r
  match: { effect: read }
  when: ${JSON.stringify(condition)}
  outcome: allow
`;
  const { set, diagnostics } = loadPolicySet([{ path: "p.yaml", text }]);
  expect(diagnostics).toEqual([]);
  const when = set?.rules[0]?.when;
  return when?.op === "rego" ? undefined : when;
}

const args: Expr = { op: "root", name: "args" };
const x: Expr = { op: "field", of: args, name: "x" };
const one: Expr = { op: "literal", value: 1 };

const conversions: readonly [string, Expr][] = [
  ["args.x == 1", { op: "compare", how: "==", left: x, right: one }],
  ["args.x > -1.5", { op: "compare", how: ">", left: x, right: { op: "literal", value: -1.5 } }],
  ["!args.x", { op: "not", of: x }],
  ["-args.x < 1", { op: "compare", how: "<", left: { op: "negate", of: x }, right: one }],
  ["has(args.x)", { op: "has", of: args, name: "x" }],
  [
    'args["x"] == 1',
    {
      op: "compare",
      how: "==",
      left: { op: "index", of: args, at: { op: "literal", value: "x" } },
      right: one,
    },
  ],
  ["args.x in [1, 2]", { op: "in", left: x, right: { op: "literal", value: [1, 2] } }],
  ["1 in [args.x]", { op: "in", left: one, right: { op: "list", items: [x] } }],
  ["size(args.x) == 1", { op: "compare", how: "==", left: { op: "size", of: x }, right: one }],
  ["args.x.size() == 1", { op: "compare", how: "==", left: { op: "size", of: x }, right: one }],
  [
    "args.x.startsWith('a')",
    { op: "string", how: "startsWith", of: x, with: { op: "literal", value: "a" } },
  ],
  ["args.x.matches(r'^\\d+$')", { op: "matches", of: x, pattern: "^\\d+$" }],
  [
    "args.x.exists(i, i == 1)",
    {
      op: "exists",
      of: x,
      name: "i",
      body: { op: "compare", how: "==", left: { op: "local", name: "i" }, right: one },
    },
  ],
  ["args.x && args.x || args.x", { op: "or", left: { op: "and", left: x, right: x }, right: x }],
  [
    "args.x / 100.0 > 1",
    {
      op: "compare",
      how: ">",
      left: { op: "arithmetic", how: "/", left: x, right: { op: "literal", value: 100 } },
      right: one,
    },
  ],
];

for (const [text, expr] of conversions)
  test(text, () => {
    expect(convert(text)).toEqual(expr);
  });

test("?: keeps its three parts", () => {
  expect(convert("args.x ? args.x == 1 : has(args.x)")).toMatchObject({
    op: "if",
    test: x,
    else: { op: "has" },
  });
});

const printed: readonly string[] = [
  "args.a && (args.b || !args.c)",
  "args.a.b[0].c == 1",
  "args.a * (args.b + 1) - 2 > 3",
  "args.a - (args.b - 1) > 3",
  "!(args.a == 1)",
  'args.list.exists(i, i.name.startsWith("x") && i.price in [1,2])',
  "(args.a ? 1 : 2) == 2",
  'args.text.matches("^[a-z]+$")',
  "has(args.a.b) && size(args.a.b) < 3",
];

for (const text of printed)
  test(`printed as written: ${text}`, () => {
    const expr = convert(text);
    expect(expr && printExpr(expr)).toBe(text);
  });
