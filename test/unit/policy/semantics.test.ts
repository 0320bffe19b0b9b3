/** What a set of rules answers, case by case; written in the policy language itself. */
import { expect, test } from "vitest";
import { canonicalJson, type JsonObject } from "../../../src/kernel/index.ts";
import {
  compile,
  type Engine,
  type Expr,
  formatDiagnostic,
  loadPolicySet,
  type Obligation,
  type PolicyRequest,
  type Rule,
} from "../../../src/policy/index.ts";

function engine(rules: string, tools = ""): Engine {
  const text = `policy: p\nrules:\n${rules}\n`;
  const files = [{ path: "p.yaml", text }];
  if (tools !== "") files.push({ path: "t.yaml", text: `tools:\n${tools}\n` });
  const { set, diagnostics } = loadPolicySet(files);
  expect(diagnostics.filter((d) => d.severity === "error").map(formatDiagnostic)).toEqual([]);
  if (!set) throw new Error("not loaded");
  return compile(set, "test");
}

interface Asked {
  readonly effect?: "read" | "write";
  readonly tool?: `${string}:${string}`;
  readonly delegation?: readonly string[];
  readonly model?: string;
}

function ask(args: JsonObject, asked: Asked = {}): PolicyRequest {
  return {
    subject: {
      type: "agent",
      id: "bot",
      ...(asked.model === undefined ? {} : { model: asked.model }),
      delegation: asked.delegation ?? [],
      properties: {},
    },
    action: {
      name: asked.tool ?? "s:t",
      effect: asked.effect ?? "write",
      risk: "high",
      properties: {},
    },
    resource: { type: "tool", id: "s:t", properties: {} },
    args,
    context: {},
  };
}

const rule = (id: string, outcome: string, rest = ""): string =>
  `- { id: ${id}, match: {}, outcome: ${outcome}, reason: ${id} says ${outcome}${rest} }`;
const when = (condition: string): string => `, when: ${JSON.stringify(condition)}`;

test("no rule, no call", () => {
  const verdict = engine("- { id: a, match: { tools: 'x:*' }, outcome: allow }").decide(ask({}));
  expect(verdict).toEqual({
    outcome: "deny",
    reason: "no rule allows this",
    determiningRules: [],
    indeterminate: [],
    obligations: [],
    opened: false,
  });
});

test("deny over approval_needed over sanitize over allow, whatever the order", () => {
  const rules = ["allow", "approval_needed", "deny"].map((outcome, i) => rule(`r${i}`, outcome));
  rules.push(
    "- { id: s, match: {}, outcome: sanitize, obligations: [{redact: args.a, with: remove}] }",
  );
  const decide = (some: string[]): string => engine(some.join("\n")).decide(ask({})).outcome;
  expect(decide(rules)).toBe("deny");
  expect(decide([...rules].reverse())).toBe("deny");
  expect(decide(rules.filter((each) => !each.includes("deny")))).toBe("approval_needed");
  expect(decide(rules.filter((each) => /allow|sanitize/.test(each)))).toBe("sanitize");
});

test("reason and rules are those of the smallest id that decides", () => {
  const verdict = engine(
    [rule("b", "deny"), rule("a", "deny"), rule("c", "allow")].join("\n"),
  ).decide(ask({}));
  expect(verdict).toMatchObject({ reason: "a says deny", determiningRules: ["p/a", "p/b"] });
});

