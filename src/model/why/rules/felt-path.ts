/** How trouble at an object reaches those who complain: through the service it runs, from callee to caller. */
import type { Step } from "../../answer.ts";
import type { NodeId } from "../../graph-words.ts";
import type { Cluster } from "./cluster.ts";

/** The shortest way to the symptom; where it names no node, to one that alerts, else to one that nobody calls. */
export function feltPath(
  cluster: Cluster,
  node: NodeId,
  symptom: NodeId | undefined,
): readonly Step[] {
  const workload = cluster.workloads.find((each) => each.node === node);
  const service = workload === undefined ? undefined : cluster.serviceOf(workload);
  if (service === undefined) return [];
  const first: Step = { from: node, to: service, edge: "part_of", because: "it runs this service" };
  const isEnd = (each: NodeId): boolean =>
    symptom === undefined ? each !== service && cluster.alerts(each).length > 0 : each === symptom;
  const way =
    wayUp(cluster, service, isEnd) ??
    wayUp(cluster, service, (each) => cluster.callers(each).length === 0) ??
    [];
  const steps = way.slice(1).map(
    (caller, i): Step => ({
      from: way[i] ?? service,
      to: caller,
      edge: "calls",
      because: "it waits for what it calls",
    }),
  );
  return [first, ...steps];
}

/** Breadth first, in one order, from callee to caller. */
function wayUp(
  cluster: Cluster,
  from: NodeId,
  isEnd: (node: NodeId) => boolean,
): readonly NodeId[] | undefined {
  const before = new Map<NodeId, NodeId | undefined>([[from, undefined]]);
  for (const node of before.keys()) {
    if (isEnd(node)) return backFrom(before, node);
    for (const caller of [...cluster.callers(node)].sort())
      if (!before.has(caller)) before.set(caller, node);
  }
  return undefined;
}

function backFrom(before: ReadonlyMap<NodeId, NodeId | undefined>, end: NodeId): readonly NodeId[] {
  const way: NodeId[] = [];
  for (let node: NodeId | undefined = end; node !== undefined; node = before.get(node))
    way.unshift(node);
  return way;
}
