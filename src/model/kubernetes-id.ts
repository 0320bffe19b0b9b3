/** What a Kubernetes object is called in the model. */
import { type NodeId, nodeId, splitNodeId } from "./graph-words.ts";

const workloadKinds: ReadonlySet<string> = new Set([
  "Deployment",
  "StatefulSet",
  "DaemonSet",
  "CronJob",
  "Job",
]);

/**
 * Controllers that people write are workloads, a Node is a host, a Namespace a namespace; all else (pods and
 * ReplicaSets too, which controllers write) is an object. `namespace` is "" for what belongs to none.
 */
export function kubernetesNodeId(kind: string, namespace: string, name: string): NodeId {
  if (kind === "Node") return nodeId("host", name);
  if (kind === "Namespace") return nodeId("namespace", name);
  const path = namespace === "" ? name : `${namespace}/${name}`;
  return workloadKinds.has(kind) ? nodeId("workload", path) : nodeId("object", `${kind}/${path}`);
}

/**
 * The namespace of a node that is a Kubernetes object, "" where it belongs to none (as a Node does); undefined for what is
 * no such object, or cannot be told from one.
 */
export function namespaceOf(node: NodeId): string | undefined {
  const split = splitNodeId(node);
  if (split === undefined) return undefined;
  const parts = split.name.split("/");
  if (split.kind === "host") return "";
  if (split.kind === "namespace") return split.name;
  if (split.kind === "workload") return parts.length === 2 ? parts[0] : undefined;
  if (split.kind !== "object" || parts.length < 2) return undefined;
  return parts.length === 3 ? parts[1] : "";
}
