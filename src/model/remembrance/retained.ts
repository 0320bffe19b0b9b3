/**
 * What is left of the events when the rest is forgotten. A fact or condition that is in force is never too old: only what it
 * replaced is. A question about a time before the horizon finds what was in force there, and less and less beside it.
 */
import type { Condition, EdgeFact, ModelEvent, NodeFact } from "../event.ts";
import { compareDated, type Dated } from "../graph/index.ts";
import { endOfEvent, type Remembrance, rememberedKinds } from "./rules.ts";

type Ends = ReadonlyMap<string, NodeFact>;

export function retained(
  events: Iterable<ModelEvent>,
  rules: Remembrance,
  nowMs: number,
): readonly ModelEvent[] {
  const { nodes, edges, conditions, passing } = sorted(events, rules);
  const kept = passing.filter((event) => endOfEvent(event) >= nowMs - rules[event.type].keepMs);
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
  const lasting = nowMs - rules.condition.keepMs;
  for (const each of conditions.values()) kept.push(...inForceOrYoung(each, lasting));
  return kept;
}

interface Sorted {
  readonly nodes: Map<string, NodeFact[]>;
  readonly edges: Map<string, EdgeFact[]>;
  /** Those that hold until the next of their name. */
  readonly conditions: Map<string, Condition[]>;
  /** What is over at some time. */
  readonly passing: ModelEvent[];
}

function sorted(events: Iterable<ModelEvent>, rules: Remembrance): Sorted {
  const into: Sorted = { nodes: new Map(), edges: new Map(), conditions: new Map(), passing: [] };
  for (const event of events) {
    if (!rules[event.type].remember) continue;
    if (event.type === "node") push(into.nodes, event.node, event);
    else if (event.type === "edge") push(into.edges, edgeName(event), event);
    else if (event.type === "condition" && event.untilAt === undefined)
      push(into.conditions, JSON.stringify([event.node, event.name]), event);
    else into.passing.push(event);
  }
  return into;
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
