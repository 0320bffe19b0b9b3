/** What a rule does while the runtime model does not know is checked when it is loaded, and never opens a write. */
import { expect, test } from "vitest";
import type { ModelFacts, PolicyRequest } from "../../../src/policy/decision.ts";
import { compile } from "../../../src/policy/engine.ts";
import { loadPolicySet } from "../../../src/policy/load.ts";

const catalog = `
tools:
  ops:restart: { effect: write, risk: low, on_failure: open, target: "service:{args.name}", change: restart }
  ops:look: { effect: read }
`;

function load(rules: string) {
  const files = [
    { path: "catalog.yaml", text: catalog },
    { path: "p.yaml", text: `policy: p\nrules:\n${rules}` },
  ];
  return loadPolicySet(files);
}

const codes = (rules: string): readonly string[] =>
  load(rules).diagnostics.map(({ code, file, line }) => `${code} ${file}:${line}`);

const rule = (
  id: string,
  when: string,
  outcome: string,
  match = "{ tools: ops:restart }",
): string =>
  `- id: ${id}\n  match: ${match}\n  when: ${JSON.stringify(when)}\n  outcome: ${outcome}\n  reason: because\n`;

const large = "model.blastRadius.trafficShare > 0.2";

test.each([
  ["unguarded deny", rule("r", large, "deny")],
  ["unguarded allow", rule("r", "model.blastRadius.trafficShare <= 0.2", "allow")],
  ["unguarded behind an argument", rule("r", `args.hot == true && ${large}`, "deny")],
  ["unguarded in one branch", rule("r", `args.hot == true ? ${large} : !model.known`, "deny")],
  ["a field of a field", rule("r", "has(model.blastRadius.trafficShare)", "deny")],
  ["a member of a list", rule("r", "model.blastRadius.zones.exists(z, z == 'eu')", "deny")],
  ["why without the guard", rule("r", 'model.why == "stale" || !model.known', "deny")],
])("a condition that cannot be evaluated without the model is refused: %s", (_, text) => {
  expect(codes(text)).toEqual(["model-absent p.yaml:5"]);
});

test.each([
  ["deny", rule("r", `model.known && ${large}`, "deny")],
  ["approval", rule("r", `model.known && ${large}`, "approval_needed")],
  ["has", rule("r", `has(model.blastRadius) && ${large}`, "deny")],
  [
    "the other rule looks at other tools",
    rule("r", `model.known && ${large}`, "deny") +
      rule("s", "!model.known", "deny", "{ tools: ops:look }"),
  ],
  [
    "the other rule asks for more",
    rule("r", `model.known && ${large}`, "deny") +
      rule("s", "!model.known && args.hot == true", "approval_needed"),
  ],
])("a rule that stops calls only while the model knows is refused: %s", (_, text) => {
  expect(codes(text)).toEqual(["model-silent p.yaml:5"]);
});

test.each([
  ["not known", rule("r", "!model.known", "allow")],
  ["not known or small", rule("r", `!model.known || !(${large})`, "allow")],
  ["sanitize", rule("r", "!has(model.dependents)", "sanitize")],
])("a rule that lets through for want of facts is refused: %s", (_, text) => {
  expect(codes(text)).toContain("model-opens p.yaml:5");
});

test.each([
  ["strict without facts", rule("r", `!model.known || ${large}`, "deny")],
  ["allow with facts", rule("r", `model.known && model.blastRadius.trafficShare < 0.05`, "allow")],
  [
    "allow by an argument too",
    rule("r", `args.dry == true || (model.known && !(${large}))`, "allow"),
  ],
  ["a choice", rule("r", `model.known ? ${large} : true`, "deny")],
  [
    "deny with facts, ask without",
    rule("r", `model.known && ${large}`, "deny") + rule("s", "!model.known", "approval_needed"),
  ],
  [
    "the same further condition",
    rule("r", `args.hot == true && model.known && ${large}`, "deny") +
      rule("s", "args.hot == true && !model.known", "approval_needed", "{ tools: 'ops:*' }"),
  ],
  [
    "another rule that always asks",
    rule("r", `model.known && ${large}`, "deny") +
      "- { id: s, match: { tools: ops:restart }, outcome: approval_needed, reason: always }\n",
  ],
  [
    "a read may go on",
    rule("r", `model.known && ${large}`, "deny", "{ tools: ops:look, effect: read }"),
  ],
  ["why it is not known", rule("r", '!model.known && model.why == "stale"', "deny")],
])("a rule that handles absence loads: %s", (_, text) => {
  expect(codes(text)).toEqual([]);
});

test("a condition with too many other parts is to be split", () => {
  const parts = Array.from({ length: 13 }, (_, i) => `(args.a${i} == true && !model.known)`);
  expect(codes(rule("r", parts.join(" || "), "deny"))).toEqual(["model-unclear p.yaml:5"]);
});

test("a name that is no fact is refused with the nearest", () => {
  const [problem] = load(
    rule("r", "!model.known || model.blastRadius.trafficshare > 0.2", "deny"),
  ).diagnostics;
  expect(problem).toMatchObject({ code: "unknown-field", nearest: "trafficShare" });
});

const known: Extract<ModelFacts, { known: true }> = {
  known: true,
  target: "service:cart",
  ageSeconds: 1,
  blastRadius: {
    trafficShare: 0.5,
    trafficShareLow: 0.4,
    trafficShareHigh: 0.6,
    services: 2,
    zones: [],
    dataClasses: [],
  },
  dependents: 1,
  recentChanges: 0,
  memory: { count: 0, sameChange: 0 },
};

const request = (model?: ModelFacts): PolicyRequest => ({
  subject: { type: "agent", id: "bot", delegation: [], properties: {} },
  action: { name: "ops:restart", effect: "write", risk: "low", properties: {} },
  resource: { type: "tool", id: "ops:restart", properties: {} },
  args: { name: "cart" },
  context: {},
  ...(model === undefined ? {} : { model }),
});

function outcomes(rules: string): readonly string[] {
  const { set } = load(rules);
  if (set === undefined) throw new Error("the policy loads");
  const engine = compile(set, "r");
  const small = { ...known, blastRadius: { ...known.blastRadius, trafficShare: 0.01 } };
  return [known, small, { known: false, why: "stale" } as const, undefined].map(
    (model) => engine.decide(request(model)).outcome,
  );
}

test("known, small, stale and never asked", () => {
  const rules =
    rule("large", `model.known && ${large}`, "deny") +
    rule("unsure", "!model.known", "approval_needed") +
    "- { id: usual, match: { tools: ops:restart }, outcome: allow }\n";
  expect(outcomes(rules)).toEqual(["deny", "allow", "approval_needed", "approval_needed"]);
});

test("a tool that opens on failure does not open for want of a fact, whatever was loaded", () => {
  const { set } = load(
    rule("large", `!model.known || ${large}`, "deny") +
      "- { id: usual, match: { tools: ops:restart }, outcome: allow }\n",
  );
  if (set === undefined) throw new Error("the policy loads");
  // As a bundle of somebody else's might say it: without the guard.
  const bare = set.rules.map((one) => {
    const { when } = one;
    return when?.op === "or" ? { ...one, when: when.right } : one;
  });
  const verdict = compile({ ...set, rules: bare }, "r").decide(request());
  expect(verdict).toMatchObject({ outcome: "deny", opened: false });
});
