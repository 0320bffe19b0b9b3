/** What is in trouble for no reason that any rule knows: the right place to look at, without a name for the cause. */
import type { Origin } from "../../event.ts";
import { type NodeId, nodeId } from "../../graph-words.ts";
import type { Finding } from "../finding.ts";
import { type Cluster, healthOf, isPodReady, type Workload } from "./cluster.ts";
import { isComplainedAbout } from "./complaint.ts";
import { findingOf, likely } from "./finding-of.ts";
import { objectsAt, textAt } from "./json-path.ts";
import { storesOf, usedBy } from "./store.ts";

/** Something to look at, and no more. */
const placeNats = 2;
const notedNats = 1;

/**
 * Only where no rule has a likely cause. Who waits for what is in trouble itself is not meant: trouble comes from callee to
 * caller.
 */
export function failing(cluster: Cluster, found: readonly Finding[]): readonly Finding[] {
  // Whose pods nobody knows is not known to be in trouble.
  if (cluster.workloads.every(({ pods }) => pods.length === 0)) return [];
  if (found.some(({ weight }) => weight >= likely)) return [];
  const known = new Set(found.map(({ node }) => node));
  const hurt = cluster.workloads.flatMap((workload) => {
    const nats = natsOf(cluster, workload);
    return nats === 0 || known.has(workload.node) ? [] : [{ workload, nats }];
  });
  const shared = [...onOneHost(cluster, hurt), ...unmade(hurt), ...behindOne(cluster, hurt)];
  if (shared.length > 0) return shared.slice(0, 1);
  const services = new Set(
    hurt
      .filter(({ nats }) => nats >= placeNats)
      .flatMap(({ workload }) => cluster.serviceOf(workload) ?? []),
  );
  return hurt
    .filter(({ workload }) => !waitsFor(cluster, workload, services))
    .map(({ workload, nats }) =>
      place(
        workload.node,
        nats,
        `${workload.name} is in trouble (${stateOf(cluster, workload)}), and none of the services that it calls is. See its events and its log.`,
        workload.origin,
      ),
    );
}

interface Hurt {
  readonly workload: Workload;
  readonly nats: number;
}

const place = (node: NodeId, weight: number, says: string, origin: Origin): Finding =>
  findingOf({ node, kind: "workload.failing", weight, says, origin });

const sharedNats = 2.5;

/** All whose pods are not ready have them on one machine, on which none is, or which says itself that it is not ready. */
function onOneHost(cluster: Cluster, hurt: readonly Hurt[]): readonly Finding[] {
  const pods = hurt.flatMap(({ workload }) => workload.pods.filter((pod) => !isPodReady(pod)));
  const names = new Set(pods.map(({ spec }) => textAt(spec, "nodeName")));
  const [name] = names;
  const node = cluster.objects("Node").find((each) => each.name === name);
  if (node === undefined || names.size !== 1 || pods.length < 2) return [];
  const others = cluster.workloads
    .flatMap((workload) => workload.pods)
    .filter((pod) => textAt(pod.spec, "nodeName") === name && isPodReady(pod));
  if (others.length > 0) return [];
  const says = `all ${pods.length} pods that are not ready run on ${node.name}, and no other pod of a workload does. See the node.`;
  return [place(node.node, sharedNats, says, node.origin)];
}

/** Several workloads of a namespace have no pod at all: it is not they who are kept from being made. */
function unmade(hurt: readonly Hurt[]): readonly Finding[] {
  const without = hurt.filter(({ workload }) => workload.pods.length === 0);
  const [first] = without;
  const spaces = new Set(without.map(({ workload }) => workload.namespace));
  if (first === undefined || without.length < 2 || spaces.size !== 1) return [];
  const { namespace, origin } = first.workload;
  const says = `${without.length} workloads of ${namespace} have no pod at all. See its quotas and the events of their ReplicaSets.`;
  return [place(nodeId("namespace", namespace), sharedNats, says, origin)];
}

/** Several that do not run use one store: what they have in common is that. */
function behindOne(cluster: Cluster, hurt: readonly Hurt[]): readonly Finding[] {
  const down = hurt.filter(({ nats }) => nats >= placeNats);
  const stores = storesOf(cluster);
  const uses = down.map(({ workload }) =>
    usedBy(cluster, workload).filter((each) => stores.has(each)),
  );
  const [common] = (uses[0] ?? []).filter((each) => uses.every((list) => list.includes(each)));
  if (common === undefined || down.length < 2) return [];
  const says = `all ${down.length} workloads that do not run use ${common.name}. See its log, and theirs.`;
  return [place(common.node, sharedNats, says, common.origin)];
}

function natsOf(cluster: Cluster, workload: Workload): number {
  const { isReady, restarts, reachable, desired } = healthOf(cluster, workload);
  if (desired === 0) return 0;
  if (!isReady) return placeNats + (restarts > 0 ? 0.25 : 0);
  if (reachable === false) return placeNats;
  return isComplainedAbout(cluster, cluster.serviceOf(workload)) ? notedNats : 0;
}

const waitsFor = (cluster: Cluster, workload: Workload, hurt: ReadonlySet<NodeId>): boolean =>
  cluster.reached(cluster.serviceOf(workload)).some((callee) => hurt.has(callee));

function stateOf(cluster: Cluster, workload: Workload): string {
  const { ready, desired, restarts, reachable } = healthOf(cluster, workload);
  const reasons = workload.pods
    .flatMap(({ status }) => [
      ...objectsAt(status, "initContainerStatuses"),
      ...objectsAt(status, "containerStatuses"),
    ])
    .flatMap((status) => {
      const waiting = textAt(status, "state", "waiting", "reason");
      const ended = textAt(status, "lastState", "terminated", "reason");
      return [waiting, ended].filter((reason) => reason !== "");
    });
  return [
    `${ready} of ${desired} pods ready`,
    ...new Set(reasons),
    ...(restarts > 0 ? [`${restarts} restarts`] : []),
    ...(reachable === false ? ["its service is not reached"] : []),
  ].join(", ");
}
