/**
 * What kube-scheduler says in `FailedScheduling`: `0/4 nodes are available: 1 node(s) …, 3 …. preemption: …`. The reasons are
 * constants of its plugins (pkg/scheduler/framework/plugins), and have changed little: both forms are known where they did.
 */
import type { CauseKind } from "../../cause-kind.ts";

/** Taints of the node controller that say that the machine is down, and of nodes that keep workloads out on purpose. */
const notForPods =
  /node\.kubernetes\.io\/(?:not-ready|unreachable|network-unavailable)|node-role\.kubernetes\.io\/|node\.cloudprovider\.kubernetes\.io\/uninitialized/;

const reasons: readonly (readonly [RegExp, CauseKind | undefined])[] = [
  [/volume node affinity conflict/, "volume.zone"],
  [/untolerated taint|had taints?\b.*tolerate/, "schedule.taint"],
  [
    /(?:existing pods|pod) anti-affinity rules|pod affinity\/anti-affinity/,
    "schedule.anti_affinity",
  ],
  [/didn't match pod affinity rules/, "schedule.pod_affinity"],
  [/node affinity|node selector/, "schedule.node_affinity"],
  [/topology spread constraints/, "schedule.topology_spread"],
  [/Insufficient cpu/, "schedule.cpu"],
  [/Insufficient memory/, "schedule.memory"],
  [/Insufficient \S+|Too many pods|free ports|max volume count/i, "schedule.resource"],
  [/were unschedulable/, "schedule.cordoned"],
  [/persistentvolumeclaim "?[\w.-]+"? not found/, "volume.missing"],
  // What binds claims is told with the volumes.
  [/persistent ?volume/i, undefined],
];

/** How many nodes each reason keeps out; reasons that concern the pod alone count for all of them. */
export function schedulerReasons(message: string): ReadonlyMap<CauseKind, number> {
  const [said = ""] = message.split(/\s*preemption:/);
  const [, total = "1", list = said] =
    /^\d+\/(\d+) nodes are available:\s*([\s\S]*)$/.exec(said) ?? [];
  const counts = new Map<CauseKind, number>();
  for (const clause of clausesOf(list)) {
    if (/taint/.test(clause) && notForPods.test(clause)) continue;
    const kind = reasons.find(([pattern]) => pattern.test(clause))?.[1];
    if (kind === undefined) continue;
    const count = Number(/^(\d+) /.exec(clause)?.[1] ?? total);
    // The two halves of anti-affinity are told beside each other, of the same nodes.
    const before = counts.get(kind) ?? 0;
    counts.set(kind, kind === "schedule.taint" ? before + count : Math.max(before, count));
  }
  return counts;
}

/** Commas separate reasons, also where a reason has one of its own: a new one begins with a number or the list does. */
const clausesOf = (list: string): readonly string[] =>
  list.split(/,\s+(?=\d+ )/).map((clause) => clause.trim().replace(/\.$/, ""));
