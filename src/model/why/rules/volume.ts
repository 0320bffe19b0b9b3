/** Claims that find no volume, and volumes that may not be written. */
import type { CauseKind } from "../../cause-kind.ts";
import type { Finding } from "../finding.ts";
import { type Cluster, healthOf, type KubernetesObject, type Workload } from "./cluster.ts";
import { certain, findingOf, likely, strong } from "./finding-of.ts";
import { at, objectAt, objectsAt, textAt, textsAt } from "./json-path.ts";
import { quantity } from "./quantity.ts";
import { selects } from "./selectors.ts";

export function volume(cluster: Cluster): readonly Finding[] {
  return cluster.workloads.flatMap((workload) => {
    if (healthOf(cluster, workload).isReady) return [];
    return [...unboundClaims(cluster, workload), ...forbidden(cluster, workload)];
  });
}

/** What keeps a claim from a volume: https://kubernetes.io/docs/concepts/storage/persistent-volumes/#binding */
type Mismatch = "occupied" | "selector" | "storage_class" | "access_mode" | "mode" | "capacity";

const kinds: Readonly<Record<Mismatch, CauseKind>> = {
  selector: "volume.selector",
  storage_class: "volume.storage_class",
  access_mode: "volume.access_mode",
  mode: "volume.mode",
  capacity: "volume.capacity",
  occupied: "volume.occupied",
};

function unboundClaims(cluster: Cluster, workload: Workload): readonly Finding[] {
  return claimsOf(cluster, workload)
    .filter(({ status }) => textAt(status, "phase") !== "Bound")
    .flatMap((claim) => {
      const nearest = saidOf(cluster, claim) ?? nearestVolume(cluster, claim);
      if (nearest === undefined) return [];
      const { mismatch, says } = nearest;
      return [
        findingOf({
          node: workload.node,
          kind: kinds[mismatch],
          weight: certain,
          says: `${workload.name} waits for the claim ${claim.name}: ${says}`,
          origin: claim.origin,
        }),
      ];
    });
}

function claimsOf(cluster: Cluster, workload: Workload): readonly KubernetesObject[] {
  const specs = [workload.template, ...workload.pods.map(({ spec }) => spec)];
  const names = specs
    .flatMap((spec) => objectsAt(spec, "volumes"))
    .map((each) => textAt(each, "persistentVolumeClaim", "claimName"));
  return [...new Set(names)].flatMap(
    (name) => cluster.object("PersistentVolumeClaim", workload.namespace, name) ?? [],
  );
}

interface Nearest {
  readonly mismatch: Mismatch;
  readonly says: string;
}

/** The binder's own reasons, where the claim names its volume (`VolumeMismatch`, `FailedBinding`). */
const said: readonly (readonly [RegExp, Mismatch])[] = [
  [/too small/, "capacity"],
  [/storageClassName does not match/, "storage_class"],
  [/incompatible accessMode/, "access_mode"],
  [/incompatible volumeMode/, "mode"],
  [/already bound to a different claim/, "occupied"],
];

function saidOf(cluster: Cluster, claim: KubernetesObject): Nearest | undefined {
  const event = cluster
    .conditions(claim.node)
    .findLast(({ name }) => name === "VolumeMismatch" || name === "FailedBinding");
  const mismatch = said.find(([pattern]) => pattern.test(event?.message ?? ""))?.[1];
  return mismatch === undefined ? undefined : { mismatch, says: `${event?.message}.` };
}

/**
 * The volume that fewest things keep from the claim, and the first of those things. A volume that has been released, or
 * is of a class that is made to order, was never meant for it.
 */
function nearestVolume(cluster: Cluster, claim: KubernetesObject): Nearest | undefined {
  const className = textAt(claim.spec, "storageClassName");
  const known = cluster.object("StorageClass", "", className) !== undefined;
  const volumes = cluster
    .objects("PersistentVolume")
    .filter((each) => textAt(each.status, "phase") !== "Released" || wasIts(each, claim))
    .filter((each) => !isElsewhere(each, claim))
    .map((each) => ({ volume: each, mismatches: mismatchesOf(claim, each) }))
    .filter(({ mismatches }) => mismatches.length > 0)
    .sort((a, b) => compare(a.mismatches, b.mismatches));
  const [first] = volumes;
  const mismatch = first?.mismatches[0];
  if (first === undefined || mismatch === undefined) {
    if (className === "" || known) return undefined;
    const says = `spec.storageClassName is ${className}, and there is no such class.`;
    return { mismatch: "storage_class", says };
  }
  return { mismatch, says: explained(mismatch, claim, first.volume) };
}

/** Fewer first; among equals, what is free before what is another's. */
function compare(a: readonly Mismatch[], b: readonly Mismatch[]): number {
  return a.length - b.length || Number(a.includes("occupied")) - Number(b.includes("occupied"));
}

/** A volume that is retained keeps the name of the claim that is gone; one of the same name does not get it back. */
const wasIts = ({ spec }: KubernetesObject, claim: KubernetesObject): boolean =>
  textAt(spec, "claimRef", "name") === claim.name &&
  textAt(spec, "claimRef", "namespace") === claim.namespace;

