/** What people are told about a verdict, and policy tests as data. */
import { expect, test } from "vitest";
import {
  explain,
  formatDiagnostic,
  loadPolicySet,
  type PolicySet,
  readRequest,
  renderExplanation,
  runCases,
} from "../../../src/policy/index.ts";

const policy = `policy: pay
rules:
- id: small
  match: { tools: s:pay, agents: "*-bot" }
  when: args.amount < 100 && (args.currency == "EUR" || subject.id == "boss")
  outcome: sanitize
  reason: small
  obligations:
  - { redact: args.card, with: mask, keep: 4 }
  - { require: args.to, matches: "^acct_" }
- id: never
  match: { tools: s:drop }
  outcome: deny
  reason: never
`;

function loaded(): PolicySet {
  const { set } = loadPolicySet([
    {
      path: "tools.yaml",
      text: "tools: { s:pay: { effect: write, risk: critical }, s:drop: { effect: write } }",
    },
    { path: "pay.yaml", text: policy },
  ]);
  if (!set) throw new Error("not loaded");
  return set;
}

function explained(args: string): ReturnType<typeof explain> {
  const text = `{ agent: a-bot, tool: "s:pay", args: ${args} }`;
  const { request, diagnostics } = readRequest({ path: "r.yaml", text }, loaded());
  expect(diagnostics).toEqual([]);
  if (!request) throw new Error("no request");
  return explain(loaded(), request);
}

test("each rule says whether it looks at the call, and which part does not fit", () => {
  const [agent] = explained("{ amount: 5, currency: EUR, to: acct_1 }").agents;
  expect(agent?.rules.map(({ rule, result, unfit }) => ({ rule, result, unfit }))).toEqual([
    { rule: "pay/never", result: "not_matched", unfit: ["tools"] },
    { rule: "pay/small", result: "true", unfit: [] },
  ]);
});

test("only what decided is shown, with the values of its operands", () => {
  const [agent] = explained("{ amount: 500, currency: USD, to: acct_1 }").agents;
  expect(agent?.rules[1]?.deciding).toEqual([
    { text: "args.amount < 100", value: false },
    { text: "args.amount", value: 500 },
    { text: 'args.currency == "EUR"', value: false },
    { text: "args.currency", value: "USD" },
    { text: 'subject.id == "boss"', value: false },
    { text: "subject.id", value: "a-bot" },
  ]);
});

test("what could not be evaluated says why", () => {
  const explanation = explained('{ amount: "5", currency: EUR, to: acct_1 }');
  expect(explanation.verdict.outcome).toBe("deny");
  expect(explanation.agents[0]?.rules[1]).toMatchObject({
    result: "indeterminate",
    deciding: [
      { text: "args.amount < 100", why: "no order between string and number" },
      { text: "args.amount", value: "5" },
    ],
  });
});

test("the text form", () => {
  expect(renderExplanation(explained("{ amount: 5, currency: EUR, to: x }"))).toBe(
    `deny: small: args.to does not satisfy ^acct_
  decided by pay/small
  s:pay is a write of risk critical

for a-bot
  !  pay/small (sanitize)  denies: a requirement fails  pay.yaml:3
       when args.amount < 100 && (args.currency == "EUR" || subject.id == "boss")  is true
            args.amount < 100  is true
            args.amount  is 5
            args.currency == "EUR"  is true
            args.currency  is "EUR"
       args.to does not satisfy ^acct_
  -  pay/never  other tools`,
  );
});

const cases = `cases:
- name: masked
  request: { agent: a-bot, tool: "s:pay", args: { amount: 5, currency: EUR, to: acct_1, card: "12345678" } }
  expect: { outcome: sanitize, rule: pay/small, args: { amount: 5, currency: EUR, to: acct_1, card: "****5678" } }
- name: wrong on purpose
  request: { agent: a-bot, tool: "s:pay", args: { amount: 5, currency: EUR, to: acct_1, card: "12345678" } }
  expect:
    outcome: allow
    rule: []
    reason: large
    args: { amount: 5 }
- name: default deny
  request: { agent: other, tool: "s:pay" }
  expect: { outcome: deny, rule: [] }
`;

test("cases pass, or say at their place what is different", () => {
  const run = runCases(loaded(), [{ path: "pay.test.yaml", text: cases }]);
  expect(run.diagnostics).toEqual([]);
  expect(run.results.map(({ name, line, failures }) => [name, line, failures.length])).toEqual([
    ["masked", 2, 0],
    ["wrong on purpose", 5, 4],
    ["default deny", 12, 0],
  ]);
  const [outcome] = run.results[1]?.failures ?? [];
  expect(outcome && formatDiagnostic(outcome)).toBe(
    "pay.test.yaml:8:14: error: wrong on purpose: outcome is sanitize, not allow",
  );
});

test("a case that cannot be read is a fault, not a pass", () => {
  const text =
    "cases:\n- name: x\n  reqest: { agent: a, tool: s:pay }\n  expect: { outcome: deny }\n";
  const run = runCases(loaded(), [{ path: "pay.test.yaml", text }]);
  expect(run.results).toEqual([]);
  expect(run.diagnostics.map(({ code, nearest }) => ({ code, nearest }))).toContainEqual({
    code: "unknown-field",
    nearest: "request",
  });
});
