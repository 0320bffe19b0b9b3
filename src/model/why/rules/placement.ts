/**
 * Which nodes a pod may be placed on, by the filters of kube-scheduler, and which filter keeps it from each of the others:
 * https://kubernetes.io/docs/reference/scheduling/config/#scheduling-plugins
 */
import type { JsonObject } from "../../../kernel/index.ts";
import { keptFromPods, type Placing, type PodObstacle, podsOn } from "./beside.ts";
import { containersOf, type KubernetesObject } from "./cluster.ts";
import { objectAt, objectsAt, textAt } from "./json-path.ts";
import { quantity } from "./quantity.ts";
import { affinityAllows, labelsOf, satisfies } from "./selectors.ts";

export type Obstacle =
  | "selector"
  | "affinity"
  | "cordoned"
  | "taint"
  | "host_down"
  | "cpu"
  | "memory"
  | PodObstacle;

/** Put on a node by the node controller when its kubelet is silent, not by people. */
const hostDown = new Set(["node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"]);
const cordonTaint = "node.kubernetes.io/unschedulable";

/**
 * Nodes that run the control plane and keep workloads out, by the labels that kubeadm and installers before it set; that
 * they take no pod is how it should be.
 */
export function isReserved(node: KubernetesObject): boolean {
  const labels = objectAt(node.metadata, "labels");
  const role = textAt(labels, "kubernetes.io/role");
  const isControl =
    /^(?:master|control-plane)$/.test(role) ||
    Object.keys(labels).some((key) =>
      /^node-role\.kubernetes\.io\/(?:master|control-plane)$/.test(key),
    );
  const keepsOut = node.spec["unschedulable"] === true || objectsAt(node.spec, "taints").length > 0;
  return isControl && keepsOut;
}

export function obstaclesOn(node: KubernetesObject, placing: Placing): readonly Obstacle[] {
  const { template } = placing;
  const found: Obstacle[] = [];
  if (!satisfies(objectAt(template, "nodeSelector"), labelsOf(node))) found.push("selector");
  if (!affinityAllows(template, node)) found.push("affinity");
  found.push(...repelled(template, node));
  for (const resource of ["cpu", "memory"] as const)
    if (!hasRoom(node, resource, placing)) found.push(resource);
  return [...found, ...keptFromPods(node, placing)];
}

function repelled(template: JsonObject, node: KubernetesObject): readonly Obstacle[] {
  const tolerations = objectsAt(template, "tolerations");
  const taints = objectsAt(node.spec, "taints")
    .filter((taint) => textAt(taint, "effect") !== "PreferNoSchedule")
    .filter((taint) => !tolerations.some((toleration) => tolerates(toleration, taint)));
  const keys = taints.map((taint) => textAt(taint, "key"));
  const isCordoned = node.spec["unschedulable"] === true || keys.includes(cordonTaint);
  return [
    ...(isCordoned ? (["cordoned"] as const) : []),
    ...(keys.some((key) => hostDown.has(key)) ? (["host_down"] as const) : []),
    ...(keys.some((key) => key !== cordonTaint && !hostDown.has(key)) ? (["taint"] as const) : []),
  ];
}

/** https://kubernetes.io/docs/concepts/scheduling-eviction/taint-and-toleration/ */
export function tolerates(toleration: JsonObject, taint: JsonObject): boolean {
  const effect = textAt(toleration, "effect");
  if (effect !== "" && effect !== textAt(taint, "effect")) return false;
  const key = textAt(toleration, "key");
  if (textAt(toleration, "operator") === "Exists")
    return key === "" || key === textAt(taint, "key");
  return key === textAt(taint, "key") && textAt(toleration, "value") === textAt(taint, "value");
}

type Resource = "cpu" | "memory";

/** What a pod asks for; what it does not ask for but is limited to, it asks for. */
function requestOf(template: JsonObject, resource: Resource): number {
  const asked = containersOf(template).map((container) => {
    const resources = objectAt(container, "resources");
    const text = textAt(resources, "requests", resource) || textAt(resources, "limits", resource);
    return quantity(text) ?? 0;
  });
  return asked.reduce((sum, each) => sum + each, 0);
}

function hasRoom(
  node: KubernetesObject,
  resource: Resource,
  { cluster, template }: Placing,
): boolean {
  const has = quantity(textAt(node.status, "allocatable", resource));
  const wants = requestOf(template, resource);
  if (has === undefined || wants === 0) return true;
  const taken = podsOn(cluster, node)
    .map((pod) => requestOf(pod.spec, resource))
    .reduce((sum, each) => sum + each, 0);
  return taken + wants <= has;
}
