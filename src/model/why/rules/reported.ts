/**
 * Workloads that do not run for a reason that the platform reports by a word of its own, and no other rule follows up:
 * https://kubernetes.io/docs/reference/node/ and the events of kubelet, controllers and admission.
 */
import type { CauseKind } from "../../cause-kind.ts";
import type { Condition } from "../../event.ts";
import type { Finding } from "../finding.ts";
import { type Cluster, healthOf, type Workload } from "./cluster.ts";
import { findingOf, likely, strong } from "./finding-of.ts";
import { objectsAt, textAt } from "./json-path.ts";

interface Report {
  readonly reason: RegExp;
  readonly message: RegExp;
  readonly kind: CauseKind;
  readonly weight: number;
  readonly mend: string;
}

const reports: readonly Report[] = [
  {
    reason: /^Failed$|ConfigError|FailedMount/,
    message: /configmap "?[\w./-]+"? not found|find key \S+ in ConfigMap/i,
    kind: "config.missing",
    weight: strong,
    mend: "Create the config map, or refer to another.",
  },
  {
    reason: /^FailedCreate$/,
    message:
      /admission webhook|denied the request|violates PodSecurity|(?:maximum|minimum) (?:cpu|memory|storage)|forbidden: (?!exceeded quota|error looking up service account)/i,
    kind: "admission.denied",
    weight: strong,
    mend: "Meet the rule, or change it.",
  },
  {
    reason: /^FailedScheduling$|^ClaimNotFound$/,
    message: /persistentvolumeclaim "?[\w.-]+"? not found/i,
    kind: "volume.missing",
    weight: strong,
    mend: "Create the claim.",
  },
  {
    reason: /^(?:FailedAttachVolume|FailedMount|FailedMapVolume|VolumeFailedDelete)$/,
    message: /./,
    kind: "volume.attachment",
    weight: likely,
    mend: "See who else holds the volume, and whether its driver runs.",
  },
  {
    reason: /^ProvisioningFailed$/,
    message: /./,
    kind: "volume.attachment",
    weight: likely,
    mend: "See the storage class and its provisioner.",
  },
  {
    reason: /^Evicted$/,
    message: /low on resource|pressure/i,
    kind: "host.saturated",
    weight: likely,
    mend: "Free the node, or give the pod requests that are what it uses.",
  },
];

export function reported(cluster: Cluster): readonly Finding[] {
  return cluster.workloads.flatMap((workload) => {
    if (healthOf(cluster, workload).isReady) return [];
    const said = [...cluster.warnings(workload), ...claimWarnings(cluster, workload)];
    const found = reports.flatMap((report) => {
      const event = said.findLast(
        ({ name, message }) => report.reason.test(name) && report.message.test(message),
      );
      return event === undefined ? [] : [told(workload, report, event)];
    });
    return [...found.slice(0, 1), ...forbidden(cluster, workload)];
  });
}

function claimWarnings(cluster: Cluster, { template, namespace }: Workload): readonly Condition[] {
  return objectsAt(template, "volumes")
    .map((each) => textAt(each, "persistentVolumeClaim", "claimName"))
    .flatMap((name) => cluster.object("PersistentVolumeClaim", namespace, name) ?? [])
    .flatMap(({ node }) => cluster.conditions(node))
    .filter(({ status }) => status === "true");
}

function told(workload: Workload, { kind, weight, mend }: Report, event: Condition): Finding {
  const says = `${workload.name} does not run: ${event.name} "${event.message.slice(0, 200)}". ${mend}`;
  const { node } = workload;
  return findingOf({ node, kind, weight, says, origin: event.origin, onsetAt: event.at });
}

/** The API server's refusal of an account (RBAC), in a log: https://kubernetes.io/docs/reference/access-authn-authz/rbac/ */
const refusal = /is forbidden: User "system:serviceaccount:[^"]+" cannot \w+ resource[^\n]{0,120}/;

function forbidden(cluster: Cluster, workload: Workload): readonly Finding[] {
  const line = cluster.logs(workload).find(({ example }) => refusal.test(example));
  if (line === undefined) return [];
  const says = `${workload.name} does not run, and its log has "${refusal.exec(line.example)?.[0]}". Bind a role to its service account.`;
  const { node } = workload;
  return [
    findingOf({ node, kind: "identity.permission", weight: likely, says, origin: line.origin }),
  ];
}
