/** What a namespace may not have more of: https://kubernetes.io/docs/concepts/policy/resource-quotas/ */

import type { CauseKind } from "../../cause-kind.ts";
import { nodeId } from "../../graph-words.ts";
import type { Finding } from "../finding.ts";
import { type Cluster, healthOf, type KubernetesObject, type Workload } from "./cluster.ts";
import { certain, findingOf, likely } from "./finding-of.ts";
import { objectAt, textAt } from "./json-path.ts";
import { quantity } from "./quantity.ts";

function kindOf(resource: string): CauseKind | undefined {
  if (/(?:^|\.)storage$|persistentvolumeclaims$/.test(resource)) return "quota.storage";
  if (/(?:^|\.)cpu$/.test(resource)) return "quota.cpu";
  if (/(?:^|\.)memory$/.test(resource)) return "quota.memory";
  if (/^(?:count\/)?pods$/.test(resource)) return "quota.pods";
  if (/^(?:count\/)?services(?:\.|$)/.test(resource)) return "quota.services";
  // https://kubernetes.io/docs/concepts/policy/resource-quotas/#object-count-quota, and resources of other kinds.
  return /^count\/|^(?:requests|limits)\.|^(?:configmaps|secrets|replicationcontrollers)$/.test(
    resource,
  )
    ? "quota.objects"
    : undefined;
}

/** A quota that is used up is trouble only where something was refused for it, or is missing. */
export function quota(cluster: Cluster): readonly Finding[] {
  return [...refusals(cluster), ...exhausted(cluster)];
}

/** A quota of a resource also refuses who does not say how much of it they want. */
const refusedFor =
  /exceeded quota: [^,]+, requested: ([\w./-]+)=|failed quota: [^:]+: must specify ([\w./-]+)/;

/** `exceeded quota: <name>, requested: <resource>=…`, of the API server to a controller. */
function refusals(cluster: Cluster): readonly Finding[] {
  const found = new Map<string, Finding>();
  for (const workload of cluster.workloads) {
    if (healthOf(cluster, workload).isReady) continue;
    for (const { message, origin, at } of cluster.warnings(workload)) {
      const resource = refusedFor
        .exec(message)
        ?.slice(1)
        .find((each) => each !== undefined);
      const kind = resource === undefined ? undefined : kindOf(resource);
      const node = nodeId("namespace", workload.namespace);
      if (kind === undefined || found.has(`${node} ${kind}`)) continue;
      const says = `${workload.name} has no pod: ${message}. Raise the quota, or ask for less.`;
      found.set(
        `${node} ${kind}`,
        findingOf({ node, kind, weight: certain, says, origin, onsetAt: at }),
      );
    }
  }
  return [...found.values()];
}

/** Used up, or without room for a manifest that was not taken, while something is missing that would need it. */
function exhausted(cluster: Cluster): readonly Finding[] {
  return cluster.objects("ResourceQuota").flatMap((object) =>
    Object.keys(objectAt(object.spec, "hard")).flatMap((resource): readonly Finding[] => {
      const kind = kindOf(resource);
      const missing = kind === undefined ? undefined : missingFor(cluster, object, resource, kind);
      if (kind === undefined || missing === undefined) return [];
      const [used, hard] = [
        textAt(object.status, "used", resource),
        textAt(object.spec, "hard", resource),
      ];
      const says = `quota ${object.name}: ${used} of ${hard} ${resource} is used, and ${missing.what} is not there. Raise the quota, or ask for less.`;
      const node = nodeId("namespace", object.namespace);
      return [findingOf({ node, kind, weight: missing.weight, says, origin: object.origin })];
    }),
  );
}

interface Missing {
  readonly what: string;
  readonly weight: number;
}

function missingFor(
  cluster: Cluster,
  { namespace, spec, status }: KubernetesObject,
  resource: string,
  kind: CauseKind,
): Missing | undefined {
  const used = quantity(textAt(status, "used", resource)) ?? 0;
  const hard = quantity(textAt(spec, "hard", resource)) ?? Number.POSITIVE_INFINITY;
  const left = hard - used;
  if (kind === "quota.storage") return missingClaim(cluster, namespace, resource, left);
  if (left >= 1 && (kind === "quota.services" || kind === "quota.pods")) return undefined;
  if (kind === "quota.services") {
    const [service] = cluster.absent("Service", namespace);
    return service === undefined
      ? undefined
      : { what: `the service ${service.name}`, weight: certain };
  }
  const workload = cluster.workloads.find(
    (each) => each.namespace === namespace && hasTooFewPods(cluster, each),
  );
  return left > 0 || workload === undefined
    ? undefined
    : { what: `a pod of ${workload.name}`, weight: likely };
}

function missingClaim(
  cluster: Cluster,
  namespace: string,
  resource: string,
  left: number,
): Missing | undefined {
  const isCount = resource.endsWith("persistentvolumeclaims");
  const claim = cluster.absent("PersistentVolumeClaim", namespace).find(({ spec }) => {
    const wants = quantity(textAt(spec, "resources", "requests", "storage")) ?? 0;
    return (isCount ? 1 : wants) > left;
  });
  return claim === undefined ? undefined : { what: `the claim ${claim.name}`, weight: certain };
}

function hasTooFewPods(cluster: Cluster, workload: Workload): boolean {
  const { desired } = healthOf(cluster, workload);
  return workload.pods.length < desired;
}
