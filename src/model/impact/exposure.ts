/**
 * What could feel a change to a node: structure × traffic that is really exercised. Structure says who could; traffic says how
 * much of what happens goes that way. What of it then really feels it is learned: `tolerance.ts`.
 */
import type { View } from "../graph/index.ts";
import { type EdgeKind, type NodeId, splitNodeId } from "../graph-words.ts";
import { type Exercised, touchedBy } from "./exercised.ts";
import { proportion, type Share } from "./share.ts";

export interface Exposure {
  readonly target: NodeId;
  /** Nodes that depend on it, directly or through others; no observers. Sorted by distance, then by id. */
  readonly dependents: readonly { readonly node: NodeId; readonly distance: number }[];
  /** Services among them, and itself when it is one. */
  readonly services: readonly NodeId[];
  /** Operations by which the outside enters that call it, with the part of each that does; the largest part of traffic first. */
  readonly operations: readonly {
    readonly entry: string;
    readonly part: number;
    readonly requests: number;
  }[];
  /** Part of all requests that touches it; null where no traffic was seen at all. */
  readonly share: Share | null;
  /** Trust zones and classes of data that it and its dependents are in. Sorted. */
  readonly zones: readonly string[];
  readonly dataClasses: readonly string[];
}

/** Trouble goes against these edges … */
const against: readonly EdgeKind[] = [
  "calls",
  "runs_on",
  "configured_by",
  "depends_on",
  "changed_by",
];
/** … and along these. */
const along: readonly EdgeKind[] = ["part_of", "contains"];
const depthMax = 32;

export function exposure(view: View, target: NodeId, seen: Exercised): Exposure {
  const dependents = dependentsOf(view, target);
  const services = [target, ...dependents.map(({ node }) => node)]
    .filter((node) => splitNodeId(node)?.kind === "service")
    .sort();
  const operations = operationsOf(target, dependents, seen);
  const touched = operations.reduce((sum, { part, requests }) => sum + part * requests, 0);
  const marks = [target, ...services].map((node) => marksOf(view, node));
  return {
    ...{ target, dependents, services, operations },
    share: seen.requests === 0 ? null : proportion(touched, seen.requests),
    zones: union(marks.map(({ zones }) => zones)),
    dataClasses: union(marks.map(({ dataClasses }) => dataClasses)),
  };
}

function dependentsOf(view: View, target: NodeId): Exposure["dependents"] {
  return [...levelsOf(view, target)]
    .flatMap((nodes, i) => nodes.map((node) => ({ node, distance: i + 1 })))
    .sort((a, b) => a.distance - b.distance || (a.node < b.node ? -1 : 1));
}

/** What depends on a node, nearest first, each node once. */
function* levelsOf(view: View, target: NodeId): Generator<readonly NodeId[]> {
  const seen = new Set([target]);
  let frontier = [target];
  for (let depth = 1; depth <= depthMax && frontier.length > 0; depth++) {
    const next = [
      ...view.reach(frontier, { direction: "in", kinds: against }),
      ...view.reach(frontier, { direction: "out", kinds: along }),
    ];
    frontier = [];
    for (const { node } of next) {
      if (seen.has(node) || splitNodeId(node)?.kind === "observer") continue;
      seen.add(node);
      frontier.push(node);
    }
    yield frontier;
  }
}

/** The services that a node is there for: those nearest that depend on it. */
export function servicesOn(view: View, node: NodeId): readonly NodeId[] {
  for (const nodes of levelsOf(view, node)) {
    const services = nodes.filter((each) => splitNodeId(each)?.kind === "service");
    if (services.length > 0) return services.sort();
  }
  return [];
}

/**
 * A node that is called is touched by what calls it. One that is not (a configuration, a machine) is touched by what calls
 * its nearest dependents that are.
 */
function operationsOf(
  target: NodeId,
  dependents: Exposure["dependents"],
  seen: Exercised,
): Exposure["operations"] {
  const parts = new Map<string, number>();
  // Ways of one request usually lead through each other: the larger part, not the sum.
  for (const node of touchingNodes(target, dependents, seen))
    for (const [entry, part] of touchedBy(node, seen))
      parts.set(entry, Math.max(part, parts.get(entry) ?? 0));
  return [...seen.outside]
    .map(([operation, entries]) => {
      const counted = [...entries];
      const requests = counted.reduce((sum, [, count]) => sum + count, 0);
      const hits = counted.reduce((sum, [each, count]) => sum + count * (parts.get(each) ?? 0), 0);
      return { entry: operation, part: hits / requests, requests };
    })
    .filter(({ part }) => part > 0)
    .sort((a, b) => b.part * b.requests - a.part * a.requests || (a.entry < b.entry ? -1 : 1));
}

function touchingNodes(
  target: NodeId,
  dependents: Exposure["dependents"],
  seen: Exercised,
): readonly NodeId[] {
  if (seen.calls.has(target)) return [target];
  const called = dependents.filter(({ node }) => seen.calls.has(node));
  const [nearest] = called;
  return called.filter(({ distance }) => distance === nearest?.distance).map(({ node }) => node);
}

interface Marks {
  readonly zones: readonly string[];
  readonly dataClasses: readonly string[];
}

/** What any source said of a node: `zone`, `zones`, `data_class`, `data_classes` in any aspect, and the zones that it reaches into. */
function marksOf(view: View, id: NodeId): Marks {
  const node = view.node(id);
  const said = (names: readonly string[]): readonly string[] =>
    [...(node?.aspects.values() ?? [])].flatMap(({ value }) =>
      names.flatMap((name) => textsIn(value[name])),
    );
  const crossed = view
    .reach([id], { direction: "out", kinds: ["crosses_zone"] })
    .map((zone) => splitNodeId(zone.node)?.name ?? zone.node);
  return {
    zones: [...said(["zone", "zones"]), ...crossed],
    dataClasses: said(["data_class", "data_classes"]),
  };
}

function textsIn(value: unknown): readonly string[] {
  const values = Array.isArray(value) ? value : [value];
  return values.filter((each) => typeof each === "string");
}

function union(lists: readonly (readonly string[])[]): readonly string[] {
  return [...new Set(lists.flat())].sort();
}