/** Value of each condition on `args`: true, false, or none (so the write is denied). */
const values: readonly [condition: string, args: JsonObject, value: boolean | "none"][] = [
  ["args.x == 1", { x: 1 }, true],
  ["args.x == 1", { x: 1.0 }, true],
  ["args.x == 1", { x: "1" }, "none"],
  ["args.x == 1", {}, "none"],
  ["args.x != 1", { x: null }, "none"],
  ["args.x == null", { x: null }, true],
  ["args.x == [1, 2]", { x: [1, 2] }, true],
  ["args.x == [1, 2]", { x: [1] }, false],
  ["args.x == [1, 2]", { x: [1, "2"] }, "none"],
  ["args.x == args.y", { x: { a: 1 }, y: { a: 1 } }, true],
  ["args.x == args.y", { x: { a: 1 }, y: { b: 1 } }, false],
  ["args.x == args.y", { x: { a: 1 }, y: { a: "1" } }, "none"],
  ["args.x < 'b'", { x: "a" }, true],
  ["args.x < '\u{1F600}'", { x: "\uFFFD" }, true],
  ["args.x < true", { x: false }, true],
  ["args.x < 'b'", { x: 1 }, "none"],
  ["args.x == 1 || args.y == 1", { x: "1", y: 1 }, true],
  ["args.y == 1 || args.x == 1", { x: "1", y: 1 }, true],
  ["args.x == 1 || args.y == 1", { x: "1", y: 2 }, "none"],
  ["args.x == 1 && args.y == 1", { x: "1", y: 2 }, false],
  ["args.x == 1 && args.y == 1", { x: "1", y: 1 }, "none"],
  ["args.x && true", { x: 1 }, "none"],
  ["!args.x", { x: 1 }, "none"],
  ["args.x ? true : args.nope", { x: true }, true],
  ["args.x ? true : args.nope", { x: false }, "none"],
  ["1 in args.x", { x: [1] }, true],
  ["1 in args.x", { x: ["1", 1] }, true],
  ["1 in args.x", { x: ["1", 2] }, "none"],
  ["1 in args.x", { x: [] }, false],
  ["'a' in args.x", { x: { a: null } }, true],
  ["'toString' in args.x", { x: {} }, false],
  ["args.x in args.y", { x: 1, y: { a: 1 } }, "none"],
  ["has(args.x)", {}, false],
  ["has(args.x)", { x: null }, true],
  ["has(args.x.y)", { x: 1 }, "none"],
  ["has(args.constructor)", {}, false],
  ["args.x[0] == 1", { x: [1] }, true],
  ["args.x[1] == 1", { x: [1] }, "none"],
  ["args.x[args.i] == 1", { x: [1], i: -1 }, "none"],
  ["args.x[args.i] == 1", { x: [1], i: "length" }, "none"],
  ["args.x['a'] == 1", { x: { a: 1 } }, true],
  ["size(args.x) == 2", { x: "\u{1F600}a" }, true],
  ["size(args.x) == 2", { x: [1, 2] }, true],
  ["size(args.x) == 1", { x: { a: 1 } }, true],
  ["size(args.x) == 1", { x: 1 }, "none"],
  ["args.x.startsWith('a') && args.x.endsWith('c') && args.x.contains('b')", { x: "abc" }, true],
  ["args.x.startsWith('a')", { x: 1 }, "none"],
  ["args.x.matches('b')", { x: "abc" }, true],
  ["args.x.matches('^b')", { x: "abc" }, false],
  ["args.x.matches('1')", { x: 1 }, "none"],
  ["args.x.exists(i, i == 1)", { x: ["1", 1] }, true],
  ["args.x.exists(i, i == 1)", { x: ["1", 2] }, "none"],
  ["args.x.exists(i, i == 1)", { x: [2] }, false],
  ["args.x.all(i, i == 1)", { x: ["1", 2] }, false],
  ["args.x.all(i, i == 1)", { x: ["1", 1] }, "none"],
  ["args.x.all(i, i == 1)", { x: [] }, true],
  ["args.x.exists_one(i, i == 1)", { x: [1, 2] }, true],
  ["args.x.exists_one(i, i == 1)", { x: [1, 1] }, false],
  ["args.x.exists_one(i, i == 1)", { x: [1, "1"] }, "none"],
  ["args.x.exists(k, k == 'a')", { x: { a: 1 } }, true],
  ["args.x.exists(i, args.y.exists(j, i == j))", { x: [1, 2], y: [2, 3] }, true],
  ["args.x + 1 == 3", { x: 2 }, true],
  ["args.x + 'b' == 'ab'", { x: "a" }, true],
  ["args.x + [2] == [1, 2]", { x: [1] }, true],
  ["args.x + 1 == 3", { x: "2" }, "none"],
  ["args.x * args.x > 0", { x: 9_007_199_254_740_991 }, "none"],
  ["args.x % 3 == -1", { x: -7 }, true],
  ["args.x % 0 == 0", { x: 1 }, "none"],
  ["args.x % 2 == 0", { x: 1.5 }, "none"],
  ["args.x / 2.0 == 1.5", { x: 3 }, true],
  ["1.0 / args.x > 0", { x: 0 }, "none"],
  ["args.x", { x: 1 }, "none"],
];

for (const [condition, args, value] of values)
  test(`${condition} of ${canonicalJson(args)} is ${value}`, () => {
    const verdict = engine(rule("a", "allow", when(condition))).decide(ask(args));
    expect(verdict.indeterminate.length > 0 ? "none" : verdict.outcome === "allow").toBe(value);
    if (value === "none") expect(verdict.outcome).toBe("deny");
  });

test("an indeterminate rule of any outcome denies a write, and says which", () => {
  const rules = [rule("ok", "allow"), rule("odd", "allow", when("args.x > 1"))].join("\n");
  expect(engine(rules).decide(ask({ x: "2" }))).toEqual({
    outcome: "deny",
    reason: "the rule p/odd could not be evaluated",
    determiningRules: ["p/odd"],
    indeterminate: [{ rule: "p/odd", why: "no order between string and number" }],
    obligations: [],
    opened: false,
  });
});

test("a read opens where the rule says so, a write only at risk low in the catalog", () => {
  const odd = `${when("args.x > 1")}, on_failure: open`;
  const rules = [rule("ok", "allow"), rule("odd", "deny", odd)].join("\n");
  const tools = "  s:t: { effect: write }\n  s:low: { effect: write, risk: low, on_failure: open }";
  const decide = (asked: Asked): unknown => {
    const { outcome, opened } = engine(rules, tools).decide(ask({}, asked));
    return { outcome, opened };
  };
  expect(decide({ effect: "read" })).toEqual({ outcome: "allow", opened: true });
  expect(decide({ effect: "write" })).toEqual({ outcome: "deny", opened: false });
  expect(decide({ tool: "s:low" })).toEqual({ outcome: "allow", opened: true });
});

