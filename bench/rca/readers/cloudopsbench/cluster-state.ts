/** Objects of the cluster, events about them, and the units of its machines. */
import { parseAllDocuments } from "yaml";
import { isJsonObject, type JsonObject, type JsonValue } from "../../../../src/kernel/index.ts";
import { kubernetesNodeId, type NodeId, nodeId } from "../../../../src/model/index.ts";
import type { CloudOpsCase } from "./case.ts";
import { ageMs, Description, tableRows } from "./kubectl-text.ts";
import { describedObject, type KubernetesObject, podsOfNode, singular } from "./objects.ts";
import type { Teller } from "./teller.ts";

/** What `kubectl describe` does not print of a pod's spec, and a manifest has. */
const unprinted = [
  "affinity",
  "topologySpreadConstraints",
  "securityContext",
  "dnsPolicy",
  "dnsConfig",
  "hostNetwork",
  "hostAliases",
  "imagePullSecrets",
] as const;

interface Told {
  readonly reference: string;
  readonly object: KubernetesObject;
}

export function tellCluster(given: CloudOpsCase, teller: Teller): void {
  const objects = new Map<string, Told>();
  for (const told of live(given)) {
    const before = objects.get(keyOf(told.object));
    objects.set(keyOf(told.object), before === undefined ? told : merged(before, told.object));
  }
  for (const { reference, object } of declared(given)) {
    teller.declared(reference, object);
    const running = objects.get(keyOf(object));
    if (running !== undefined) objects.set(keyOf(object), merged(running, object));
  }
  for (const { reference, object } of objects.values()) teller.object(reference, object);
  tellEvents(given, teller);
  tellUnits(given, teller);
}

const keyOf = ({ kind, metadata }: KubernetesObject): string =>
  `${kind}/${metadata["namespace"] ?? ""}/${metadata["name"]}`;

function live(given: CloudOpsCase): readonly Told[] {
  const described = Object.entries(given.k8s.describe).flatMap(([type, byName]) =>
    Object.entries(byName).flatMap(([name, text]): readonly Told[] => {
      const reference = `describe ${singular(type)}/${name}`;
      const object = describedObject(type, text);
      const inside = singular(type) === "node" ? podsOfNode(text) : [];
      return [...(object === undefined ? [] : [object]), ...inside].map((each) => ({
        reference,
        object: each,
      }));
    }),
  );
  return [...described, ...listed(given)];
}

/** What is only listed: a storage class, an account that was not described. */
function listed({ k8s, namespace }: CloudOpsCase): readonly Told[] {
  const names = (type: string): readonly string[] =>
    tableRows(k8s.list[type] ?? "").map((row) => row["NAME"] ?? "");
  const of = (kind: string, type: string, inNamespace: boolean): readonly Told[] =>
    names(type).map((name) => ({
      reference: `get ${type}`,
      object: { kind, metadata: { name, ...(inNamespace ? { namespace } : {}) } },
    }));
  return [
    ...of("StorageClass", "storageclasses", false),
    ...of("ServiceAccount", "serviceaccounts", true),
    ...of("Secret", "secrets", true),
    ...of("ConfigMap", "configmaps", true),
    ...of("Service", "services", true),
  ];
}

function declared({ appYaml, namespace }: CloudOpsCase): readonly Told[] {
  return Object.entries(appYaml).flatMap(([app, text]) =>
    parseAllDocuments(text).flatMap((document): readonly Told[] => {
      const value = document.toJS() as JsonValue;
      if (!isJsonObject(value) || typeof value["kind"] !== "string") return [];
      return [{ reference: `manifest of ${app}`, object: manifest(value, namespace) }];
    }),
  );
}

function manifest(value: JsonObject, namespace: string): KubernetesObject {
  const kind = String(value["kind"]);
  const metadata = isJsonObject(value["metadata"]) ? value["metadata"] : {};
  const data = value["data"] ?? value["stringData"];
  const homeless = kind === "PersistentVolume" || kind === "StorageClass";
  return {
    kind,
    metadata: homeless ? metadata : { namespace, ...metadata },
    ...(isJsonObject(value["spec"]) ? { spec: value["spec"] } : {}),
    ...(isJsonObject(data) ? { data } : {}),
  };
}

/** What runs wins; the manifest adds what was not printed. */
function merged(before: Told, manifest: KubernetesObject): Told {
  const { object } = before;
  const data = object.data ?? manifest.data;
  const spec = mergedSpec(object, manifest);
  return {
    reference: before.reference,
    object: {
      ...object,
      ...(spec === undefined ? {} : { spec }),
      ...(data === undefined ? {} : { data }),
    },
  };
}

