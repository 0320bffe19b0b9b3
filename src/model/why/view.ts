/** Events by type, once each and in one order, so that an answer does not depend on when it was told what. */
import type { EdgeFact, ModelEvent, NodeFact } from "../event.ts";
import { joinedSeries } from "../joined-series.ts";

type Of<T extends ModelEvent["type"]> = Extract<ModelEvent, { type: T }>;

export interface View {
  /**
   * The events of one type, in order of valid time, then of id. Facts are as they stood at the symptom, with those before;
   * edges are those that were there; what is measured of one thing is one series.
   */
  of<T extends ModelEvent["type"]>(type: T): readonly Of<T>[];
}

/** What was known at `knownAt`, about a symptom at `at`. */
export function viewOf(
  events: Iterable<ModelEvent>,
  { at, knownAt }: { readonly at: number; readonly knownAt: number },
): View {
  const byId = new Map<string, ModelEvent>();
  for (const event of events) if (event.knownAt <= knownAt) byId.set(event.id, event);
  const byType = new Map<string, ModelEvent[]>();
  for (const event of byId.values()) {
    const same = byType.get(event.type);
    if (same === undefined) byType.set(event.type, [event]);
    else same.push(event);
  }
  const inOrder = <T extends ModelEvent["type"]>(type: T) =>
    ((byType.get(type) ?? []) as Of<T>[]).sort(
      (a, b) => a.at - b.at || (a.id < b.id ? -1 : Number(a.id > b.id)),
    );
  for (const type of byType.keys()) inOrder(type as ModelEvent["type"]);
  byType.set("node", standing(inOrder("node"), at, factOf));
  byType.set("edge", lastTold(standing(inOrder("edge"), at, edgeOf)));
  byType.set("series", joinedSeries(inOrder("series")));
  return { of: <T extends ModelEvent["type"]>(type: T) => (byType.get(type) ?? []) as Of<T>[] };
}

const factOf = ({ node, aspect }: NodeFact): string => `${node}\n${aspect}`;
const edgeOf = ({ from, to, kind, basis }: EdgeFact): string => `${from}\n${to}\n${kind}\n${basis}`;

/**
 * What was repaired since is no longer as it was when it hurt. Of what nothing was told until then, the first that was told
 * later: people look at things after they broke.
 */
function standing<T extends NodeFact | EdgeFact>(
  facts: readonly T[],
  at: number,
  keyOf: (fact: T) => string,
): T[] {
  const told = new Set<string>();
  return facts.filter((fact) => {
    const key = keyOf(fact);
    if (fact.at > at && told.has(key)) return false;
    told.add(key);
    return true;
  });
}

/** Each edge as it was last told, unless that was its end. */
function lastTold(edges: readonly EdgeFact[]): EdgeFact[] {
  const last = new Map(edges.map((edge) => [edgeOf(edge), edge]));
  return edges.filter((edge) => edge.gone !== true && last.get(edgeOf(edge)) === edge);
}
