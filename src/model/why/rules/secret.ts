/** Secrets that a workload refers to and that are not there: https://kubernetes.io/docs/concepts/configuration/secret/ */
import type { JsonObject } from "../../../kernel/index.ts";
import type { Finding } from "../finding.ts";
import { type Cluster, containersOf, healthOf, type Workload } from "./cluster.ts";
import { certain, findingOf } from "./finding-of.ts";
import { at, objectAt, objectsAt, textAt } from "./json-path.ts";

interface Reference {
  readonly path: string;
  readonly name: string;
}

/** A pod whose secret is missing does not start; where it runs, the secret was there when it did. */
export function secret(cluster: Cluster): readonly Finding[] {
  return cluster.workloads.flatMap((workload) => {
    if (healthOf(cluster, workload).isReady) return [];
    const missing = references(workload).find(
      ({ name }) => cluster.object("Secret", workload.namespace, name) === undefined,
    );
    const report = cluster
      .warnings(workload)
      .findLast(({ message }) =>
        /secret "?[\w./-]+"? not found|find key \S+ in Secret/i.test(message),
      );
    if (missing === undefined && report === undefined) return [];
    if (report === undefined && cluster.objects("Secret").length === 0) return [];
    const because =
      missing === undefined
        ? (report?.message ?? "")
        : `${missing.path} names secret ${missing.name}, and ${workload.namespace} has no such secret`;
    return [
      findingOf({
        node: workload.node,
        kind: "secret.missing",
        weight: certain,
        says: `${workload.name} does not start: ${because}. Create it, or refer to another.`,
        origin: report?.origin ?? workload.origin,
        ...(report === undefined ? {} : { onsetAt: report.at }),
      }),
    ];
  });
}

function references({ template }: Workload): readonly Reference[] {
  const found = [
    ...containersOf(template).flatMap((container) => [
      ...objectsAt(container, "envFrom").map((each) => ({
        path: "envFrom[].secretRef",
        reference: objectAt(each, "secretRef"),
      })),
      ...objectsAt(container, "env").map((each) => ({
        path: `env[${textAt(each, "name")}].valueFrom.secretKeyRef`,
        reference: objectAt(each, "valueFrom", "secretKeyRef"),
      })),
    ]),
    ...objectsAt(template, "volumes").map((each) => ({
      path: `volumes[${textAt(each, "name")}].secret`,
      reference: objectAt(each, "secret"),
    })),
  ];
  return found
    .filter(({ reference }) => !isOptional(reference))
    .map(({ path, reference }) => ({
      path: `spec.template.spec…${path}`,
      name: textAt(reference, "name") || textAt(reference, "secretName"),
    }))
    .filter(({ name }) => name !== "");
}

const isOptional = (reference: JsonObject): boolean => at(reference, "optional") === true;