function isElsewhere({ spec }: KubernetesObject, claim: KubernetesObject): boolean {
  const namespace = textAt(spec, "claimRef", "namespace");
  return namespace !== "" && namespace !== claim.namespace;
}

function mismatchesOf(claim: KubernetesObject, each: KubernetesObject): readonly Mismatch[] {
  const found: Mismatch[] = [];
  const holder = textAt(each.spec, "claimRef", "name");
  const wanted = textAt(claim.spec, "volumeName");
  const isReleased = textAt(each.status, "phase") === "Released";
  if (holder !== "" && (holder !== claim.name || isReleased)) found.push("occupied");
  if (textAt(claim.spec, "storageClassName") !== textAt(each.spec, "storageClassName"))
    found.push("storage_class");
  const selector = objectAt(claim.spec, "selector");
  const isNamed = wanted === "" || wanted === each.name;
  if (!isNamed || !selects(selector, objectAt(each.metadata, "labels"))) found.push("selector");
  const offered = textsAt(each.spec, "accessModes");
  if (!textsAt(claim.spec, "accessModes").every((mode) => offered.includes(mode)))
    found.push("access_mode");
  if (modeOf(claim) !== modeOf(each)) found.push("mode");
  const wants = quantity(textAt(claim.spec, "resources", "requests", "storage")) ?? 0;
  if (wants > (quantity(textAt(each.spec, "capacity", "storage")) ?? 0)) found.push("capacity");
  return found;
}

const modeOf = ({ spec }: KubernetesObject): string => textAt(spec, "volumeMode") || "Filesystem";

function explained(mismatch: Mismatch, claim: KubernetesObject, each: KubernetesObject): string {
  const path: Readonly<Record<Mismatch, readonly [readonly string[], readonly string[]]>> = {
    selector: [
      ["spec", "selector"],
      ["metadata", "labels"],
    ],
    storage_class: [
      ["spec", "storageClassName"],
      ["spec", "storageClassName"],
    ],
    access_mode: [
      ["spec", "accessModes"],
      ["spec", "accessModes"],
    ],
    mode: [
      ["spec", "volumeMode"],
      ["spec", "volumeMode"],
    ],
    capacity: [
      ["spec", "resources", "requests", "storage"],
      ["spec", "capacity", "storage"],
    ],
    occupied: [
      ["metadata", "name"],
      ["spec", "claimRef"],
    ],
  };
  const [mine, its] = path[mismatch];
  const show = (object: KubernetesObject, keys: readonly string[]): string =>
    `${keys.join(".")} ${JSON.stringify(at({ spec: object.spec, metadata: object.metadata }, ...keys) ?? "")}`;
  return `its ${show(claim, mine)}, and volume ${each.name} has ${show(each, its)}. Make them agree.`;
}

/** Of a path that is not only said to be forbidden but that a volume is mounted at, where the log names one. */
function forbidden(cluster: Cluster, workload: Workload): readonly Finding[] {
  const lines = cluster
    .logs(workload)
    .flatMap(({ example, origin }) =>
      /permission denied|read-only file system|EACCES|operation not permitted/i.test(example)
        ? [{ example, origin }]
        : [],
    );
  const failed = cluster
    .warnings(workload)
    .filter(
      ({ name, message }) =>
        name === "FailedMount" && /permission denied|not permitted/i.test(message),
    );
  const mounts = mountsOf(workload);
  const named = lines.find(({ example }) => mounts.some((path) => example.includes(path)));
  const seen =
    named ?? lines[0] ?? failed.map(({ message, origin }) => ({ example: message, origin }))[0];
  if (seen === undefined || mounts.length === 0) return [];
  return [
    findingOf({
      node: workload.node,
      kind: "volume.permission",
      weight: named === undefined ? likely : strong,
      says: `${workload.name} may not use ${mounts.join(", ")}: ${quoted(seen.example)}. Set securityContext.fsGroup, or mend the rights of the directory.`,
      origin: seen.origin,
    }),
  ];
}

/** Where volumes of its own are mounted; what Kubernetes mounts of itself is left out. */
function mountsOf({ template }: Workload): readonly string[] {
  const own = new Set(
    objectsAt(template, "volumes")
      .filter((each) =>
        ["persistentVolumeClaim", "hostPath", "nfs", "csi"].some((key) => key in each),
      )
      .map((each) => textAt(each, "name")),
  );
  return objectsAt(template, "containers")
    .flatMap((container) => objectsAt(container, "volumeMounts"))
    .filter((mount) => own.has(textAt(mount, "name")))
    .map((mount) => textAt(mount, "mountPath"));
}

/** The sentence around the word, of a log that may be long. */
function quoted(text: string): string {
  const at = text.search(/permission denied|read-only file|EACCES|not permitted/i);
  return `"${text.slice(Math.max(0, at - 120), at + 60).trim()}"`;
}
