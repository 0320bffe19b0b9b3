/** The policy engine alone: one decision, by number of rules. */
import { compile, type PolicyRequest, type PolicySet } from "../src/policy/index.ts";
import { type Measured, measured } from "./measure.ts";

const ruleCounts = [10, 200, 2_000] as const;
const batch = 2_000;
const batches = 25;

/** Rules spread over 20 agents and as many tools as it takes; a third have a condition. */
function policySet(rules: number): PolicySet {
  return {
    formatVersion: 1,
    rules: Array.from({ length: rules }, (_, i) => ({
      id: `bench/rule-${i}`,
      match: {
        agents: [`agent-${i % 20}`],
        tools: [`server-${i % 7}:tool-${i % Math.max(5, rules / 4)}`],
      },
      ...(i % 3 === 0 ? { when: amountBelow(i * 100) } : {}),
      outcome: i % 10 === 9 ? ("deny" as const) : ("allow" as const),
      obligations: [],
      onFailure: "deny" as const,
      reason: "for measuring",
      source: "bench:1",
    })),
    tools: [],
    limits: [],
  };
}

function amountBelow(amount: number): NonNullable<PolicySet["rules"][number]["when"]> {
  const field = { op: "field", of: { op: "root", name: "args" }, name: "amount" } as const;
  return { op: "compare", how: "<", left: field, right: { op: "literal", value: amount } };
}

function requests(rules: number): readonly PolicyRequest[] {
  return Array.from({ length: 500 }, (_, i) => {
    // Every third request names an agent and a tool of one rule, the others hit nothing.
    const at = (i * 7919) % rules;
    const name =
      `server-${at % 7}:tool-${i % 3 === 0 ? at % Math.max(5, rules / 4) : "none"}` as const;
    return {
      subject: { type: "agent", id: `agent-${at % 20}`, delegation: [], properties: {} },
      action: { name, effect: "write", risk: "high", properties: {} },
      resource: { type: "tool", id: name, properties: {} },
      args: { amount: i * 37 },
      context: {},
    };
  });
}

/** Trials go round the rule counts, so that all of them meet the same noise and the same warm code. */
export function benchPolicy(trials: number): readonly Measured[] {
  const subjects = ruleCounts.map((rules) => ({
    rules,
    decide: decider(rules),
    perDecisionUs: [] as number[],
  }));
  for (const { decide } of subjects) for (let i = 0; i < 10; i++) decide();
  for (let trial = 0; trial < trials; trial++)
    for (const { decide, perDecisionUs } of subjects) {
      const start = performance.now();
      for (let i = 0; i < batches; i++) decide();
      perDecisionUs.push(((performance.now() - start) * 1_000) / (batch * batches));
    }
  const rows: Measured[] = [];
  for (const { rules, perDecisionUs } of subjects)
    rows.push(measured(`decide, ${rules} rules`, "µs", perDecisionUs, rows[0]));
  return rows;
}

/** Decides one batch; the count of allows keeps the work from being optimised away. */
function decider(rules: number): () => number {
  const engine = compile(policySet(rules), "bench");
  const asked = requests(rules);
  return () => {
    let allowed = 0;
    for (let i = 0; i < batch; i++) {
      const request = asked[i % asked.length];
      if (request !== undefined && engine.decide(request).outcome === "allow") allowed += 1;
    }
    return allowed;
  };
}
