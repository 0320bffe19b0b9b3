/** Pods that no node takes: which of the scheduler's filters keeps them out, and whose fault that is. */
import type { CauseKind } from "../../cause-kind.ts";
import type { Condition } from "../../event.ts";
import type { Finding } from "../finding.ts";
import type { Cluster, KubernetesObject, Workload } from "./cluster.ts";
import { certain, findingOf, likely } from "./finding-of.ts";
import { at, objectAt, objectsAt, textAt } from "./json-path.ts";
import { isReserved, type Obstacle, obstaclesOn } from "./placement.ts";
import { schedulerReasons } from "./scheduler-words.ts";

const kinds: Readonly<Record<Exclude<Obstacle, "host_down">, CauseKind>> = {
  selector: "schedule.node_selector",
  affinity: "schedule.node_affinity",
  taint: "schedule.taint",
  anti_affinity: "schedule.anti_affinity",
  pod_affinity: "schedule.pod_affinity",
  topology_spread: "schedule.topology_spread",
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
    const told = cluster.conditions(pod.node).filter(({ name }) => name === "FailedScheduling");
    const event = told.toSorted((a, b) => (a.untilAt ?? a.at) - (b.untilAt ?? b.at)).at(-1);
    return simulated(cluster, workload, pod, event) ?? reported(workload, pod, event);
  });
}

export function isUnscheduled(pod: KubernetesObject): boolean {
  const scheduled = objectsAt(pod.status, "conditions").find(
    (condition) => textAt(condition, "type") === "PodScheduled",
  );
  const waits = textAt(pod.status, "phase") === "Pending" && textAt(pod.spec, "nodeName") === "";
  return waits && textAt(scheduled ?? {}, "status") !== "True";
}

/**
 * The filters run on what is known of the nodes. Absent when they would let the pod through, a machine is down, or the
 * scheduler, who knows more, names other reasons.
 */
function simulated(
  cluster: Cluster,
  workload: Workload,
  pod: KubernetesObject,
  event: Condition | undefined,
): readonly Finding[] | undefined {
  const template = { ...workload.template, tolerations: at(pod.spec, "tolerations") ?? [] };
  const labels = { ...workload.templateLabels, ...objectAt(pod.metadata, "labels") };
  const placing = { cluster, namespace: workload.namespace, template, labels };
  const nodes = cluster
    .objects("Node")
    .map((node) => ({ node, obstacles: obstaclesOn(node, placing) }));
  if (nodes.length === 0 || nodes.some(({ obstacles }) => obstacles.length === 0)) return undefined;
  const open = nodes.filter(({ node }) => !isReserved(node));
  const obstacle = decisive((open.length > 0 ? open : nodes).map(({ obstacles }) => obstacles));
  if (obstacle === undefined || !isSaid(kinds[obstacle], event)) return undefined;
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

/** Whether the scheduler names this reason too; where it names none that is known, nothing speaks against it. */
function isSaid(kind: CauseKind, event: Condition | undefined): boolean {
  const reasons = schedulerReasons(event?.message ?? "");
  const named = kind === "schedule.node_selector" ? "schedule.node_affinity" : kind;
  return reasons.size === 0 || reasons.has(named);
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
  if (obstacle === "anti_affinity")
    return at(workload.template, "affinity", "podAntiAffinity") === undefined
      ? "the anti-affinity of pods that run there repels it"
      : show("affinity", "podAntiAffinity");
  if (obstacle === "pod_affinity") return show("affinity", "podAffinity");
  if (obstacle === "topology_spread") return show("topologySpreadConstraints");
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

/** The scheduler's own words, where the nodes are not known well enough to follow it. */
function reported(
  workload: Workload,
  pod: KubernetesObject,
  event: Condition | undefined,
): readonly Finding[] {
  const [first] = [...schedulerReasons(event?.message ?? "")].sort(
    ([a, x], [b, y]) => y - x || rankOf(a) - rankOf(b),
  );
  if (event === undefined || first === undefined) return [];
  const hasSelector = Object.keys(objectAt(workload.template, "nodeSelector")).length > 0;
  const isSelected = first[0] === "schedule.node_affinity" && hasSelector;
  return [
    findingOf({
      node: workload.node,
      kind: isSelected ? "schedule.node_selector" : first[0],
      weight: likely,
      says: `${pod.name} waits for a node: ${event.message}`,
      origin: event.origin,
      onsetAt: event.at,
    }),
  ];
}

/** What was written for the pod before what nodes are short of. */
const rankOf = (kind: CauseKind): number => {
  const known = order.findIndex((obstacle) => kinds[obstacle] === kind);
  return known < 0 ? order.length : known;
};
