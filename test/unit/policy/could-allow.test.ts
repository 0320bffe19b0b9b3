/** The filter of `tools/list` never hides a tool that some call could use. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { compile, type Expr, type PolicyRequest, type Rule } from "../../../src/policy/index.ts";
import { runsOf } from "../../fixtures/effort.ts";

const leaf: fc.Arbitrary<Expr> = fc.oneof(
  fc.boolean().map((value): Expr => ({ op: "literal", value })),
  fc
    .constantFrom<[string, string]>(
      ["subject", "id"],
      ["args", "x"],
      ["context", "x"],
      ["subject", "model"],
    )
    .chain(([root, name]) =>
      fc.constantFrom("a", "b", 1).map(
        (value): Expr => ({
          op: "compare",
          how: "==",
          left: { op: "field", of: { op: "root", name: root as "args" }, name },
          right: { op: "literal", value },
        }),
      ),
    ),
  fc
    .constantFrom("args", "subject")
    .map((name): Expr => ({ op: "has", of: { op: "root", name: name as "args" }, name: "model" })),
);

const condition: fc.Arbitrary<Expr> = fc.letrec<{ expr: Expr }>((tie) => ({
  expr: fc.oneof(
    { maxDepth: 4, depthSize: "medium" },
    leaf,
    tie("expr").map((of): Expr => ({ op: "not", of })),
    fc
      .tuple(fc.constantFrom("and", "or"), tie("expr"), tie("expr"))
      .map(([op, left, right]): Expr => ({ op: op as "and", left, right })),
    fc
      .tuple(tie("expr"), tie("expr"), tie("expr"))
      // biome-ignore lint/suspicious/noThenProperty: the word of the language; never awaited
      .map(([a, b, c]): Expr => ({ op: "if", test: a, then: b, else: c })),
    fc.tuple(fc.constantFrom("exists", "all", "exists_one"), tie("expr")).map(
      ([op, body]): Expr => ({
        op: op as "all",
        of: { op: "literal", value: [1, 2] },
        name: "i",
        body,
      }),
    ),
  ),
})).expr;

const ruleSet = fc.array(
  fc.record({
    agents: fc.constantFrom(undefined, ["a"], ["b"]),
    when: fc.option(condition, { nil: undefined }),
    outcome: fc.constantFrom("allow", "allow", "deny", "sanitize", "approval_needed"),
    onFailure: fc.constantFrom("deny", "open"),
  }),
  { minLength: 1, maxLength: 4 },
);

const value = fc.constantFrom("a", "b", 1, true);
const facts = fc.record({ x: value, model: value }, { requiredKeys: [] });
const call = fc.record({
  id: fc.constantFrom("a", "b"),
  model: fc.constantFrom(undefined, "a"),
  delegation: fc.constantFrom([], ["b"], ["a"]),
  effect: fc.constantFrom("read", "write"),
  args: facts,
  context: facts,
});

test("whatever decide lets through, couldAllow foresaw", () => {
  const seen = { allowed: 0, hidden: 0 };
  fc.assert(
    fc.property(ruleSet, call, (sketches, { id, model, delegation, effect, args, context }) => {
      const rules = sketches.map(({ agents, when, outcome, onFailure }, i) => ({
        id: `p/${i}`,
        match: agents ? { agents } : {},
        ...(when ? { when } : {}),
        outcome,
        obligations: [],
        onFailure,
        reason: "",
        source: "",
      })) as Rule[];
      const engine = compile({ formatVersion: 3, rules, tools: [], limits: [] }, "r");
      const request = {
        subject: { type: "agent", id, ...(model ? { model } : {}), delegation, properties: {} },
        action: { name: "s:t", effect, risk: "high", properties: {} },
        resource: { type: "tool", id: "s:t", properties: {} },
        args,
        context,
      } as PolicyRequest;
      const could = engine.couldAllow(request.subject, request.action);
      if (!could) seen.hidden++;
      if (engine.decide(request).outcome === "deny") return;
      seen.allowed++;
      expect(could).toBe(true);
    }),
    { numRuns: runsOf(5_000) },
  );
  expect(seen.allowed).toBeGreaterThan(runsOf(500));
  expect(seen.hidden).toBeGreaterThan(runsOf(500));
});
