/** Images that are not pulled: https://kubernetes.io/docs/concepts/containers/images/ */
import type { CauseKind } from "../../cause-kind.ts";
import type { Condition } from "../../event.ts";
import type { Finding } from "../finding.ts";
import { type Cluster, containersOf, healthOf, type Workload } from "./cluster.ts";
import { certain, findingOf, strong } from "./finding-of.ts";
import { objectsAt, textAt } from "./json-path.ts";

/** In the words of containerd, CRI-O and Docker, and of the registries behind them. */
const unresolved =
  /no such host|server misbehaving|name resolution|lookup [\w.-]+(?: on [\w.:]+)?: |could not resolve/i;
/** A registry that wants to know who asks says 401, or its token service does; 403 alone refuses whoever asks. */
const refused =
  /unauthorized|authentication required|failed to authorize|anonymous token|no basic auth credentials|\b401\b|denied/i;
const absent = /not found|notfound|manifest unknown|does not exist|name unknown|invalid reference/i;
const pullEvents: ReadonlySet<string> = new Set([
  "Failed",
  "InspectFailed",
  "ErrImageNeverPull",
  "FailedToRetrieveImagePullSecret",
  "BackOff",
]);

export function image(cluster: Cluster): readonly Finding[] {
  return cluster.workloads.flatMap((workload) => {
    if (healthOf(cluster, workload).isReady || !waitsForImage(workload)) return [];
    const messages = cluster
      .warnings(workload)
      .filter(({ name, message }) => pullEvents.has(name) && /image|pull/i.test(message));
    const failure =
      messages.find(({ message }) => /Failed to (?:pull|resolve)/i.test(message)) ?? messages[0];
    const { kind, because, weight } = reason(cluster, workload, failure);
    return [
      findingOf({
        node: workload.node,
        kind,
        weight,
        says: `an image of ${workload.name} is not pulled: ${because}`,
        origin: failure?.origin ?? workload.origin,
        ...(failure === undefined ? {} : { onsetAt: failure.at }),
      }),
    ];
  });
}

const waiting =
  /ErrImagePull|ImagePullBackOff|InvalidImageName|ErrImageNeverPull|RegistryUnavailable/;

function waitsForImage({ pods }: Workload): boolean {
  return pods.some(({ status }) =>
    [...objectsAt(status, "initContainerStatuses"), ...objectsAt(status, "containerStatuses")].some(
      (each) => waiting.test(textAt(each, "state", "waiting", "reason")),
    ),
  );
}

interface Reason {
  readonly kind: CauseKind;
  readonly because: string;
  readonly weight: number;
}

function reason(cluster: Cluster, workload: Workload, failure: Condition | undefined): Reason {
  const message = failure?.message ?? "";
  const secret = missingPullSecret(cluster, workload);
  const unretrieved = cluster
    .warnings(workload)
    .find(({ name }) => name === "FailedToRetrieveImagePullSecret");
  if (unresolved.test(message))
    return {
      kind: "image.registry_dns",
      because: `${message}. Mend the registry's name, or DNS.`,
      weight: certain,
    };
  if (secret !== undefined)
    return {
      kind: "image.pull_secret",
      because: `spec.template.spec.imagePullSecrets names ${secret}, and ${workload.namespace} has no such secret; ${message}. Create it.`,
      weight: certain,
    };
  if (unretrieved !== undefined)
    return {
      kind: "image.pull_secret",
      because: `${unretrieved.message} ${message}. Create the secret.`,
      weight: certain,
    };
  if (refused.test(message) && !isAmbiguous(cluster, workload, message))
    return {
      kind: "image.pull_secret",
      because: `${message}. Give its service account or its template a pull secret that the registry takes.`,
      weight: strong,
    };
  const images = containersOf(workload.template).map((container) => textAt(container, "image"));
  return {
    kind: "image.reference",
    because: `spec.template.spec.containers[].image is ${images.join(", ")}; ${message}. Name an image that exists.`,
    weight: absent.test(message) ? certain : strong,
  };
}

/**
 * Public registries say "denied" of what does not exist too. It is a matter of rights only where peers pull from the same
 * repository by a secret and it has none.
 */
function isAmbiguous(cluster: Cluster, workload: Workload, message: string): boolean {
  if (!absent.test(message) && !/requested access to the resource is denied/.test(message))
    return false;
  const hasSecrets = (each: Workload): boolean =>
    objectsAt(each.template, "imagePullSecrets").length > 0;
  return hasSecrets(workload) || !cluster.workloads.some(hasSecrets);
}

function missingPullSecret(
  cluster: Cluster,
  { template, namespace }: Workload,
): string | undefined {
  return objectsAt(template, "imagePullSecrets")
    .map((reference) => textAt(reference, "name"))
    .find((name) => cluster.object("Secret", namespace, name) === undefined);
}
