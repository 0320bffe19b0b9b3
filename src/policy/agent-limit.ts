/** The limits of one agent: the strictest of all declarations whose name or pattern fits it. */
import type { AgentLimit } from "./decision.ts";
import { anyGlob } from "./glob.ts";
import type { AgentLimits } from "./ir.ts";

const none: AgentLimit = {};
/** Agents whose limits are remembered at most: names come from outside. */
const agentsRememberedMax = 4_096;

export function limitsByAgent(declared: readonly AgentLimits[]): (agent: string) => AgentLimit {
  const limits = declared.map((each) => ({ ...each, fits: anyGlob(each.agents) }));
  if (limits.length === 0) return () => none;
  const remembered = new Map<string, AgentLimit>();
  return (agent) => {
    const known = remembered.get(agent);
    if (known !== undefined) return known;
    const fitting = limits.filter(({ fits }) => fits(agent));
    const budget = least(fitting.map((each) => each.budgetMicroUsdPerDay));
    const calls = least(fitting.map((each) => each.callsPerMinuteMax));
    const limit = {
      ...(budget === undefined ? {} : { budgetMicroUsdPerDay: budget }),
      ...(calls === undefined ? {} : { callsPerMinuteMax: calls }),
    };
    if (remembered.size >= agentsRememberedMax) remembered.clear();
    remembered.set(agent, limit);
    return limit;
  };
}

function least(values: readonly (number | undefined)[]): number | undefined {
  const given = values.filter((value) => value !== undefined);
  return given.length === 0 ? undefined : Math.min(...given);
}
