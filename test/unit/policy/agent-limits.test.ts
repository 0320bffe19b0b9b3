/** The limits of an agent: the strictest of all declarations that fit its name. */
import { expect, test } from "vitest";
import { limitsByAgent } from "../../../src/policy/agent-limit.ts";
import type { AgentLimits } from "../../../src/policy/ir.ts";

const declared: readonly AgentLimits[] = [
  { agents: ["*"], budgetMicroUsdPerDay: 100 },
  { agents: ["desk", "desk-*"], budgetMicroUsdPerDay: 50, callsPerMinuteMax: 9 },
  { agents: ["desk-2"], budgetMicroUsdPerDay: 70, callsPerMinuteMax: 3 },
  { agents: ["free"], callsPerMinuteMax: 0 },
];

test("of each kind the least that fits; a limit of nothing is a limit", () => {
  const of = limitsByAgent(declared);
  expect(of("desk")).toEqual({ budgetMicroUsdPerDay: 50, callsPerMinuteMax: 9 });
  expect(of("desk-2")).toEqual({ budgetMicroUsdPerDay: 50, callsPerMinuteMax: 3 });
  expect(of("free")).toEqual({ budgetMicroUsdPerDay: 100, callsPerMinuteMax: 0 });
  expect(of("other")).toEqual({ budgetMicroUsdPerDay: 100 });
  expect(limitsByAgent(declared.slice(1))("other")).toEqual({});
  expect(limitsByAgent([])("desk")).toEqual({});
});

test("4,096 agents are remembered at most: their names come from outside", () => {
  const of = limitsByAgent(declared);
  const first = of("desk");
  for (let i = 0; i < 4_095; i++) of(`a${i}`);
  expect(of("desk")).toBe(first);
  of("one too many");
  expect(of("desk")).toEqual(first);
  expect(of("desk")).not.toBe(first);
});
