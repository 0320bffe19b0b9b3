/** What a Kubernetes object is called in the model. */
import { type NodeId, nodeId } from "./graph-words.ts";

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
