/**
 * Kubernetes objects, as `kubectl get -o json` lists them, as a watch tells them, or as manifests declare them. The values of
 * secrets are never told.
 */
import {
  isJsonObject,
  type JsonObject,
  type JsonValue,
  ok,
  type Result,
} from "../../kernel/index.ts";
import { kubernetesNodeId, type NodeId } from "../../model/index.ts";
import { tellEdges } from "./kubernetes-edges.ts";
import { at, listAt, objectAt, textAt, timeAt } from "./members.ts";
import {
  nameOf,
  type SeenByWatch,
  type Source,
  type SourceDocument,
  type SourceFault,
  Teller,
  type Told,
  textOf,
} from "./source.ts";

export interface KubernetesObject {
  readonly reference: string;
  readonly receivedAt: number;
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  readonly node: NodeId;
  readonly value: JsonObject;
  /** It is, or was, there; otherwise somebody only wants it to be. */
  readonly isLive: boolean;
  readonly isDeleted: boolean;
  readonly watch?: SeenByWatch;
}

const aspects = ["spec", "status", "data"] as const;
/** Large, and said elsewhere, or another each time; the last holds the values of secrets. */
const dropped = [
  "managedFields",
  "resourceVersion",
  "kubectl.kubernetes.io/last-applied-configuration",
];
/** Objects that belong to no namespace. */
const ofCluster =
  /^(?:Node|Namespace|PersistentVolume|StorageClass|Cluster.*|.*Configuration|PriorityClass|CustomResourceDefinition)$/;

export const kubernetes: Source = {
  name: "kubernetes",
  version: 3,
  gathers: true,
  reads: ({ value }) => {
    const object = watched(value) ?? value;
    const isOfOthers = /^(?:argoproj|backstage)\.io\//.test(textAt(object, "apiVersion") ?? "");
    return (
      at(object, "kind") !== undefined && at(object, "apiVersion") !== undefined && !isOfOthers
    );
  },
  tell: (documents): Result<Told, SourceFault> => {
    const teller = new Teller("kubernetes");
    const objects = documents.flatMap(objectsIn);
    tellObjects(teller, objects);
    tellEdges(
      teller,
      objects.filter(({ kind, isDeleted }) => kind !== "Event" && !isDeleted),
    );
    return ok(teller.told);
  },
};

/** All but how they hang together. */
export function tellObjects(teller: Teller, objects: readonly KubernetesObject[]): void {
  for (const object of objects)
    if (object.kind === "Event") tellEvent(teller, object);
    else tellObject(teller, object);
}

/** `{ type: ADDED | MODIFIED | DELETED, object }`, a line of a watch. */
function watched(value: JsonValue): JsonObject | undefined {
  const object = at(value, "object");
  return typeof at(value, "type") === "string" && object !== undefined && isJsonObject(object)
    ? object
    : undefined;
}

/** A list is many. */
export function objectsIn(document: SourceDocument): readonly KubernetesObject[] {
  const { value, reference, receivedAt, watch } = document;
  const told = watched(value);
  const object = told ?? value;
  const kind = textAt(object, "kind") ?? "";
  if (kind.endsWith("List") && at(object, "items") !== undefined)
    return listAt(object, "items").flatMap((item, index) =>
      isJsonObject(item)
        ? objectsIn({
            reference: `${reference} items[${index}]`,
            // Lists of one kind leave the kind of their items out.
            value: { kind: kind.slice(0, -"List".length), apiVersion: "v1", ...item },
            receivedAt,
          })
        : [],
    );
  const name = textAt(object, "metadata", "name");
  if (name === undefined) return [];
  const given = textAt(object, "metadata", "namespace");
  const namespace = ofCluster.test(kind) ? "" : (given ?? "default");
  const node = kubernetesNodeId(nameOf(kind), nameOf(namespace), nameOf(name));
  const isLive =
    at(object, "metadata", "uid") !== undefined ||
    at(object, "metadata", "creationTimestamp") !== undefined ||
    at(object, "status") !== undefined;
  const isDeleted = told !== undefined && textAt(value, "type") === "DELETED";
  const where = `${reference} ${kind}/${namespace}/${name}`;
  return [
    {
      ...{ reference: where, receivedAt, kind, namespace, name, node },
      value: object,
      isLive,
      isDeleted,
      ...(watch !== undefined && { watch }),
    },
  ];
}

function tellObject(teller: Teller, object: KubernetesObject): void {
  const { reference, receivedAt, kind, namespace, name, node, value } = object;
  const fact = (aspect: string, since: number, told: JsonObject | null): void =>
    teller.tell(reference, Math.max(since, receivedAt), {
      ...{ type: "node", at: since, node, aspect, value: told },
    });
  const metadata = {
    ...withoutDropped(objectAt(value, "metadata")),
    ...{ namespace, kind, name },
    ...(object.watch !== undefined && {
      watched_in: object.watch.cluster,
      watched_as: object.watch.kind,
    }),
  };
  if (object.isDeleted) {
    fact("metadata", deletedAt(object), null);
    return;
  }
  if (!object.isLive) {
    const declared = Object.fromEntries(aspects.flatMap((aspect) => aspectOf(object, aspect)));
    fact("declared", receivedAt, { kind, metadata, ...declared });
    return;
  }
  const since = specSince(object);
  fact("metadata", since, metadata);
  // Since when a status is so, only its conditions say; the whole of it is so now.
  for (const [aspect, told] of aspects.flatMap((each) => aspectOf(object, each)))
    fact(aspect, aspect === "status" ? receivedAt : since, told);
  tellConditions(teller, object);
}

