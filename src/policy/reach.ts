/** For people: who could be let through to a tool, as far as the rules alone tell. */
import type { ToolId } from "../kernel/index.ts";
import { anyGlob, globMatcher } from "./glob.ts";
import type { Effect, PolicySet, Rule } from "./ir.ts";

/** Agent ids and patterns; `*` is any agent. */
export interface Reach {
  /** Some rule could let them through, under its conditions. */
  readonly agents: readonly string[];
  /** Of those, who never gets through: a rule without a condition denies them. */
  readonly except: readonly string[];
}

/** Never names too few agents: a condition is taken to hold where it allows and not to hold where it denies. */
export function reachOf(set: PolicySet, tool: ToolId, effect: Effect): Reach {
  const looksAt = ({ match }: Rule): boolean =>
    (match.effect === undefined || match.effect === effect) && anyGlob(match.tools)(tool);
  const rules = set.rules.filter(looksAt);
  const agentsOf = (some: readonly Rule[]): readonly string[] =>
    [...new Set(some.flatMap(({ match }) => match.agents ?? ["*"]))].sort();
  const denied = agentsOf(rules.filter((r) => r.outcome === "deny" && r.when === undefined));
  const covers = (patterns: readonly string[], name: string): boolean =>
    patterns.some((pattern) => pattern !== name && globMatcher(pattern)(name));
  const allowed = agentsOf(rules.filter(({ outcome }) => outcome !== "deny")).filter(
    (name) => !denied.includes(name) && !covers(denied, name),
  );
  return {
    agents: allowed.filter((name) => !covers(allowed, name)),
    except: denied.filter((name) => covers(allowed, name)),
  };
}
