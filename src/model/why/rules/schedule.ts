/** Pods that no node takes: which of the scheduler's filters keeps them out, and whose fault that is. */
import type { CauseKind } from "../../cause-kind.ts";
import type { Finding } from "../finding.ts";
import type { Cluster, KubernetesObject, Workload } from "./cluster.ts";
import { certain, findingOf, likely } from "./finding-of.ts";
import { at, objectAt, objectsAt, textAt } from "./json-path.ts";
import { isReserved, type Obstacle, obstaclesOn } from "./placement.ts";

const kinds: Readonly<Record<Exclude<Obstacle, "host_down">, CauseKind>> = {
  selector: "schedule.node_selector",
  affinity: "schedule.node_affinity",
  taint: "schedule.taint",
  anti_affinity: "schedule.anti_affinity",
  cpu: "schedule.cpu",
  memory: "schedule.memory",
  cordoned: "schedule.cordoned",
};

/** Where two filters keep out equally many nodes, the one that was written for this pod comes first. */
const order = Object.keys(kinds) as (keyof typeof kinds)[];

/** Only pods that wait for a node are looked at: a selector that no pod waits for is no trouble. */
export function schedule(cluster: Cluster): readonly Finding[] {
  return cluster.workloads.flatMap((workload) => {
    const pod = workload.pods.find(isUnscheduled);
    if (pod === undefined) return [];
    return simulated(cluster, workload, pod) ?? reported(cluster, workload, pod);
  });
}

export function isUnscheduled(pod: KubernetesObject): boolean {
  const scheduled = objectsAt(pod.status, "conditions").find(
    (condition) => textAt(condition, "type") === "PodScheduled",
  );
  const waits = textAt(pod.status, "phase") === "Pending" && textAt(pod.spec, "nodeName") === "";
  return waits && textAt(scheduled ?? {}, "status") !== "True";
}

/** The filters run on what is known of the nodes. Absent when they would let the pod through, or a machine is down. */
function simulated(
  cluster: Cluster,
  workload: Workload,
  pod: KubernetesObject,
): readonly Finding[] | undefined {
  const template = { ...workload.template, tolerations: at(pod.spec, "tolerations") ?? [] };
  const placing = { cluster, namespace: workload.namespace, template, labels: {} };
  const nodes = cluster
    .objects("Node")
    .map((node) => ({ node, obstacles: obstaclesOn(node, placing) }));
  if (nodes.length === 0 || nodes.some(({ obstacles }) => obstacles.length === 0)) return undefined;
  const open = nodes.filter(({ node }) => !isReserved(node));
  const obstacle = decisive((open.length > 0 ? open : nodes).map(({ obstacles }) => obstacles));
  if (obstacle === undefined) return undefined;
  const kept = nodes.filter(({ obstacles }) => obstacles.includes(obstacle));
  return [
    findingOf({
      node: workload.node,
      kind: kinds[obstacle],
      weight: certain,
      says: `${pod.name} waits for a node: ${asked(workload, obstacle)}; ${kept.length} of ${nodes.length} nodes are kept out by it (${kept.map(({ node }) => node.name).join(", ")}). ${mend(obstacle)}`,
      origin: workload.origin,
    }),
  ];
}

/**
 * What the pod itself asks of a node comes first: only nodes that it would accept can be blamed for not taking it.
 * Among those, the filter that keeps out most of them decides; one cordoned node among many is as it always was.
 */
function decisive(nodes: readonly (readonly Obstacle[])[]): keyof typeof kinds | undefined {
  const wanted = nodes.filter((found) => !found.includes("selector"));
  if (wanted.length === 0) return "selector";
  const accepted = wanted.filter((found) => !found.includes("affinity"));
  if (accepted.length === 0) return "affinity";
  const count = (obstacle: Obstacle): number =>
    accepted.filter((found) => found.includes(obstacle)).length;
  const best = Math.max(...order.map(count));
  if (best === 0 || count("host_down") > best) return undefined;
  return order.find((obstacle) => count(obstacle) === best);
}

function asked(workload: Workload, obstacle: Obstacle): string {
  const show = (...path: string[]): string =>
    `spec.template.spec.${path.join(".")} is ${JSON.stringify(at(workload.template, ...path) ?? null)}`;
  if (obstacle === "selector") return show("nodeSelector");
  if (obstacle === "affinity") return show("affinity", "nodeAffinity");
  if (obstacle === "anti_affinity") return show("affinity", "podAntiAffinity");
  if (obstacle === "taint") return show("tolerations");
  if (obstacle === "cordoned") return "nodes have spec.unschedulable: true";
  const requests = objectsAt(workload.template, "containers").map((container) =>
    textAt(container, "resources", "requests", obstacle),
  );
  return `its containers request ${requests.join(" + ")} of ${obstacle}`;
}

function mend(obstacle: Obstacle): string {
  if (obstacle === "cordoned") return "`kubectl uncordon` the node.";
  if (obstacle === "taint") return "Remove the taint, or add a toleration.";
  if (obstacle === "cpu" || obstacle === "memory") return "Lower the request, or add a node.";
  return "Change the constraint, or label a node so that it fits.";
}

const messages: readonly (readonly [RegExp, keyof typeof kinds])[] = [
  [/(\d+) node\(s\) didn't match Pod's node affinity\/selector/, "selector"],
  [/(\d+) node\(s\) didn't match pod anti-affinity rules/, "anti_affinity"],
  [/(\d+) node\(s\) had untolerated taint/, "taint"],
  [/(\d+) Insufficient cpu/, "cpu"],
  [/(\d+) Insufficient memory/, "memory"],
  [/(\d+) node\(s\) were unschedulable/, "cordoned"],
];

/** The scheduler's own words, where the nodes are not known well enough to follow it. */
function reported(cluster: Cluster, workload: Workload, pod: KubernetesObject): readonly Finding[] {
  const event = cluster.conditions(pod.node).findLast(({ name }) => name === "FailedScheduling");
  if (event === undefined) return [];
  const counted = messages.map(([pattern, obstacle]) => ({
    obstacle,
    count: Number(pattern.exec(event.message)?.[1] ?? 0),
  }));
  const best = counted.reduce((a, b) => (b.count > a.count ? b : a));
  if (best.count === 0) return [];
  const hasSelector = Object.keys(objectAt(workload.template, "nodeSelector")).length > 0;
  const kind = best.obstacle === "selector" && !hasSelector ? kinds.affinity : kinds[best.obstacle];
  return [
    findingOf({
      node: workload.node,
      kind,
      weight: likely,
      says: `${pod.name} waits for a node: ${event.message}`,
      origin: event.origin,
      onsetAt: event.at,
    }),
  ];
}
