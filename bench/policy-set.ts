/** Policies of any size and the requests asked of them, the same for every engine. */
import type { Expr, PolicyRequest, PolicySet, Rule } from "../src/policy/index.ts";
import { Random } from "../src/sim/index.ts";

const agents = 20;
const requestsAsked = 512;

/**
 * `count` rules: each names an agent and a tool; a third have a condition on an argument, a tenth deny, a tenth name
 * their tool by a pattern with `*`.
 */
export function policySetOf(count: number): PolicySet {
  return {
    formatVersion: 3,
    rules: Array.from({ length: count }, (_, i) => ruleOf(i, count)),
    tools: [],
    limits: [],
  };
}

/** About four rules look at each pair of agent and tool that any rule names, whatever the number of rules. */
function toolOf(i: number, count: number): `${string}:${string}` {
  const tools = Math.max(2, Math.ceil(count / (agents * 4)));
  return `server-${Math.floor(i / agents) % tools}:tool-${(i * 7) % 3}`;
}

function agentOf(i: number): string {
  return `agent-${i % agents}`;
}

export const hasCondition = (i: number): boolean => i % 3 === 0;
export const hasGlob = (i: number): boolean => i % 10 === 4;
export const limitOf = (i: number): number => 100 + (i % 50) * 100;

function ruleOf(i: number, count: number): Rule {
  const tool = toolOf(i, count);
  return {
    id: `bench/rule-${String(i).padStart(5, "0")}`,
    match: { agents: [agentOf(i)], tools: [hasGlob(i) ? tool.replace(/\d$/, "*") : tool] },
    ...(hasCondition(i) ? { when: amountBelow(limitOf(i)) } : {}),
    outcome: i % 10 === 9 ? "deny" : "allow",
    obligations: [],
    onFailure: "deny",
    reason: "for measuring",
    source: "bench:1",
  };
}

function amountBelow(amount: number): Expr {
  const field = { op: "field", of: { op: "root", name: "args" }, name: "amount" } as const;
  return { op: "compare", how: "<", left: field, right: { op: "literal", value: amount } };
}

/** Half name an agent and a tool of a rule, a quarter a tool that no rule names, a quarter an agent that none names. */
export function requestsOf(count: number): readonly PolicyRequest[] {
  const random = new Random(count);
  return Array.from({ length: requestsAsked }, (_, n) => {
    const i = random.below(count);
    const tool = n % 4 === 1 ? (`server-0:none-${n % 16}` as const) : toolOf(i, count);
    const agent = n % 4 === 3 ? `stranger-${n % 16}` : agentOf(i);
    return {
      subject: { type: "agent", id: agent, delegation: [], properties: {} },
      action: { name: tool, effect: "write", risk: "high", properties: {} },
      resource: { type: "tool", id: tool, properties: {} },
      args: { amount: random.below(6_000), currency: "EUR", memo: "x".repeat(120) },
      context: { face: "http", site: "standalone", time_ms: 1_700_000_000_000 },
    };
  });
}