function mergedSpec(
  { kind, spec }: KubernetesObject,
  manifest: KubernetesObject,
): JsonObject | undefined {
  if (spec === undefined || manifest.spec === undefined) return spec ?? manifest.spec;
  if (kind === "PersistentVolumeClaim" || kind === "PersistentVolume")
    return { ...manifest.spec, ...spec };
  const template = spec["template"];
  const written = podSpecOf(manifest.spec);
  if (!isJsonObject(template) || written === undefined) return spec;
  const added = Object.fromEntries(
    unprinted.flatMap((field) => (written[field] === undefined ? [] : [[field, written[field]]])),
  );
  const running = isJsonObject(template["spec"]) ? template["spec"] : {};
  return { ...spec, template: { ...template, spec: { ...added, ...running } } };
}

function podSpecOf(spec: JsonObject): JsonObject | undefined {
  const template = spec["template"];
  const inner = isJsonObject(template) ? template["spec"] : undefined;
  return isJsonObject(inner) ? inner : undefined;
}

/** Events of `kubectl describe`, each with its object; `kubectl get events` has those whose object is gone. */
function tellEvents(given: CloudOpsCase, teller: Teller): void {
  const told = new Set<string>();
  const tellOnce = (node: NodeId, age: string, event: EventRow): void => {
    const key = `${node} ${event.reason} ${event.message}`;
    if (!told.has(key)) tellEvent(teller, node, age, event);
    told.add(key);
  };
  for (const [node, row] of describedEvents(given))
    tellOnce(node, row["Age"] ?? "", eventRow(row["Type"], row["Reason"], row["Message"]));
  for (const row of tableRows(given.k8s.list["events"] ?? "")) {
    const [type = "", name = ""] = (row["OBJECT"] ?? "").split("/");
    const kind = eventKinds[type];
    if (kind === undefined) continue;
    const node = kubernetesNodeId(kind, kind === "Node" ? "" : given.namespace, name);
    const event = eventRow(row["TYPE"], row["REASON"], row["MESSAGE"]);
    tellOnce(node, row["LAST SEEN"] ?? "", event);
  }
}

type Row = Readonly<Record<string, string>>;

function describedEvents({ k8s }: CloudOpsCase): readonly (readonly [NodeId, Row])[] {
  return Object.entries(k8s.describe).flatMap(([type, byName]) =>
    Object.values(byName).flatMap((text) => {
      const object = describedObject(type, text);
      if (object === undefined) return [];
      const { kind, metadata } = object;
      const node = kubernetesNodeId(
        kind,
        String(metadata["namespace"] ?? ""),
        String(metadata["name"]),
      );
      return new Description(text).table("Events").map((row) => [node, row] as const);
    }),
  );
}

interface EventRow {
  readonly type: string;
  readonly reason: string;
  readonly message: string;
}

const eventRow = (type = "", reason = "", message = ""): EventRow => ({ type, reason, message });

const eventKinds: Readonly<Record<string, string>> = {
  pod: "Pod",
  node: "Node",
  replicaset: "ReplicaSet",
  deployment: "Deployment",
  statefulset: "StatefulSet",
  persistentvolumeclaim: "PersistentVolumeClaim",
  service: "Service",
  endpoints: "Endpoints",
};

function tellEvent(teller: Teller, node: NodeId, age: string, event: EventRow): void {
  const [, last = age, times = "1", first = last] = /^(\S+) \(x(\d+) over (\S+)\)$/.exec(age) ?? [];
  const untilAt = teller.now - ageMs(last);
  teller.tell(`event ${event.reason} of ${node}`, {
    type: "condition",
    at: Math.min(untilAt, teller.now - ageMs(first)),
    untilAt,
    count: Number(times),
    node,
    name: event.reason,
    status: event.type === "Warning" ? "true" : "false",
    message: event.message,
  });
}

/** `Active: inactive (dead) since …` of `systemctl status`, as systemd names its states. */
function tellUnits(given: CloudOpsCase, teller: Teller): void {
  for (const [host, units] of Object.entries(given.nodeServices)) {
    const value: Record<string, JsonObject> = {};
    for (const [unit, text] of Object.entries(units)) {
      const [, activeState, subState] = /Active: (\w+) \(([^)]*)\)/.exec(text) ?? [];
      if (activeState !== undefined) value[unit] = { activeState, subState: subState ?? "" };
    }
    const node = nodeId("host", host);
    teller.tell(`systemctl status on ${host}`, {
      type: "node",
      at: teller.now,
      node,
      aspect: "units",
      value,
    });
  }
}
