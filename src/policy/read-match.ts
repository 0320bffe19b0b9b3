/** `match:` of a rule or a limit: which calls it looks at. */
import { agentPatternProblem, type Catalog, toolPatternProblem } from "./catalog.ts";
import type { Report, Struct } from "./decode.ts";
import type { Position, Problem } from "./diagnostic.ts";
import type { Match } from "./ir.ts";
import type { MatchFields } from "./source.ts";

export function readMatch(
  source: Struct<MatchFields> | undefined,
  catalog: Catalog,
  report: Report,
): Match {
  const { agents, tools, effect } = source ?? {};
  const told = (at: Position, problem: Problem | undefined): void => {
    if (problem) report(at, problem);
  };
  for (const { value, at } of agents ?? []) told(at, agentPatternProblem(value, catalog));
  for (const { value, at } of tools ?? [])
    told(at, toolPatternProblem(value, effect?.value, catalog));
  return {
    ...(agents ? { agents: agents.map(({ value }) => value) } : {}),
    ...(tools ? { tools: tools.map(({ value }) => value) } : {}),
    ...(effect ? { effect: effect.value } : {}),
  };
}
