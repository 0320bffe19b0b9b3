/** Kubernetes objects as they stand, with what was reported about them: what rules look at. */
import type { JsonObject } from "../../../kernel/index.ts";
import type { Alert, Condition, LogTemplate, NodeFact, Origin } from "../../event.ts";
import type { NodeId } from "../../graph-words.ts";
import type { View } from "../view.ts";
import { numberAt, objectAt, objectsAt, textAt } from "./json-path.ts";

export interface KubernetesObject {
  readonly node: NodeId;
  readonly kind: string;
  /** "" for what belongs to none. */
  readonly namespace: string;
  readonly name: string;
  readonly metadata: JsonObject;
  readonly spec: JsonObject;
  readonly status: JsonObject;
  readonly data: JsonObject;
  readonly units: JsonObject;
  readonly origin: Origin;
}

/** What people want to be there: a manifest, whether it was taken or not. */
export interface Declared {
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  readonly spec: JsonObject;
  readonly origin: Origin;
}

/** What people deploy: a controller, its template and its pods. */
export interface Workload extends KubernetesObject {
  /** The spec of its pods: of the template, or of a pod that runs where the template is not known. */
  readonly template: JsonObject;
  readonly templateLabels: JsonObject;
  readonly pods: readonly KubernetesObject[];
  readonly replicaSets: readonly KubernetesObject[];
}

const workloadKinds = ["Deployment", "StatefulSet", "DaemonSet"] as const;

export class Cluster {
  readonly #byKind = new Map<string, KubernetesObject[]>();
  readonly #byKey = new Map<string, KubernetesObject>();
  readonly #conditions: ReadonlyMap<NodeId, readonly Condition[]>;
  readonly #logs: ReadonlyMap<NodeId, readonly LogTemplate[]>;
  readonly #alerts: ReadonlyMap<NodeId, readonly Alert[]>;
  readonly #callees: ReadonlyMap<NodeId, readonly NodeId[]>;
  readonly #callers: ReadonlyMap<NodeId, readonly NodeId[]>;
  readonly #servedBy: ReadonlyMap<NodeId, NodeId>;
  readonly declared: readonly Declared[];
  readonly workloads: readonly Workload[];
  /** The latest moment that anything is known of. */
  readonly now: number;

