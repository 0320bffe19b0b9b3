/** Images that are not pulled: https://kubernetes.io/docs/concepts/containers/images/ */
import type { CauseKind } from "../../cause-kind.ts";
import type { Condition } from "../../event.ts";
import type { Finding } from "../finding.ts";
import { type Cluster, containersOf, healthOf, type Workload } from "./cluster.ts";
import { certain, findingOf, strong } from "./finding-of.ts";
import { objectsAt, textAt } from "./json-path.ts";

/**
 * In the words of containerd, CRI-O and Docker, and of the registries behind them (the errors of the OCI distribution
 * specification: UNAUTHORIZED, DENIED, MANIFEST_UNKNOWN, NAME_UNKNOWN).
 */
const unresolved =
  /no such host|server misbehaving|name resolution|lookup [\w.-]+(?: on [\w.:]+)?: |could not resolve/i;
/** A registry that wants to know who asks says 401, or its token service does; 403 alone refuses whoever asks. */
const refused =
  /unauthorized|unauthenticated|authentication required|failed to authorize|authorization failed|anonymous token|no basic auth credentials|invalid username\/password|access forbidden|\b401\b|denied/i;
const forbidden = /\b403\b|forbidden/i;
/** As good as any message that it is there, and not for everybody. */
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
      because: `its pods, or their service account, pull with imagePullSecrets ${secret}, and ${workload.namespace} has no such secret; ${message}. Create it.`,
      weight: certain,
    };
  if (unretrieved !== undefined)
    return {
      kind: "image.pull_secret",
      because: `${unretrieved.message} ${message}. Create the secret.`,
      weight: certain,
    };
  if (isMatterOfRights(cluster, workload, message))
    return {
      kind: "image.pull_secret",
      because: `${message}. Give its service account or its template a pull secret that the registry takes.`,
      weight: strong,
    };
  const images = imagesOf(workload);
  return {
    kind: "image.reference",
    because: `spec.template.spec.containers[].image is ${images.join(", ")}; ${message}. Name an image that exists.`,
    weight: absent.test(message) ? certain : strong,
  };
}

/**
 * Registries say "denied" of what does not exist too, so that nobody learns what does. Then it tells whether the place is
 * open: what peers pull from there without a secret, or the official images of Docker Hub, anybody may pull; what a
 * secret is for, and this workload has none while others have, it may not. Of a place that nobody else here pulls from,
 * the message decides.
 */
function isMatterOfRights(cluster: Cluster, workload: Workload, message: string): boolean {
  const isPlain = refused.test(message) && !isAmbiguous(message);
  if (isPlain) return true;
  if (!refused.test(message) && !forbidden.test(message)) return false;
  const places = imagesOf(workload)
    .filter((image) => message.includes(image))
    .map(placeOf);
  if (places.length === 0 || places.some((place) => place === "docker.io/library")) return false;
  const peers = cluster.workloads
    .filter((each) => each !== workload)
    .filter((each) => imagesOf(each).some((image) => places.includes(placeOf(image))));
  if (peers.some((each) => hasSecrets(cluster, each))) return !hasSecrets(cluster, workload);
  return peers.length === 0 && !hasSecrets(cluster, workload);
}

const isAmbiguous = (message: string): boolean =>
  absent.test(message) || /requested access to the resource is denied|may not exist/.test(message);

const hasSecrets = (cluster: Cluster, workload: Workload): boolean =>
  pullSecrets(cluster, workload).length > 0;

/** A pod pulls with what it lists, or with what its service account lists. */
function pullSecrets(cluster: Cluster, { template, namespace }: Workload): readonly string[] {
  const account = textAt(template, "serviceAccountName") || "default";
  const spec = cluster.object("ServiceAccount", namespace, account)?.spec;
  return [template, spec]
    .flatMap((each) => objectsAt(each, "imagePullSecrets"))
    .map((reference) => textAt(reference, "name"));
}

const imagesOf = ({ template }: Workload): readonly string[] =>
  [...objectsAt(template, "initContainers"), ...containersOf(template)].map((container) =>
    textAt(container, "image"),
  );

/** Registry and path of an image without its own name; what has no registry is of Docker Hub, what has no path either is official. */
function placeOf(image: string): string {
  const parts = image.split("/").slice(0, -1);
  const [first = ""] = parts;
  if (parts.length === 0) return "docker.io/library";
  const hasRegistry = /[.:]|^localhost$/.test(first);
  return [...(hasRegistry ? [] : ["docker.io"]), ...parts].join("/").replace(/^index\./, "");
}

function missingPullSecret(cluster: Cluster, workload: Workload): string | undefined {
  return pullSecrets(cluster, workload).find(
    (name) => cluster.object("Secret", workload.namespace, name) === undefined,
  );
}