function aspectOf(
  object: KubernetesObject,
  aspect: (typeof aspects)[number],
): readonly (readonly [string, JsonObject])[] {
  const { kind, value } = object;
  const told =
    at(value, aspect) ??
    (aspect === "data" ? at(value, "stringData") : undefined) ??
    (aspect === "spec" ? unnamedSpec(object) : undefined);
  if (told === undefined || !isJsonObject(told)) return [];
  if (aspect === "status") return [[aspect, withoutBeats(told)]];
  if (kind !== "Secret" || aspect !== "data") return [[aspect, told]];
  return [
    [aspect, Object.fromEntries(Object.keys(told).map((key) => [nameOf(key), "(not told)"]))],
  ];
}

/** What some kinds say beside their metadata, and not below `spec`: with what accounts pull, how classes bind. */
function unnamedSpec({ kind, value }: KubernetesObject): JsonObject | undefined {
  if (kind !== "ServiceAccount" && kind !== "StorageClass") return undefined;
  const { apiVersion: _, kind: __, metadata: ___, secrets: ____, ...rest } = value;
  return Object.keys(rest).length === 0 ? undefined : rest;
}

/** That a kubelet still looks is no change of what it sees. */
function withoutBeats(status: JsonObject): JsonObject {
  if (at(status, "conditions") === undefined) return status;
  const conditions = listAt(status, "conditions").map((condition) => {
    const { lastHeartbeatTime: _, lastProbeTime: __, ...rest } = objectAt(condition);
    return rest;
  });
  return { ...status, conditions };
}

function withoutDropped(metadata: JsonObject): JsonObject {
  const kept = Object.entries(metadata).filter(([name]) => !dropped.includes(name));
  const annotations = Object.entries(objectAt(metadata, "annotations")).filter(
    ([name]) => !dropped.includes(name),
  );
  return { ...Object.fromEntries(kept), annotations: Object.fromEntries(annotations) };
}

/**
 * Since when the specification is as it is: the first generation since the object was made, a later one since the last that
 * anybody but a controller wrote, as far as `managedFields` tell; who scales writes the number of replicas.
 */
function specSince(object: KubernetesObject): number {
  // Times of Kubernetes are whole seconds: who takes another's name within one came after it all the same.
  return Math.max(writtenAt(object), (object.watch?.endedAt ?? Number.NEGATIVE_INFINITY) + 1);
}

function writtenAt({ value, receivedAt }: KubernetesObject): number {
  const createdAt = timeAt(value, "metadata", "creationTimestamp");
  const written = listAt(value, "metadata", "managedFields")
    .filter((entry) => /^(?:|scale)$/.test(textAt(entry, "subresource") ?? ""))
    .flatMap((entry) => timeAt(entry, "time") ?? []);
  const generation = at(value, "metadata", "generation");
  if (generation === 1 && createdAt !== undefined) return createdAt;
  if (written.length > 0) return Math.min(receivedAt, Math.max(...written));
  // Objects without a generation (config maps) tell nothing of when they were changed.
  return receivedAt;
}

function deletedAt({ value, receivedAt, watch }: KubernetesObject): number {
  // Until a watch says so it is there, and its status still changes.
  if (watch !== undefined) return receivedAt;
  return Math.min(receivedAt, timeAt(value, "metadata", "deletionTimestamp") ?? receivedAt);
}

function tellConditions(
  teller: Teller,
  { reference, receivedAt, node, value }: KubernetesObject,
): void {
  for (const condition of listAt(value, "status", "conditions")) {
    const name = textAt(condition, "type");
    const status = textAt(condition, "status")?.toLowerCase();
    if (name === undefined || (status !== "true" && status !== "false" && status !== "unknown"))
      continue;
    const since = timeAt(condition, "lastTransitionTime") ?? receivedAt;
    const reason = textAt(condition, "reason");
    const message = textAt(condition, "message") ?? "";
    teller.tell(reference, Math.max(since, receivedAt), {
      ...{ type: "condition", at: since, node, name: nameOf(name), status },
      message: textOf(reason === undefined ? message : `${reason}: ${message}`),
    });
  }
}

/** What the cluster reports of an object, of core/v1 or events.k8s.io/v1. */
function tellEvent(teller: Teller, { reference, receivedAt, value }: KubernetesObject): void {
  const about = at(value, "involvedObject") ?? at(value, "regarding");
  const kind = nameOf(textAt(about, "kind") ?? "");
  const name = nameOf(textAt(about, "name") ?? "");
  if (kind === "" || name === "") {
    teller.note(reference, "an event about nothing; left out");
    return;
  }
  const namespace = ofCluster.test(kind) ? "" : nameOf(textAt(about, "namespace") ?? "default");
  const last =
    timeAt(value, "series", "lastObservedTime") ??
    timeAt(value, "lastTimestamp") ??
    timeAt(value, "eventTime") ??
    timeAt(value, "metadata", "creationTimestamp") ??
    receivedAt;
  const first = timeAt(value, "firstTimestamp") ?? timeAt(value, "eventTime") ?? last;
  teller.tell(reference, Math.max(last, receivedAt), {
    ...{ type: "condition", at: Math.min(first, last), untilAt: last },
    node: kubernetesNodeId(kind, namespace, name),
    name: nameOf(textAt(value, "reason") ?? ""),
    status: textAt(value, "type") === "Warning" ? "true" : "false",
    message: textOf(textAt(value, "message") ?? textAt(value, "note") ?? ""),
    count: Number(textAt(value, "series", "count") ?? textAt(value, "count") ?? 1),
  });
}
