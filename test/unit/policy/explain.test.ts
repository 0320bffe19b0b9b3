/** What people are told about a verdict, and policy tests as data. */
import { expect, test } from "vitest";
import {
  caseRequests,
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

test("of a choice, its test and what was chosen are shown", () => {
  const choosing = (when: string) => {
    const text = `policy: p\nrules:\n- { id: r, match: {}, outcome: deny, reason: r, when: ${JSON.stringify(when)} }\n`;
    const { set } = loadPolicySet([{ path: "p.yaml", text }]);
    const { request } = readRequest(
      { path: "r.yaml", text: '{ agent: a, tool: "s:t", args: { n: 1 } }' },
      loaded(),
    );
    if (!set || !request) throw new Error("not loaded");
    return explain(set, request).agents[0]?.rules[0]?.deciding.map(({ text }) => text);
  };
  const [yes, no] = ["args.n == 2", "args.n in [3]"];
  expect(choosing(`args.n == 1 ? ${yes} : ${no}`)).toEqual([
    ...["args.n == 1", "args.n", "args.n == 2", "args.n"],
  ]);
  expect(choosing(`args.n == 5 ? ${yes} : ${no}`)).toEqual([
    ...["args.n == 5", "args.n", "args.n in [3]", "args.n"],
  ]);
  expect(choosing(`args.x == 5 ? ${yes} : ${no}`)).toEqual(["args.x == 5", "args.x"]);
  expect(choosing("[1].exists_one(i, i == 1)")).toEqual(["[1].exists_one(i, i == 1)", "[1]"]);
  expect(choosing("context.a.startsWith(subject.id)")).toEqual([
    ...["context.a.startsWith(subject.id)", "context.a", "subject.id"],
  ]);
  expect(choosing("has(args.n)")).toEqual(["has(args.n)"]);
  expect(choosing('!args.n.matches("a")')).toEqual(['args.n.matches("a")', "args.n"]);
  expect(choosing("context.a.startsWith(subject.id) || [1].all(i, i == 1)")).toEqual([
    ...["[1].all(i, i == 1)", "[1]"],
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

const oneCase = (request: string, expect_ = "{ outcome: deny }"): string =>
  `cases:\n- name: x\n  request: ${request}\n  expect: ${expect_}\n`;
const small =
  '{ agent: a-bot, tool: "s:pay", args: { amount: 5, currency: EUR, to: acct_1, card: 1 } }';

test.each<[string, readonly string[]]>([
  [oneCase(small, "{ outcome: sanitize, rule: pay/small, reason: small }"), []],
  [oneCase(small, "{ outcome: sanitize, rule: [pay/small] }"), []],
  [
    oneCase(small, "{ outcome: deny, rule: [], reason: no, args: {} }"),
    [
      "4:22: error: x: outcome is sanitize, not deny",
      "4:46: error: x: reason is small, not no",
      "4:34: error: x: deciding rule is pay/small, not none",
      '4:56: error: x: arguments is {"amount":5,"card":"*","currency":"EUR","to":"acct_1"}, not {}',
    ],
  ],
  [
    oneCase('{ agent: a, tool: "s:none" }', "{ outcome: deny, rule: [z/b, a/a] }"),
    ["4:34: error: x: deciding rule is none, not a/a, z/b"],
  ],
  [
    oneCase(
      '{ agent: a-bot, tool: "s:drop", effect: read }',
      "{ outcome: deny, rule: [pay/never] }",
    ),
    [],
  ],
  [
    oneCase(
      "{ agent: 5, tool: s, args: [], delegation: x, risk: mid, resource: { type: t } }",
      "{}",
    ),
    [
      "3:21: error: expected a string, found the number 5\n    put it in quotes",
      "3:30: error: s is not a tool id (server:tool)",
      "3:39: error: expected a map",
      '3:55: error: expected a list, found the string "x"',
      '3:64: error: "mid" is not one of low, high, critical',
      "3:79: error: a resource needs id",
      "4:11: error: expect needs outcome",
    ],
  ],
  ["cases: []\n", []],
  [
    "case: []\n",
    [
      '1:1: error: a case file has no field "case"; did you mean cases?\n    its fields are cases',
      "1:1: error: a case file needs cases",
    ],
  ],
  [
    "cases:\n- 5\n- { name: x }\n",
    [
      "2:3: error: expected a case (a map), found the number 5",
      "3:3: error: a case needs request",
      "3:3: error: a case needs expect",
    ],
  ],
  ["- x\n", ["1:1: error: expected a case file (a map), found a list"]],
  ["", []],
  [
    "cases: [\n",
    [
      "2:1: error: Flow sequence in block collection must be sufficiently indented and end with a ]",
    ],
  ],
])("cases say what is wrong, and where: %j", (text, says) => {
  const run = runCases(loaded(), [{ path: "c.yaml", text }]);
  const failures = run.results.flatMap((each) => each.failures);
  const said = [...run.diagnostics, ...failures].map(formatDiagnostic);
  expect(said).toEqual(says.map((each) => `c.yaml:${each}`));
});

test("a request has the effect and risk of the catalog, or says its own", () => {
  const read = (text: string) => readRequest({ path: "r.yaml", text }, loaded()).request;
  expect(read('{ agent: a, tool: "s:pay" }')).toEqual({
    subject: { type: "agent", id: "a", delegation: [], properties: {} },
    action: { name: "s:pay", effect: "write", risk: "critical", properties: {} },
    resource: { type: "tool", id: "s:pay", properties: {} },
    args: {},
    context: {},
  });
  const full = `{ agent: a, tool: "s:pay", model: m, principal: p, tenant: t, delegation: [b, c], properties: { x: 1 },
    effect: read, risk: low, resource: { type: box, id: in, properties: { y: 2 } }, args: { n: 1 }, context: { z: 3 } }`;
  expect(read(full)).toEqual({
    subject: {
      ...{
        type: "agent",
        id: "a",
        model: "m",
        principal: "p",
        tenant: "t",
        delegation: ["b", "c"],
      },
      properties: { x: 1 },
    },
    action: { name: "s:pay", effect: "read", risk: "low", properties: {} },
    resource: { type: "box", id: "in", properties: { y: 2 } },
    args: { n: 1 },
    context: { z: 3 },
  });
  expect(read('{ agent: a, tool: "s:other" }')?.action).toMatchObject({
    effect: "write",
    risk: "high",
  });
  expect(read("{ agent: a }")).toBeUndefined();
  expect(read("{")).toBeUndefined();
});

test("requests of case files are those that their cases ask, and none of what cannot be read", () => {
  const files = [oneCase(small), oneCase("{ agent: a }"), "- x\n", "["].map((text) => ({
    path: "c.yaml",
    text,
  }));
  const asked = caseRequests(loaded(), files);
  expect(asked.map(({ subject, args }) => [subject.id, args["amount"]])).toEqual([["a-bot", 5]]);
});
