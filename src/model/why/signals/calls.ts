/** Who calls whom: along these edges trouble travels from callee to caller. */
import type { NodeId } from "../../graph-words.ts";
import type { View } from "../view.ts";

/** Callees (and what is depended on, or looked at) by caller. */
export type Callees = ReadonlyMap<NodeId, ReadonlySet<NodeId>>;

const causal = new Set(["calls", "depends_on", "observes"]);

export function calleesOf(view: View): Callees {
  const callees = new Map<NodeId, Set<NodeId>>();
  const add = (from: NodeId, to: NodeId) => {
    if (from === to) return;
    const known = callees.get(from);
    if (known === undefined) callees.set(from, new Set([to]));
    else known.add(to);
  };
  for (const edge of view.of("edge"))
    if (causal.has(edge.kind) && edge.gone !== true) add(edge.from, edge.to);
  for (const { caller, callee } of view.of("traffic")) if (caller !== null) add(caller, callee);
  return callees;
}

/** Everything below a node along callees, and the node itself. */
export function reachableFrom(callees: Callees, node: NodeId): ReadonlySet<NodeId> {
  const seen = new Set([node]);
  for (const each of seen) for (const next of callees.get(each) ?? []) seen.add(next);
  return seen;
}

/** The shortest way from `from` along callees to `to`, both ends included; undefined when there is none. */
export function wayTo(callees: Callees, from: NodeId, to: NodeId): readonly NodeId[] | undefined {
  const cameFrom = new Map<NodeId, NodeId | null>([[from, null]]);
  const queue = [from];
  for (let node = queue.shift(); node !== undefined; node = queue.shift()) {
    if (node === to) return trace(cameFrom, to);
    for (const next of [...(callees.get(node) ?? [])].sort())
      if (!cameFrom.has(next)) {
        cameFrom.set(next, node);
        queue.push(next);
      }
  }
  return undefined;
}

function trace(cameFrom: ReadonlyMap<NodeId, NodeId | null>, to: NodeId): NodeId[] {
  const way: NodeId[] = [];
  for (let node: NodeId | null | undefined = to; node != null; node = cameFrom.get(node))
    way.unshift(node);
  return way;
}
