/** Machines whose own services have stopped: https://kubernetes.io/docs/concepts/overview/components/ */
import type { CauseKind } from "../../cause-kind.ts";
import type { Finding } from "../finding.ts";
import { type Cluster, isPodReady, type KubernetesObject } from "./cluster.ts";
import { certain, findingOf, likely, strong } from "./finding-of.ts";
import { objectsAt, textAt } from "./json-path.ts";
import { isReserved } from "./placement.ts";
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
    const found = stopped.length > 0 ? stopped : stoppedPods(cluster, node);
    const way = unreaching(cluster, node).filter(
      ({ kind }) => !found.some((each) => each.kind !== kind),
    );
    return found.length + way.length > 0 ? [...found, ...way] : silent(cluster, node);
  });
}

/** Of systemd: what is restarted again and again is `activating`, and as good as stopped. */
const running: ReadonlySet<string> = new Set(["active", "reloading", "refreshing", ""]);

function stoppedUnits(node: KubernetesObject): readonly Finding[] {
  return Object.keys(node.units).flatMap((unit): readonly Finding[] => {
    const state = textAt(node.units, unit, "activeState");
    const kind = unitKinds.find(([pattern]) => pattern.test(unit))?.[1];
    if (kind === undefined || running.has(state)) return [];
    const says = `${unit} on ${node.name} is ${state} (${textAt(node.units, unit, "subState")}). Start it: systemctl start ${unit}; journalctl -u ${unit} says why it ended.`;
    return [findingOf({ node: node.node, kind, weight: certain, says, origin: node.origin })];
  });
}

/**
 * The same as pods: kube-proxy of a DaemonSet, the scheduler as a static pod (kubeadm). A pod of theirs that is not ready is
 * a machine without it.
 */
function stoppedPods(cluster: Cluster, node: KubernetesObject): readonly Finding[] {
  return cluster
    .objects("Pod")
    .filter(
      ({ namespace, spec }) =>
        namespace === "kube-system" && textAt(spec, "nodeName") === node.name,
    )
    .flatMap((pod): readonly Finding[] => {
      const kind = unitKinds.find(([pattern]) => pattern.test(pod.name))?.[1];
      if (kind === undefined || Object.keys(pod.status).length === 0 || isPodReady(pod)) return [];
      const says = `${pod.name} on ${node.name} is not ready (${waitsFor(pod)}). kubectl -n kube-system logs ${pod.name} --previous says why.`;
      return [findingOf({ node: node.node, kind, weight: strong, says, origin: pod.origin })];
    });
}

const waitsFor = (pod: KubernetesObject): string =>
  objectsAt(pod.status, "containerStatuses")
    .map((status) => textAt(status, "state", "waiting", "reason"))
    .find((reason) => reason !== "") || textAt(pod.status, "phase");

/** From how many services on one machine's way to service addresses is broken, and not the services. */
const unreachedMin = 2;

/**
 * Services that other machines reach, and this one does not: what leads from a service's address to its pods is made on each
 * machine by kube-proxy (https://kubernetes.io/docs/reference/networking/virtual-ips/).
 */
function unreaching(cluster: Cluster, node: KubernetesObject): readonly Finding[] {
  const tried = cluster.conditions(node.node).filter(({ name }) => name === "Reaches");
  const failed = tried.filter(
    ({ status, message }) => status === "false" && isReachedElsewhere(cluster, node, message),
  );
  if (failed.length < unreachedMin || failed.length * 2 < tried.length) return [];
  const says = `${failed.length} of ${tried.length} services that other nodes reach are not reached from ${node.name}. See kube-proxy there.`;
  const origin = failed[0]?.origin ?? node.origin;
  return [findingOf({ node: node.node, kind: "host.proxy", weight: strong, says, origin })];
}

function isReachedElsewhere(cluster: Cluster, node: KubernetesObject, target: string): boolean {
  return cluster
    .objects("Node")
    .filter((each) => each !== node)
    .flatMap((each) => cluster.conditions(each.node))
    .some(
      ({ name, status, message }) => name === "Reaches" && status === "true" && message === target,
    );
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
  const nodes = cluster.objects("Node");
  const plane =
    nodes.find(({ units }) =>
      Object.keys(units).some((unit) => unit.startsWith("kube-scheduler")),
    ) ?? nodes.find(isReserved);
  if (first === undefined || plane === undefined) return [];
  const says = `${waiting.length} pods wait for a node (${first.name}), and no scheduler has looked at them.`;
  const kind = "host.scheduler";
  return [findingOf({ node: plane.node, kind, weight: likely, says, origin: first.origin })];
}
