/** How Kubernetes objects hang together: what runs where, what is configured by what, and which service it is part of. */
import { isJsonArray, isJsonObject, type JsonObject, type JsonValue } from "../../kernel/index.ts";
import { type EdgeKind, kubernetesNodeId, type NodeId } from "../../model/index.ts";
import type { KubernetesObject } from "./kubernetes.ts";
import { at, listAt, objectAt, textAt } from "./members.ts";
import { named, nameOf, type Teller } from "./source.ts";

const workloadKinds = ["Deployment", "StatefulSet", "DaemonSet", "CronJob", "Job"];

export type Tie = readonly [from: NodeId, to: NodeId, kind: EdgeKind];

export function tellEdges(teller: Teller, objects: readonly KubernetesObject[]): void {
  for (const [{ reference, receivedAt }, [from, to, kind]] of tiesAmong(objects))
    teller.tell(reference, receivedAt, {
      ...{ type: "edge", at: receivedAt, from, to, kind, basis: "declared" },
    });
}

/** How all of these hang together, each tie with the object that says so. */
export function* tiesAmong(
  objects: readonly KubernetesObject[],
): Iterable<readonly [KubernetesObject, Tie]> {
  const services = new Map<string, KubernetesObject[]>();
  for (const service of objects.filter(({ kind }) => kind === "Service"))
    services.set(service.namespace, [...(services.get(service.namespace) ?? []), service]);
  const owners = ownersOf(objects);
  for (const object of objects) {
    for (const tie of tiesOf(object, owners)) yield [object, tie];
    for (const tie of serviceTies(object, services.get(object.namespace) ?? []))
      yield [object, tie];
  }
}

/** By `Kind/namespace/name`: who controls it. */
type Owners = ReadonlyMap<string, { readonly kind: string; readonly name: string }>;

function ownersOf(objects: readonly KubernetesObject[]): Owners {
  const owners = new Map<string, { kind: string; name: string }>();
  for (const { kind, namespace, name, value } of objects) {
    const [owner] = listAt(value, "metadata", "ownerReferences");
    const [ownerKind, ownerName] = [textAt(owner, "kind"), textAt(owner, "name")];
    if (ownerKind !== undefined && ownerName !== undefined)
      owners.set(`${kind}/${namespace}/${name}`, { kind: ownerKind, name: ownerName });
  }
  return owners;
}

/** The workload at the end of the owners; a cycle of owners ends it too. */
function workloadOf(
  { kind, namespace, name }: Pick<KubernetesObject, "kind" | "namespace" | "name">,
  owners: Owners,
  steps = 4,
): NodeId | undefined {
  if (
    workloadKinds.includes(kind) &&
    !(kind === "Job" && owners.has(`${kind}/${namespace}/${name}`))
  )
    return kubernetesNodeId(kind, nameOf(namespace), nameOf(name));
  const owner = owners.get(`${kind}/${namespace}/${name}`);
  if (owner !== undefined)
    return steps === 0 ? undefined : workloadOf({ ...owner, namespace }, owners, steps - 1);
  // A ReplicaSet that was not told is named after its Deployment, with a hash.
  const [, deployment] = kind === "ReplicaSet" ? (/^(.+)-[a-z0-9]{6,10}$/.exec(name) ?? []) : [];
  return deployment === undefined
    ? undefined
    : kubernetesNodeId("Deployment", nameOf(namespace), nameOf(deployment));
}

function tiesOf(object: KubernetesObject, owners: Owners): readonly Tie[] {
  const { kind, namespace, node, value } = object;
  const ties: Tie[] = [];
  const workload = workloadOf(object, owners);
  if (kind === "Pod") {
    const host = textAt(value, "spec", "nodeName");
    if (workload !== undefined) ties.push([node, workload, "part_of"]);
    if (host !== undefined) {
      ties.push([node, named("host", host), "runs_on"]);
      if (workload !== undefined) ties.push([workload, named("host", host), "runs_on"]);
    }
  }
  if (!workloadKinds.includes(kind)) return ties;
  ties.push([named("namespace", namespace), node, "contains"]);
  for (const [referred, name] of referredBy(podSpecOf(kind, value))) {
    const to = kubernetesNodeId(referred, nameOf(namespace), nameOf(name));
    ties.push([node, to, referred === "PersistentVolumeClaim" ? "depends_on" : "configured_by"]);
  }
  return ties;
}

function podTemplateOf(kind: string, value: JsonObject): JsonValue | undefined {
  return kind === "CronJob"
    ? at(value, "spec", "jobTemplate", "spec", "template")
    : at(value, "spec", "template");
}

function podSpecOf(kind: string, value: JsonObject): JsonObject {
  return objectAt(podTemplateOf(kind, value), "spec");
}

/** Members that name another object, wherever in a pod's specification they stand. */
const references: Readonly<Record<string, readonly [kind: string, member: string]>> = {
  configMapKeyRef: ["ConfigMap", "name"],
  configMapRef: ["ConfigMap", "name"],
  configMap: ["ConfigMap", "name"],
  secretKeyRef: ["Secret", "name"],
  secretRef: ["Secret", "name"],
  secret: ["Secret", "secretName"],
  persistentVolumeClaim: ["PersistentVolumeClaim", "claimName"],
};

function referredBy(value: JsonValue): readonly (readonly [string, string])[] {
  if (isJsonArray(value)) return value.flatMap(referredBy);
  if (!isJsonObject(value)) return [];
  return Object.entries(value).flatMap(([member, inner]) => {
    const known = Object.hasOwn(references, member) ? references[member] : undefined;
    const name = known === undefined ? undefined : textAt(inner, known[1]);
    return known === undefined || name === undefined
      ? referredBy(inner)
      : [[known[0], name] as const];
  });
}

/** A workload is part of the services of its namespace that select its pods; one that none selects is a service by its own name. */
function serviceTies(
  { kind, name, node, value }: KubernetesObject,
  services: readonly KubernetesObject[],
): readonly Tie[] {
  if (!workloadKinds.includes(kind)) return [];
  const labels = objectAt(podTemplateOf(kind, value), "metadata", "labels");
  const selecting = services.filter((service) =>
    selects(objectAt(service.value, "spec", "selector"), labels),
  );
  if (selecting.length === 0) return [[node, named("service", name), "part_of"]];
  return selecting.flatMap((service): Tie[] => {
    const own = named("service", service.name);
    return [
      [node, own, "part_of"],
      [own, service.node, "configured_by"],
    ];
  });
}

function selects(selector: JsonObject, labels: JsonObject): boolean {
  const wanted = Object.entries(selector);
  return wanted.length > 0 && wanted.every(([label, value]) => labels[label] === value);
}
