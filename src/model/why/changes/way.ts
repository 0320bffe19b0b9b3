/** How a change reaches what people complain about: from what was changed to who uses it, and on to whoever calls that. */
import type { Step } from "../../answer.ts";
import { type EdgeKind, type NodeId, splitNodeId } from "../../graph-words.ts";
import type { View } from "../view.ts";

/** Trouble goes against these edges: to who calls, uses, runs on … */
const against: Readonly<Partial<Record<EdgeKind, string>>> = {
  calls: "a caller waits for its callee and gets its errors",
  configured_by: "it reads this when it starts, or while it runs",
  depends_on: "it needs this",
  runs_on: "it runs there",
};
/** … and along these: to what it is part of, and what it holds. */
const along: Readonly<Partial<Record<EdgeKind, string>>> = {
  part_of: "it is what runs there",
  contains: "it is in there",
};

export type Ways = ReadonlyMap<NodeId, readonly Step[]>;

/** By node: the steps that trouble can take from it, in order. */
export function waysOf(view: View): Ways {
  const ways = new Map<NodeId, Step[]>();
  const add = (step: Step): void => {
    const known = ways.get(step.from);
    if (known === undefined) ways.set(step.from, [step]);
    else if (!known.some(({ to }) => to === step.to)) known.push(step);
  };
  // What was seen to be called says more than that it is needed.
  for (const { caller, callee } of view.of("traffic"))
    if (caller !== null && caller !== callee)
      add({ from: callee, to: caller, edge: "calls", because: against.calls ?? "" });
  for (const { from, to, kind, gone } of view.of("edge")) {
    if (gone === true || splitNodeId(from)?.kind === "observer") continue;
    const [back, forth] = [against[kind], along[kind]];
    if (back !== undefined) add({ from: to, to: from, edge: kind, because: back });
    if (forth !== undefined) add({ from, to, edge: kind, because: forth });
  }
  for (const steps of ways.values()) steps.sort((a, b) => (a.to < b.to ? -1 : 1));
  return ways;
}

/** The shortest way from a node to another; undefined when there is none. */
export function wayBetween(ways: Ways, from: NodeId, to: NodeId): readonly Step[] | undefined {
  const cameBy = new Map<NodeId, Step | null>([[from, null]]);
  for (const [node] of cameBy) {
    if (node === to) break;
    for (const step of ways.get(node) ?? []) if (!cameBy.has(step.to)) cameBy.set(step.to, step);
  }
  if (!cameBy.has(to)) return undefined;
  const way: Step[] = [];
  for (let step = cameBy.get(to); step != null; step = cameBy.get(step.from)) way.unshift(step);
  return way;
}

/** Everything that trouble can come to from a node, and the node itself. */
export function reachedBy(ways: Ways, from: NodeId): ReadonlySet<NodeId> {
  const reached = new Set([from]);
  for (const node of reached) for (const { to } of ways.get(node) ?? []) reached.add(to);
  return reached;
}

/** Where on its way a change first comes to something that answers calls: there its trouble shows first. */
export function landingOf(way: readonly Step[], target: NodeId): NodeId {
  const isService = (node: NodeId): boolean => splitNodeId(node)?.kind === "service";
  return isService(target) ? target : (way.find(({ to }) => isService(to))?.to ?? target);
}
