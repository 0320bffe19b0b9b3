/**
 * What is left of the events when the rest is forgotten. A fact that is still in force is never too old: only what it
 * replaced is. A question about a time before the horizon finds what was in force there, and less and less beside it.
 */
import type { EdgeFact, ModelEvent, NodeFact } from "../event.ts";
import { compareDated, type Dated } from "../graph/index.ts";
import { endOfEvent, type Remembrance, rememberedKinds } from "./rules.ts";

type Ends = ReadonlyMap<string, NodeFact>;

export function retained(
  events: Iterable<ModelEvent>,
  rules: Remembrance,
  nowMs: number,
): readonly ModelEvent[] {
  const kept: ModelEvent[] = [];
  const nodes = new Map<string, NodeFact[]>();
  const edges = new Map<string, EdgeFact[]>();
  for (const event of events) {
    const { remember, keepMs } = rules[event.type];
    if (!remember) continue;
    if (event.type === "node") push(nodes, event.node, event);
    else if (event.type === "edge") push(edges, edgeName(event), event);
    else if (endOfEvent(event) >= nowMs - keepMs) kept.push(event);
  }
  const horizon = nowMs - rules.node.keepMs;
  const ends: Ends = new Map(
    [...nodes].flatMap(([node, facts]) => {
      const end = latest(facts.filter(({ value, at }) => value === null && at < horizon));
      return end === undefined ? [] : [[node, end]];
    }),
  );
  // Until nothing else speaks of it, what is gone is remembered to be gone.
  const longest = nowMs - Math.max(...rememberedKinds.map((kind) => rules[kind].keepMs));
  kept.push(...[...ends.values()].filter(({ at }) => at >= longest));
  for (const facts of nodes.values())
    for (const fact of ofNode(facts, ends, horizon)) kept.push(fact);
  const edgeHorizon = nowMs - rules.edge.keepMs;
  for (const facts of edges.values())
    for (const fact of ofEdge(facts, ends, edgeHorizon)) kept.push(fact);
  return kept;
}

function ofNode(facts: readonly NodeFact[], ends: Ends, horizon: number): readonly NodeFact[] {
  const aspects = new Map<string, NodeFact[]>();
  for (const fact of facts)
    if (isAfter(fact, ends.get(fact.node))) push(aspects, fact.aspect, fact);
  return [...aspects.values()].flatMap((each) => inForceOrYoung(each, horizon));
}

function ofEdge(facts: readonly EdgeFact[], ends: Ends, horizon: number): readonly EdgeFact[] {
  const since = facts.filter(
    (fact) => isAfter(fact, ends.get(fact.from)) && isAfter(fact, ends.get(fact.to)),
  );
  return inForceOrYoung(since, horizon).filter(({ gone, at }) => gone !== true || at >= horizon);
}

function isAfter(fact: Dated, end: NodeFact | undefined): boolean {
  return end === undefined || compareDated(fact, end) > 0;
}

/** Those since the horizon, and the one that was in force there. */
function inForceOrYoung<T extends Dated>(facts: readonly T[], horizon: number): readonly T[] {
  const inForce = latest(facts.filter(({ at }) => at < horizon));
  return facts.filter((fact) => fact.at >= horizon || fact === inForce);
}

function latest<T extends Dated>(facts: readonly T[]): T | undefined {
  return facts.reduce<T | undefined>(
    (last, fact) => (last === undefined || compareDated(last, fact) < 0 ? fact : last),
    undefined,
  );
}

function edgeName({ from, to, kind, basis }: EdgeFact): string {
  return JSON.stringify([from, to, kind, basis]);
}

function push<T>(lists: Map<string, T[]>, key: string, item: T): void {
  const list = lists.get(key);
  if (list === undefined) lists.set(key, [item]);
  else list.push(item);
}
