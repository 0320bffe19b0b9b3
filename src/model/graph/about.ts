/** What was told of one node: the events themselves, for who reasons on more than what is so now. */
import type { ModelEvent } from "../event.ts";
import { joinedSeries } from "../joined-series.ts";
import { latestOf, type Moment } from "./order.ts";
import type { Tables } from "./tables.ts";

/** Facts that are in force at `fromAt` or came later, and what was measured, said and called there since; neither edges nor changes. */
export function eventsAbout(
  tables: Tables,
  moment: Moment,
  node: number,
  fromAt: number,
): readonly ModelEvent[] {
  const since = <T extends ModelEvent>(events: {
    within(fromAt: number, toAt: number, moment: Moment): readonly T[];
  }): readonly T[] => events.within(fromAt, Number.POSITIVE_INFINITY, moment);
  return [
    ...factsOf(tables, moment, node, fromAt),
    ...seriesOf(tables, moment, node, fromAt),
    ...since(tables.callees.of(node)),
    ...since(tables.logs.of(node)),
    ...since(tables.conditions.of(node)),
    ...since(tables.alerts.of(node)),
  ];
}

function factsOf(tables: Tables, moment: Moment, node: number, fromAt: number): ModelEvent[] {
  const before = { validAt: fromAt, knownAt: moment.knownAt };
  return tables.nodes.aspectNames(node).flatMap((aspect) => {
    const facts = tables.nodes.facts(node, aspect);
    const standing = latestOf(facts, before);
    return facts.filter(
      (fact) =>
        fact === standing ||
        (fact.at > fromAt && fact.at <= moment.validAt && fact.knownAt <= moment.knownAt),
    );
  });
}

/** The edges between these nodes, as last told; those that traffic tells of are told by it. */
export function edgesAmong(
  tables: Tables,
  moment: Moment,
  nodes: ReadonlySet<number>,
): readonly ModelEvent[] {
  const found: ModelEvent[] = [];
  const { edges } = tables;
  for (const node of nodes)
    edges.eachOut(node, (edge) => {
      if (!nodes.has(edges.to(edge)) || !tables.isEdgeThere(edge, moment)) return;
      const sighting = edges.sighting(edge, moment);
      if (sighting?.type === "edge") found.push(sighting);
    });
  return found;
}

/** In one piece each; a series is dated by its beginning, and may last until now. */
function seriesOf(tables: Tables, moment: Moment, node: number, fromAt: number): ModelEvent[] {
  const all = tables.series.of(node).within(Number.NEGATIVE_INFINITY, moment.validAt, moment);
  return joinedSeries(all.filter(({ points }) => (points.at(-1)?.[0] ?? 0) >= fromAt));
}
