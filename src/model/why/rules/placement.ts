/**
 * Which nodes a pod may be placed on, by the filters of kube-scheduler, and which filter keeps it from each of the others:
 * https://kubernetes.io/docs/reference/scheduling/config/#scheduling-plugins
 */
import type { JsonObject } from "../../../kernel/index.ts";
import { type Cluster, containersOf, type KubernetesObject } from "./cluster.ts";
import { objectAt, objectsAt, textAt, textsAt } from "./json-path.ts";
import { quantity } from "./quantity.ts";

export type Obstacle =
  | "selector"
  | "affinity"
  | "cordoned"
  | "taint"
  | "host_down"
  | "cpu"
  | "memory"
  | "anti_affinity";

/** Put on a node by the node controller when its kubelet is silent, not by people. */
const hostDown = new Set(["node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"]);
const cordonTaint = "node.kubernetes.io/unschedulable";

interface Placing {
  readonly cluster: Cluster;
  readonly namespace: string;
  readonly template: JsonObject;
  readonly labels: JsonObject;
}

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
  if (antiAffinityForbids(node, placing)) found.push("anti_affinity");
  return found;
}

const labelsOf = (node: KubernetesObject): JsonObject => objectAt(node.metadata, "labels");

function satisfies(selector: JsonObject, labels: JsonObject): boolean {
  return Object.entries(selector).every(([key, value]) => labels[key] === value);
}

function affinityAllows(template: JsonObject, node: KubernetesObject): boolean {
  const terms = objectsAt(
    objectAt(
      template,
      "affinity",
      "nodeAffinity",
      "requiredDuringSchedulingIgnoredDuringExecution",
    ),
    "nodeSelectorTerms",
  );
  return (
    terms.length === 0 ||
    terms.some((term) => expressionsHold(objectsAt(term, "matchExpressions"), labelsOf(node)))
  );
}

/** Of node selectors and of label selectors alike; `Gt` and `Lt` compare integers. */
export function expressionsHold(expressions: readonly JsonObject[], labels: JsonObject): boolean {
  return expressions.every((expression) => {
    const actual = labels[textAt(expression, "key")];
    const values = textsAt(expression, "values");
    const has = actual !== undefined;
    switch (textAt(expression, "operator")) {
      case "In":
        return has && values.includes(String(actual));
      case "NotIn":
        return !has || !values.includes(String(actual));
      case "Exists":
        return has;
      case "DoesNotExist":
        return !has;
      case "Gt":
        return has && Number(actual) > Number(values[0]);
      case "Lt":
        return has && Number(actual) < Number(values[0]);
      default:
        return true;
    }
  });
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

function podsOn(cluster: Cluster, node: KubernetesObject): readonly KubernetesObject[] {
  return cluster
    .objects("Pod")
    .filter(
      ({ spec, status }) =>
        textAt(spec, "nodeName") === node.name &&
        !["Succeeded", "Failed"].includes(textAt(status, "phase")),
    );
}

function antiAffinityForbids(node: KubernetesObject, placing: Placing): boolean {
  const terms = objectsAt(
    placing.template,
    "affinity",
    "podAntiAffinity",
    "requiredDuringSchedulingIgnoredDuringExecution",
  );
  return terms.some((term) => {
    const domain = textAt(term, "topologyKey");
    const here = labelsOf(node)[domain] ?? (domain === "kubernetes.io/hostname" ? node.name : "");
    return neighbours(placing.cluster, domain, here)
      .filter((pod) => pod.namespace === placing.namespace)
      .some((pod) => selects(objectAt(term, "labelSelector"), objectAt(pod.metadata, "labels")));
  });
}

/** Pods on any node of the same topology domain. */
function neighbours(cluster: Cluster, key: string, value: unknown): readonly KubernetesObject[] {
  return cluster
    .objects("Node")
    .filter((node) => (labelsOf(node)[key] ?? node.name) === value)
    .flatMap((node) => podsOn(cluster, node));
}

export function selects(selector: JsonObject, labels: JsonObject): boolean {
  return (
    satisfies(objectAt(selector, "matchLabels"), labels) &&
    expressionsHold(objectsAt(selector, "matchExpressions"), labels)
  );
}
