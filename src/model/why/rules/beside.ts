/**
 * Who a pod may run beside, and how many of its own: the InterPodAffinity and PodTopologySpread filters of kube-scheduler.
 * https://kubernetes.io/docs/concepts/scheduling-eviction/assign-pod-node/#inter-pod-affinity-and-anti-affinity
 */
import type { JsonObject } from "../../../kernel/index.ts";
import type { Cluster, KubernetesObject } from "./cluster.ts";
import { at, numberAt, objectAt, objectsAt, textAt, textsAt } from "./json-path.ts";
import { affinityAllows, labelsOf, selects } from "./selectors.ts";

export interface Placing {
  readonly cluster: Cluster;
  readonly namespace: string;
  readonly template: JsonObject;
  /** Of the pod. */
  readonly labels: JsonObject;
}

export type PodObstacle = "anti_affinity" | "pod_affinity" | "topology_spread";

const required = "requiredDuringSchedulingIgnoredDuringExecution";

export function keptFromPods(node: KubernetesObject, placing: Placing): readonly PodObstacle[] {
  const found: PodObstacle[] = [];
  if (repels(node, placing) || isRepelled(node, placing)) found.push("anti_affinity");
  if (!isBeside(node, placing)) found.push("pod_affinity");
  if (!isSpread(node, placing)) found.push("topology_spread");
  return found;
}

export function podsOn(cluster: Cluster, node: KubernetesObject): readonly KubernetesObject[] {
  return cluster
    .objects("Pod")
    .filter(
      ({ spec, status }) =>
        textAt(spec, "nodeName") === node.name &&
        !["Succeeded", "Failed"].includes(textAt(status, "phase")),
    );
}

/** Its own terms against the pods that run in the node's domain. */
function repels(node: KubernetesObject, { cluster, namespace, template }: Placing): boolean {
  return termsOf(template, "podAntiAffinity").some((term) =>
    neighbours(cluster, node, term).some((pod) => matches(term, namespace, pod)),
  );
}

/** The terms of those who run there against it. */
function isRepelled(node: KubernetesObject, { cluster, namespace, labels }: Placing): boolean {
  return cluster.workloads.some((owner) =>
    termsOf(owner.template, "podAntiAffinity").some(
      (term) =>
        inNamespace(term, owner.namespace, namespace) &&
        selects(objectAt(term, "labelSelector"), labels) &&
        neighbours(cluster, node, term).some((pod) =>
          owner.pods.some((each) => each.node === pod.node),
        ),
    ),
  );
}

/** Where no pod anywhere is meant but itself, the first one may go anywhere. */
function isBeside(
  node: KubernetesObject,
  { cluster, namespace, template, labels }: Placing,
): boolean {
  return termsOf(template, "podAffinity").every((term) => {
    if (domainOf(node, term) === undefined) return false;
    if (neighbours(cluster, node, term).some((pod) => matches(term, namespace, pod))) return true;
    const others = cluster.objects("Pod").filter((pod) => textAt(pod.spec, "nodeName") !== "");
    const isFirst = !others.some((pod) => matches(term, namespace, pod));
    return isFirst && selects(objectAt(term, "labelSelector"), labels);
  });
}

function isSpread(node: KubernetesObject, placing: Placing): boolean {
  const { cluster, namespace, template } = placing;
  const hard = objectsAt(template, "topologySpreadConstraints").filter(
    (each) => textAt(each, "whenUnsatisfiable") !== "ScheduleAnyway",
  );
  return hard.every((constraint) => {
    const here = domainOf(node, constraint);
    if (here === undefined) return false;
    const counts = new Map<string, number>();
    for (const each of cluster.objects("Node")) {
      const domain = domainOf(each, constraint);
      if (domain === undefined || !affinityAllows(template, each)) continue;
      const own = podsOn(cluster, each).filter((pod) => matches(constraint, namespace, pod));
      counts.set(domain, (counts.get(domain) ?? 0) + own.length);
    }
    const fewest = Math.min(...counts.values());
    return (counts.get(here) ?? 0) + 1 - fewest <= (numberAt(constraint, "maxSkew") ?? 1);
  });
}

const termsOf = (template: JsonObject, kind: string): readonly JsonObject[] =>
  objectsAt(template, "affinity", kind, required);

function matches(term: JsonObject, home: string, pod: KubernetesObject): boolean {
  return (
    inNamespace(term, home, pod.namespace) &&
    selects(objectAt(term, "labelSelector"), objectAt(pod.metadata, "labels"))
  );
}

/** A term means its own pod's namespace unless it lists others, or selects all. */
function inNamespace(term: JsonObject, home: string, other: string): boolean {
  const listed = textsAt(term, "namespaces");
  if (at(term, "namespaceSelector") !== undefined) return true;
  return listed.length === 0 ? other === home : listed.includes(other);
}

/** A node without the label is in no domain; its name stands for a label that kubelets set. */
function domainOf(node: KubernetesObject, term: JsonObject): string | undefined {
  const key = textAt(term, "topologyKey");
  const value = textAt(labelsOf(node), key);
  return value || (key === "kubernetes.io/hostname" ? node.name : undefined);
}

/** Pods on any node of the same topology domain. */
function neighbours(
  cluster: Cluster,
  node: KubernetesObject,
  term: JsonObject,
): readonly KubernetesObject[] {
  const domain = domainOf(node, term);
  if (domain === undefined) return [];
  return cluster
    .objects("Node")
    .filter((each) => domainOf(each, term) === domain)
    .flatMap((each) => podsOn(cluster, each));
}