  constructor(view: View) {
    const facts = new Map<NodeId, Map<string, NodeFact>>();
    for (const fact of view.of("node")) {
      const aspects = facts.get(fact.node) ?? new Map<string, NodeFact>();
      facts.set(fact.node, aspects.set(fact.aspect, fact));
    }
    for (const [node, aspects] of facts) this.#addObject(node, aspects);
    this.#conditions = grouped(view.of("condition"), ({ node }) => node);
    this.#logs = grouped(view.of("log"), ({ node }) => node);
    this.#alerts = grouped(view.of("alert"), ({ node }) => node);
    const edges = view.of("edge").filter(({ gone }) => gone !== true);
    const calls = edges.filter(({ kind }) => kind === "calls");
    this.#callees = groupedValues(
      calls,
      ({ from }) => from,
      ({ to }) => to,
    );
    this.#callers = groupedValues(
      calls,
      ({ to }) => to,
      ({ from }) => from,
    );
    const parts = edges.filter(({ kind }) => kind === "part_of");
    this.#servedBy = new Map(parts.map(({ from, to }) => [from, to]));
    this.declared = [...facts.values()].flatMap(declaredOf);
    this.workloads = this.#workloads();
    this.now = Math.max(
      0,
      ...view.of("node").map((fact) => fact.at),
      ...view.of("condition").map(({ at: from, untilAt }) => untilAt ?? from),
    );
  }

  #addObject(node: NodeId, aspects: ReadonlyMap<string, NodeFact>): void {
    const value = (aspect: string): JsonObject => aspects.get(aspect)?.value ?? {};
    const metadata = value("metadata");
    const kind = textAt(metadata, "kind");
    const name = textAt(metadata, "name");
    const [first] = aspects.values();
    if (kind === "" || name === "" || first === undefined) return;
    const object = {
      node,
      kind,
      namespace: textAt(metadata, "namespace"),
      name,
      metadata,
      spec: value("spec"),
      status: value("status"),
      data: value("data"),
      units: value("units"),
      origin: (aspects.get("spec") ?? aspects.get("metadata") ?? first).origin,
    };
    const same = this.#byKind.get(kind);
    if (same === undefined) this.#byKind.set(kind, [object]);
    else same.push(object);
    this.#byKey.set(`${kind}/${object.namespace}/${name}`, object);
  }

  #workloads(): readonly Workload[] {
    const owned = new Map<string, KubernetesObject[]>();
    for (const object of [...this.objects("ReplicaSet"), ...this.objects("Pod")])
      for (const ref of objectsAt(object.metadata, "ownerReferences")) {
        const key = ownedKey(object, textAt(ref, "kind"), object.namespace, textAt(ref, "name"));
        const same = owned.get(key);
        if (same === undefined) owned.set(key, [object]);
        else same.push(object);
      }
    const ownedBy = (owner: KubernetesObject, kind: string): readonly KubernetesObject[] =>
      owned.get(ownedKey({ kind }, owner.kind, owner.namespace, owner.name)) ?? [];
    return workloadKinds
      .flatMap((kind) => this.objects(kind))
      .map((object) => {
        const replicaSets = ownedBy(object, "ReplicaSet");
        const pods = [object, ...replicaSets].flatMap((owner) => ownedBy(owner, "Pod"));
        const template = objectAt(object.spec, "template", "spec");
        return {
          ...object,
          template: Object.keys(template).length > 0 ? template : (pods[0]?.spec ?? {}),
          templateLabels: objectAt(object.spec, "template", "metadata", "labels"),
          pods,
          replicaSets,
        };
      });
  }

  objects(kind: string): readonly KubernetesObject[] {
    return this.#byKind.get(kind) ?? [];
  }

  object(kind: string, namespace: string, name: string): KubernetesObject | undefined {
    return this.#byKey.get(`${kind}/${namespace}/${name}`);
  }

  conditions(node: NodeId): readonly Condition[] {
    return this.#conditions.get(node) ?? [];
  }

  /** Warnings about a workload, its ReplicaSets, its pods and its claims. */
  warnings(workload: Workload): readonly Condition[] {
    return [workload, ...workload.replicaSets, ...workload.pods]
      .flatMap(({ node }) => this.conditions(node))
      .filter(({ status }) => status === "true");
  }

  /** The service node that a workload answers as. */
  serviceOf(workload: KubernetesObject): NodeId | undefined {
    return this.#servedBy.get(workload.node);
  }

  workloadOf(service: NodeId): Workload | undefined {
    return this.workloads.find((workload) => this.serviceOf(workload) === service);
  }

  logs(workload: KubernetesObject): readonly LogTemplate[] {
    const service = this.serviceOf(workload);
    const own = this.#logs.get(workload.node) ?? [];
    return service === undefined ? own : [...own, ...(this.#logs.get(service) ?? [])];
  }

  alerts(node: NodeId | undefined): readonly Alert[] {
    return node === undefined ? [] : (this.#alerts.get(node) ?? []);
  }

  callees(service: NodeId | undefined): readonly NodeId[] {
    return service === undefined ? [] : (this.#callees.get(service) ?? []);
  }

  /** All that it calls, directly or through others. */
  reached(service: NodeId | undefined): readonly NodeId[] {
    const seen = new Set<NodeId>(this.callees(service));
    for (const node of seen) for (const next of this.callees(node)) seen.add(next);
    return [...seen].filter((node) => node !== service);
  }

  callers(service: NodeId | undefined): readonly NodeId[] {
    return service === undefined ? [] : (this.#callers.get(service) ?? []);
  }

  /** Manifests of a kind without an object. */
  absent(kind: string, namespace: string): readonly Declared[] {
    return this.declared.filter(
      (each) =>
        each.kind === kind &&
        each.namespace === namespace &&
        this.object(kind, namespace, each.name) === undefined,
    );
  }

  /** Services whose selector all labels of the workload's pods satisfy. */
  selecting(workload: Workload): readonly KubernetesObject[] {
    return this.objects("Service").filter(
      (service) =>
        service.namespace === workload.namespace &&
        matchesLabels(objectAt(service.spec, "selector"), workload.templateLabels),
    );
  }
}

function ownedKey(
  { kind }: Pick<KubernetesObject, "kind">,
  ownerKind: string,
  namespace: string,
  ownerName: string,
): string {
  return JSON.stringify([kind, ownerKind, namespace, ownerName]);
}

/** A selector without any label selects nothing: https://kubernetes.io/docs/concepts/services-networking/service/ */
export function matchesLabels(selector: JsonObject, labels: JsonObject): boolean {
  const wanted = Object.entries(selector);
  return wanted.length > 0 && wanted.every(([key, value]) => labels[key] === value);
}

export interface Health {
  readonly desired: number;
  readonly ready: number;
  /** Containers that ended and were started again. */
  readonly restarts: number;
  readonly isReady: boolean;
  /** A probe from elsewhere reached its service: absent when none was made. */
  readonly reachable?: boolean;
}

export function healthOf(cluster: Cluster, workload: Workload): Health {
  const ready = readyPods(workload);
  const desired = numberAt(workload.spec, "replicas") ?? 1;
  const restarts = workload.pods
    .flatMap((pod) => objectsAt(pod.status, "containerStatuses"))
    .reduce((sum, status) => sum + (numberAt(status, "restartCount") ?? 0), 0);
  const service = cluster.serviceOf(workload);
  const probes = (service === undefined ? [] : cluster.conditions(service)).filter(
    ({ name, status }) => name === "Reachable" && status !== "unknown",
  );
  return {
    desired,
    ready,
    restarts,
    isReady: desired > 0 && ready >= desired,
    ...(probes.length === 0 ? {} : { reachable: probes.every(({ status }) => status === "true") }),
  };
}

/** Where not all of its pods are known, its own status knows better. */
function readyPods({ pods, status }: Workload): number {
  const isPartial = pods.length < (numberAt(status, "replicas") ?? 0);
  return isPartial ? (numberAt(status, "readyReplicas") ?? 0) : pods.filter(isPodReady).length;
}

function declaredOf(aspects: ReadonlyMap<string, NodeFact>): readonly Declared[] {
  const fact = aspects.get("declared");
  if (fact?.value === undefined || fact.value === null) return [];
  const { value, origin } = fact;
  return [
    {
      kind: textAt(value, "kind"),
      namespace: textAt(value, "metadata", "namespace"),
      name: textAt(value, "metadata", "name"),
      spec: objectAt(value, "spec"),
      origin,
    },
  ];
}

export function isPodReady(pod: KubernetesObject): boolean {
  return objectsAt(pod.status, "conditions").some(
    (condition) => textAt(condition, "type") === "Ready" && textAt(condition, "status") === "True",
  );
}

export function containersOf(template: JsonObject): readonly JsonObject[] {
  return objectsAt(template, "containers");
}

function grouped<T>(items: readonly T[], key: (item: T) => NodeId): Map<NodeId, T[]> {
  return groupedValues(items, key, (item) => item);
}

function groupedValues<T, V>(
  items: readonly T[],
  key: (item: T) => NodeId,
  value: (item: T) => V,
): Map<NodeId, V[]> {
  const groups = new Map<NodeId, V[]>();
  for (const item of items) {
    const group = groups.get(key(item));
    if (group === undefined) groups.set(key(item), [value(item)]);
    else group.push(value(item));
  }
  return groups;
}
