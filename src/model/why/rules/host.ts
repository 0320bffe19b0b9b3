/** Machines whose own services have stopped: https://kubernetes.io/docs/concepts/overview/components/ */
import type { CauseKind } from "../../cause-kind.ts";
import type { Finding } from "../finding.ts";
import type { Cluster, KubernetesObject } from "./cluster.ts";
import { certain, findingOf, likely, strong } from "./finding-of.ts";
import { objectsAt, textAt } from "./json-path.ts";
import { isUnscheduled } from "./schedule.ts";

/** Units of systemd, by their usual names. */
const unitKinds: readonly (readonly [RegExp, CauseKind])[] = [
  [/^kubelet/, "host.kubelet"],
  [/^(?:containerd|crio|cri-o|docker)/, "host.runtime"],
  [/^kube-proxy/, "host.proxy"],
  [/^kube-scheduler/, "host.scheduler"],
];

export function host(cluster: Cluster): readonly Finding[] {
  return cluster.objects("Node").flatMap((node) => {
    const stopped = stoppedUnits(node);
    if (stopped.length > 0) return stopped;
    return silent(cluster, node);
  });
}

function stoppedUnits(node: KubernetesObject): readonly Finding[] {
  return Object.keys(node.units).flatMap((unit): readonly Finding[] => {
    const state = textAt(node.units, unit, "activeState");
    const kind = unitKinds.find(([pattern]) => pattern.test(unit))?.[1];
    if (kind === undefined || !["inactive", "failed", "deactivating"].includes(state)) return [];
    const says = `${unit} on ${node.name} is ${state} (${textAt(node.units, unit, "subState")}). Start it: systemctl start ${unit}.`;
    return [findingOf({ node: node.node, kind, weight: certain, says, origin: node.origin })];
  });
}

/** A node that is not ready, of whose units nothing is known: the words of the node controller and of the kubelet decide. */
function silent(cluster: Cluster, node: KubernetesObject): readonly Finding[] {
  const ready = objectsAt(node.status, "conditions").find(
    (condition) => textAt(condition, "type") === "Ready",
  );
  if (ready === undefined || textAt(ready, "status") === "True") return [];
  const pods = cluster
    .objects("Pod")
    .filter(({ spec }) => textAt(spec, "nodeName") === node.name)
    .flatMap((pod) => cluster.conditions(pod.node));
  const words = [textAt(ready, "message"), ...pods.map(({ message }) => message)].join("\n");
  const isRuntime =
    /container runtime|PLEG|(?:containerd|crio|docker)\.sock/i.test(words) &&
    !Object.keys(node.units).some((unit) => /^(?:containerd|crio|docker)/.test(unit));
  const says = `${node.name} is not ready: ${textAt(ready, "message") || textAt(ready, "reason")}`;
  const kind = isRuntime ? "host.runtime" : "host.kubelet";
  return [findingOf({ node: node.node, kind, weight: strong, says, origin: node.origin })];
}

/** Pods wait, and no scheduler has said why. Where its host is not known, the control plane's is meant. */
export function schedulerSilent(cluster: Cluster): readonly Finding[] {
  const waiting = cluster
    .objects("Pod")
    .filter(isUnscheduled)
    .filter((pod) => !cluster.conditions(pod.node).some(({ name }) => name === "FailedScheduling"));
  const [first] = waiting;
  const plane = cluster
    .objects("Node")
    .find(({ units }) => Object.keys(units).some((unit) => unit.startsWith("kube-scheduler")));
  if (first === undefined || plane === undefined) return [];
  const says = `${waiting.length} pods wait for a node (${first.name}), and no scheduler has looked at them.`;
  const kind = "host.scheduler";
  return [findingOf({ node: plane.node, kind, weight: likely, says, origin: first.origin })];
}
