/** Limits of a policy folder: what they become, which calls they look at, what people are told. */
import { expect, test } from "vitest";
import {
  compile,
  explain,
  formatDiagnostic,
  type Limit,
  loadPolicySet,
  type PolicySet,
  readRequest,
  renderExplanation,
  revisionOf,
} from "../../../src/policy/index.ts";

function loaded(...texts: readonly string[]): PolicySet {
  const files = texts.map((text, i) => ({ path: `${i}.yaml`, text }));
  const { set, diagnostics } = loadPolicySet(files);
  expect(diagnostics.map(formatDiagnostic)).toEqual([]);
  if (!set) throw new Error("not loaded");
  return set;
}

const tools = `tools:
  pay:create: { effect: write, cost_estimate_micro_usd: 5, token_estimate: 7 }
  pay:list: { effect: read }
  llm:ask: { effect: read, token_estimate: 10, token_estimate_from: "args.options[\\"max tokens\\"]" }
`;
const declared = `limits:
- id: refunds
  match: { tools: "pay:*", agents: desk-*, effect: write }
  each: [tool, agent, tool]
  calls_max: 100
  window_seconds: 3600
- { id: money, budget_micro_usd: 50, period: month }
- { id: asked, each: model, budget_tokens: 9, period: week }
- { id: all, match: { tools: llm:ask }, budget_calls: 0, period: day }
`;

test("each limit says what it counts, apart for whom, and how much", () => {
  const { limits } = loaded(tools + declared);
  expect(limits).toEqual([
    {
      id: "all",
      match: { tools: ["llm:ask"] },
      each: [],
      cap: { kind: "budget", unit: "calls", max: 0, period: "day" },
      source: "0.yaml:13",
    },
    {
      id: "asked",
      match: {},
      each: ["model"],
      cap: { kind: "budget", unit: "tokens", max: 9, period: "week" },
      source: "0.yaml:12",
    },
    {
      id: "money",
      match: {},
      each: [],
      cap: { kind: "budget", unit: "micro_usd", max: 50, period: "month" },
      source: "0.yaml:11",
    },
    {
      id: "refunds",
      match: { tools: ["pay:*"], agents: ["desk-*"], effect: "write" },
      each: ["agent", "tool"],
      cap: { kind: "rate", callsMax: 100, windowSeconds: 3_600 },
      source: "0.yaml:6",
    },
  ] satisfies readonly Limit[]);
});

test("what stands at an agent is a limit like any other", () => {
  const { limits } = loaded(
    'agents: { "*": { calls_per_minute_max: 60 }, desk: { budget_micro_usd_per_day: 5, calls_per_minute_max: 0 }, free: {} }',
  );
  expect(limits).toEqual([
    {
      id: "agents/*/calls_per_minute_max",
      match: { agents: ["*"] },
      each: ["agent"],
      cap: { kind: "rate", callsMax: 60, windowSeconds: 60 },
      source: "0.yaml:1",
    },
    {
      id: "agents/desk/budget_micro_usd_per_day",
      match: { agents: ["desk"] },
      each: ["agent"],
      cap: { kind: "budget", unit: "micro_usd", max: 5, period: "day" },
      source: "0.yaml:1",
    },
    {
      id: "agents/desk/calls_per_minute_max",
      match: { agents: ["desk"] },
      each: ["agent"],
      cap: { kind: "rate", callsMax: 0, windowSeconds: 60 },
      source: "0.yaml:1",
    },
  ]);
});

test("a limit looks at the calls that its match fits", () => {
  const { limitsOf, limits } = compile(loaded(tools + declared), "r");
  const ids = (agent: string, name: `${string}:${string}`, effect: "read" | "write"): string =>
    limitsOf(agent, { name, effect })
      .map(({ id }) => id)
      .join();
  expect(ids("desk-1", "pay:create", "write")).toBe("asked,money,refunds");
  expect(ids("desk-1", "pay:list", "read")).toBe("asked,money");
  expect(ids("other", "pay:create", "write")).toBe("asked,money");
  expect(ids("other", "llm:ask", "read")).toBe("all,asked,money");
  expect(limits.map(({ id }) => id)).toEqual(["all", "asked", "money", "refunds"]);
});

test("tokens of a tool: what the catalog says, and the argument that says otherwise", () => {
  const { tool } = compile(loaded(tools), "r");
  expect(tool("llm:ask")?.tokens).toEqual({ estimate: 10, from: ["options", "max tokens"] });
  expect(tool("pay:create")?.tokens).toEqual({ estimate: 7 });
  expect(tool("pay:list")).not.toHaveProperty("tokens");
});

test("the revision depends on every limit, and not on their order", () => {
  const set = loaded(tools, declared);
  expect(revisionOf({ ...set, limits: set.limits.toReversed() })).toBe(revisionOf(set));
  expect(revisionOf(loaded(declared, tools))).not.toBe(revisionOf(set));
  expect(revisionOf({ ...set, limits: set.limits.slice(1) })).not.toBe(revisionOf(set));
});

test("an id stands once in a folder, and 256 limits at most", () => {
  const said = (...texts: readonly string[]): readonly string[] =>
    loadPolicySet(texts.map((text, i) => ({ path: `${i}.yaml`, text }))).diagnostics.map(
      formatDiagnostic,
    );
  const one = "limits: [{ id: a, budget_calls: 1, period: day }]";
  expect(said(one, one)).toEqual(["1.yaml:1:16: error: the limit a is already at 0.yaml:1"]);
  const many = (count: number): string =>
    `limits:\n${Array.from({ length: count }, (_, i) => `- { id: a${i}, budget_calls: 1, period: day }\n`).join("")}`;
  expect(said(many(256))).toEqual([]);
  expect(said(many(257))).toEqual(["0.yaml:1:1: error: 257 limits in this folder are over 256"]);
});

test("people are told which limits count a call", () => {
  const rule = "policy: p\nrules: [{ id: r, match: { tools: pay:create }, outcome: allow }]";
  const set = loaded(tools + declared, rule);
  const text = '{ agent: desk-1, tool: "pay:create", delegation: [boss] }';
  const { request } = readRequest({ path: "r.yaml", text }, set);
  if (!request) throw new Error("no request");
  expect(renderExplanation(explain(set, request)).split("\n").slice(3)).toEqual([
    "",
    "for desk-1",
    "  ✓  p/r (allow)  true  1.yaml:2",
    "  counted by asked: 9 tokens a week, for each model  0.yaml:12",
    "  counted by money: 0.00005 USD a month  0.yaml:11",
    "  counted by refunds: 100 calls in 3600 s, for each agent and tool  0.yaml:6",
    "",
    "for boss",
    "  ✓  p/r (allow)  true  1.yaml:2",
    "  counted by asked: 9 tokens a week, for each model  0.yaml:12",
    "  counted by money: 0.00005 USD a month  0.yaml:11",
  ]);
});