test("a requirement that fails makes its rule a deny", () => {
  const need = (more = ""): Engine =>
    engine(
      `- { id: a, match: {}, outcome: allow, reason: pay, obligations: [{require: "args.items[*].c", matches: "^[A-Z]{3}$"${more}}] }`,
    );
  const decide = (args: JsonObject, more?: string): string => need(more).decide(ask(args)).outcome;
  expect(decide({ items: [{ c: "EUR" }, { c: "USD" }] })).toBe("allow");
  expect(decide({ items: [{ c: "EUR" }, {}] })).toBe("deny");
  expect(decide({ items: [{ c: "EUR" }, {}] }, ", optional: true")).toBe("allow");
  expect(decide({ items: [{ c: "eur" }] })).toBe("deny");
  expect(decide({ items: [{ c: ["EUR"] }] })).toBe("deny");
  expect(need().decide(ask({ items: [{ c: "eur" }] }))).toMatchObject({
    reason: "pay: args.items[*].c does not satisfy ^[A-Z]{3}$",
    determiningRules: ["p/a"],
  });
});

test("rights are the intersection along the delegation chain", () => {
  const rules = "- { id: a, match: { agents: [bot, other] }, outcome: allow, reason: fine }";
  expect(engine(rules).decide(ask({}, { delegation: ["other"] })).outcome).toBe("allow");
  expect(engine(rules).decide(ask({}, { delegation: ["other", "third"] }))).toMatchObject({
    outcome: "deny",
    reason: "no rule allows this (for third in the delegation chain)",
  });
});

test("obligations of every true rule are kept, once each, by rule id", () => {
  const oblige = (id: string, path: string): string =>
    `- { id: ${id}, match: {}, outcome: sanitize, obligations: [{redact: ${path}, with: remove}] }`;
  const set = [oblige("b", "args.x"), oblige("a", "args.y"), oblige("c", "args.x")].join("\n");
  expect(engine(set).decide(ask({})).obligations).toEqual([
    { kind: "redact", path: ["y"], replacement: { with: "remove" } },
    { kind: "redact", path: ["x"], replacement: { with: "remove" } },
  ]);
  expect(engine(set).redactions("s:t")).toHaveLength(2);
});

test("an optional fact of the subject that is absent is absent, not null", () => {
  const only = engine(rule("a", "allow", when("has(subject.model) && subject.model == 'm'")));
  expect(only.decide(ask({}, { model: "m" })).outcome).toBe("allow");
  expect(only.decide(ask({}))).toMatchObject({ outcome: "deny", indeterminate: [] });
});

test("a condition that comes to no bool cannot be evaluated, and says why", () => {
  const { indeterminate } = engine(rule("a", "allow", when("args.n"))).decide(ask({ n: 5 }));
  expect(indeterminate).toEqual([{ rule: "p/a", why: "the condition is a number, not a bool" }]);
});

test("a requirement is of texts, numbers and booleans; nothing else satisfies it", () => {
  const requiring = (more: string): Engine =>
    engine(
      rule(
        "a",
        "allow",
        `, obligations: [{ require: args.x, matches: "^(5|1.5|true|a)$"${more} }]`,
      ),
    );
  const [needed, optional] = [requiring(""), requiring(", optional: true")];
  for (const x of [5, 1.5, true, "a"]) {
    expect(needed.decide(ask({ x })).outcome, String(x)).toBe("allow");
    expect(optional.decide(ask({ x })).outcome, String(x)).toBe("allow");
  }
  for (const x of [6, false, "b", null, [], ["a"], {}, { a: 5 }]) {
    const { outcome, reason } = optional.decide(ask({ x }));
    expect(`${outcome}: ${reason}`).toBe(
      "deny: a says allow: args.x does not satisfy ^(5|1.5|true|a)$",
    );
  }
  expect(needed.decide(ask({})).outcome).toBe("deny");
  expect(optional.decide(ask({})).outcome).toBe("allow");
});

test("a set that no loader lets through does not compile, and the broken invariant is named", () => {
  const compiled = (changes: Partial<Rule>): Engine => {
    const common = {
      match: {},
      obligations: [],
      onFailure: "deny",
      reason: "",
      source: "",
    } as const;
    const only: Rule = { ...common, id: "p/a", outcome: "allow", ...changes };
    return compile({ formatVersion: 3, rules: [only], tools: [], limits: [] }, "r");
  };
  const local: Expr = { op: "local", name: "x" };
  expect(() => compiled({ when: local })).toThrow("the variable x is bound");
  const checked = "the pattern ( was checked when the policy was loaded";
  const args: Expr = { op: "root", name: "args" };
  expect(() => compiled({ when: { op: "matches", of: args, pattern: "(" } })).toThrow(checked);
  const requirement: Obligation = { kind: "require", path: ["x"], pattern: "(", required: true };
  expect(() => compiled({ obligations: [requirement] })).toThrow(checked);
});
