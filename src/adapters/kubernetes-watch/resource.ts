/** Which resources of a Kubernetes API are watched, and where they are served. */
import { err, ok, type Result } from "../../kernel/index.ts";

export interface Resource {
  /** As objects of it call themselves; of others than those below, its plural. */
  readonly kind: string;
  /** `/api/v1`, `/apis/apps/v1` */
  readonly root: string;
  readonly plural: string;
  /** It belongs to no namespace. */
  readonly isOfCluster?: true;
  /** Only its metadata are asked for, and few of them are kept: the rest is nobody's business. */
  readonly isNamesOnly?: true;
}

const core = "/api/v1";
const apps = "/apis/apps/v1";
const batch = "/apis/batch/v1";

/** In the order in which they are watched unless the configuration names others. */
const usual: readonly Resource[] = [
  { kind: "Namespace", root: core, plural: "namespaces", isOfCluster: true },
  { kind: "Node", root: core, plural: "nodes", isOfCluster: true },
  { kind: "PersistentVolume", root: core, plural: "persistentvolumes", isOfCluster: true },
  {
    ...{ kind: "StorageClass", root: "/apis/storage.k8s.io/v1", plural: "storageclasses" },
    isOfCluster: true,
  },
  { kind: "Deployment", root: apps, plural: "deployments" },
  { kind: "StatefulSet", root: apps, plural: "statefulsets" },
  { kind: "DaemonSet", root: apps, plural: "daemonsets" },
  { kind: "ReplicaSet", root: apps, plural: "replicasets" },
  { kind: "CronJob", root: batch, plural: "cronjobs" },
  { kind: "Job", root: batch, plural: "jobs" },
  { kind: "Pod", root: core, plural: "pods" },
  { kind: "Service", root: core, plural: "services" },
  { kind: "ConfigMap", root: core, plural: "configmaps" },
  { kind: "PersistentVolumeClaim", root: core, plural: "persistentvolumeclaims" },
  { kind: "ResourceQuota", root: core, plural: "resourcequotas" },
  { kind: "LimitRange", root: core, plural: "limitranges" },
  { kind: "ServiceAccount", root: core, plural: "serviceaccounts" },
  { kind: "Ingress", root: "/apis/networking.k8s.io/v1", plural: "ingresses" },
  { kind: "NetworkPolicy", root: "/apis/networking.k8s.io/v1", plural: "networkpolicies" },
  {
    ...{ kind: "HorizontalPodAutoscaler", root: "/apis/autoscaling/v2" },
    plural: "horizontalpodautoscalers",
  },
  { kind: "PodDisruptionBudget", root: "/apis/policy/v1", plural: "poddisruptionbudgets" },
  { kind: "Event", root: core, plural: "events" },
];

/** Kubernetes has no right to read names alone: who may list secrets may read them. So they are watched only by request. */
const byRequest: readonly Resource[] = [
  { kind: "Secret", root: core, plural: "secrets", isNamesOnly: true },
];

/**
 * By kind (`Pod`), or in kubectl's long form (`virtualservices.v1.networking.istio.io`). Without any: what is usual, of the
 * namespaces alone where namespaces are given. The error says which is none.
 */
export function resourcesOf(
  kinds: readonly string[] | undefined,
  isByNamespace: boolean,
): Result<readonly Resource[], string> {
  if (kinds === undefined)
    return ok(usual.filter(({ isOfCluster }) => !(isByNamespace && isOfCluster === true)));
  const found: Resource[] = [];
  for (const name of new Set(kinds)) {
    const resource = [...usual, ...byRequest].find(({ kind }) => kind === name) ?? custom(name);
    if (resource === undefined)
      return err(
        `\`${name}\` is no kind that is known here; name others as kubectl does, plural.version.group: gateways.v1.networking.istio.io`,
      );
    found.push(resource);
  }
  return ok(found);
}

function custom(name: string): Resource | undefined {
  const [, plural, version, group] =
    /^([a-z0-9-]+)\.(v\d[a-z0-9]*)\.([a-z0-9.-]+)$/.exec(name) ?? [];
  if (plural === undefined || version === undefined || group === undefined) return undefined;
  return { kind: plural, root: `/apis/${group}/${version}`, plural };
}

/** Where a resource is served, of one namespace or of all. */
export function pathOf({ root, plural, isOfCluster }: Resource, namespace?: string): string {
  return namespace === undefined || isOfCluster === true
    ? `${root}/${plural}`
    : `${root}/namespaces/${encodeURIComponent(namespace)}/${plural}`;
}
