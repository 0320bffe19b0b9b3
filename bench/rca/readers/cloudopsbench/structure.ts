/** Who calls whom and who runs where, of a case's events. */
import {
  type ModelEvent,
  type NodeId,
  nodeId,
  type Structure,
  splitNodeId,
} from "../../../../src/model/index.ts";

export function structureOf(events: readonly ModelEvent[]): Structure {
  const edges = events.flatMap((event) => (event.type === "edge" ? [event] : []));
  const parts = edges.filter(({ kind }) => kind === "part_of");
  const hosts = podHosts(events);
  return {
    services: [...new Set(parts.map(({ to }) => to))].sort(),
    calls: edges.filter(({ kind }) => kind === "calls").map(({ from, to }) => [from, to]),
    servedBy: (node) => {
      if (splitNodeId(node)?.kind === "host") return hosts.get(node) ?? [];
      return parts.filter(({ from, to }) => from === node || to === node).map(({ to }) => to);
    },
  };
}

/** Services with a pod on each host: the pod's name begins with its workload's. */
function podHosts(events: readonly ModelEvent[]): ReadonlyMap<NodeId, readonly NodeId[]> {
  const hosts = new Map<NodeId, NodeId[]>();
  for (const event of events) {
    if (event.type !== "node" || event.aspect !== "spec" || !event.node.startsWith("object:Pod/"))
      continue;
    const host = event.value?.["nodeName"];
    const app = event.node
      .split("/")
      .at(-1)
      ?.replace(/-[a-z0-9]+-[a-z0-9]{5}$|-\d+$/, "");
    if (typeof host !== "string" || app === undefined) continue;
    const node = nodeId("host", host);
    hosts.set(node, [...(hosts.get(node) ?? []), nodeId("service", app)]);
  }
  return hosts;
}

/** The first quarter of what was measured is before the fault. */
const pastShare = 0.25;

/** Requests at a node against those at the busiest service that nobody calls; undefined where nothing was measured. */
export function shareOf(
  { calls, servedBy }: Structure,
  events: readonly ModelEvent[],
  node: NodeId,
): number | undefined {
  const rates = new Map<NodeId, number>();
  for (const event of events) {
    if (event.type !== "series" || event.name !== "rps") continue;
    const past = event.points.slice(0, Math.ceil(event.points.length * pastShare));
    rates.set(event.node, past.reduce((sum, [, value]) => sum + value, 0) / past.length);
  }
  const called = new Set(calls.map(([, callee]) => callee));
  const entries = [...rates].filter(([service]) => !called.has(service)).map(([, rate]) => rate);
  const entering = Math.max(0, ...entries);
  const own = servedBy(node).flatMap((service) => rates.get(service) ?? []);
  return entering === 0 || own.length === 0 ? undefined : Math.min(1, Math.max(...own) / entering);
}
