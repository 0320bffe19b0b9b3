/** Who calls whom, how often, and who runs where, of a case's events. */
import {
  type ModelEvent,
  type NodeId,
  nodeId,
  type Structure,
  splitNodeId,
} from "../../../../src/model/index.ts";

export interface Told {
  readonly structure: Structure;
  /** Requests per second from outside, by the service that takes them. */
  readonly entries: ReadonlyMap<NodeId, number>;
}

export function structureOf(events: readonly ModelEvent[]): Told {
  const edges = events.flatMap((event) => (event.type === "edge" ? [event] : []));
  const parts = edges.filter(({ kind }) => kind === "part_of");
  const services = new Set(parts.map(({ to }) => to));
  const hosts = podHosts(events);
  const rates = ratesBefore(events);
  // A caller that is no service of ours is the outside.
  const pairs = edges.filter(({ kind, from }) => kind === "calls" && services.has(from));
  const called = new Set(pairs.map(({ to }) => to));
  const structure: Structure = {
    services: [...services].sort(),
    calls: pairs.map(({ from, to }) => ({ caller: from, callee: to, part: part(rates, from, to) })),
    idle: new Set([...rates].flatMap(([node, rate]) => (rate === 0 ? [node] : []))),
    servedBy: (node) => {
      if (splitNodeId(node)?.kind === "host") return hosts.get(node) ?? [];
      return parts.filter(({ from, to }) => from === node || to === node).map(({ to }) => to);
    },
  };
  const isEntry = (node: NodeId) => services.has(node) && !called.has(node);
  return { structure, entries: new Map([...rates].filter(([node]) => isEntry(node))) };
}

/** Rates are known by service, not by call: at most so many of the caller's requests ask the callee. */
function part(rates: ReadonlyMap<NodeId, number>, caller: NodeId, callee: NodeId): number {
  const [asking, asked] = [rates.get(caller), rates.get(callee)];
  return !asking || asked === undefined ? 1 : Math.min(1, asked / asking);
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

/** Requests per second at each service; where none succeeded either, requests are not what it is asked by (a database). */
function ratesBefore(events: readonly ModelEvent[]): ReadonlyMap<NodeId, number> {
  const [rates, successes] = ["rps", "success_rate"].map(
    (measure) =>
      new Map(
        events.flatMap((event) => {
          if (event.type !== "series" || event.name !== measure) return [];
          const past = event.points.slice(0, Math.ceil(event.points.length * pastShare));
          return [[event.node, past.reduce((sum, [, value]) => sum + value, 0) / past.length]];
        }),
      ),
  );
  return new Map([...(rates ?? [])].filter(([node, rate]) => rate > 0 || successes?.get(node)));
}
