/** Who pods run as: https://kubernetes.io/docs/reference/access-authn-authz/service-accounts-admin/ */
import type { Finding } from "../finding.ts";
import { type Cluster, healthOf } from "./cluster.ts";
import { certain, findingOf } from "./finding-of.ts";
import { textAt } from "./json-path.ts";

/**
 * The admission controller refuses every pod of an account that does not exist. Refusals that are older than the account,
 * as when everything is deployed at once, are history: pods are there.
 */
export function identity(cluster: Cluster): readonly Finding[] {
  return cluster.workloads.flatMap((workload) => {
    const account = textAt(workload.template, "serviceAccountName") || "default";
    const { desired, ready } = healthOf(cluster, workload);
    const exists = cluster.object("ServiceAccount", workload.namespace, account) !== undefined;
    if (exists || ready >= desired || workload.pods.length >= desired) return [];
    const refusal = cluster
      .warnings(workload)
      .findLast(({ message }) => message.includes(`serviceaccount "${account}" not found`));
    // Every namespace has a default account; where no account is known, none is known to be missing.
    const isKnown = cluster
      .objects("ServiceAccount")
      .some(({ namespace }) => namespace === workload.namespace);
    if (refusal === undefined && (account === "default" || !isKnown)) return [];
    const says = `${workload.name} has ${workload.pods.length} of ${desired} pods: spec.template.spec.serviceAccountName is ${account}, and ${workload.namespace} has no such account. Create it, or name another.`;
    return [
      findingOf({
        node: workload.node,
        kind: "identity.service_account",
        weight: certain,
        says,
        origin: refusal?.origin ?? workload.origin,
        ...(refusal === undefined ? {} : { onsetAt: refusal.at }),
      }),
    ];
  });
}
