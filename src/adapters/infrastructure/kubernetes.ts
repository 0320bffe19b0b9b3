/** Kubernetes objects as YAML, several documents in a file; the output of `helm template` is such a file. */
import type { ComponentClass } from "../../failover/index.ts";
import { type Diagnostic, parseForeignYaml, type SourceNode } from "../../policy/index.ts";
import { at, entriesAt, itemsAt, jsonOf, textAt } from "../source-tree/index.ts";
import type { FoundInfrastructure, FoundPart, FoundSite, InfrastructureFile } from "./found.ts";
import { type Derived, type Marks, marksOf, nameOf, type ReadMarks, readMarks } from "./marks.ts";
import { siteOfRegion } from "./regions.ts";

const workloads = ["Deployment", "StatefulSet", "DaemonSet", "CronJob", "Job", "Pod", "ReplicaSet"];

/** What some kinds are by nature; a mark says otherwise. */
const byNature: Readonly<Record<string, ComponentClass>> = {
  Secret: "secrets",
  NetworkPolicy: "enforcement",
  ValidatingAdmissionPolicy: "enforcement",
  ValidatingAdmissionPolicyBinding: "enforcement",
  ValidatingWebhookConfiguration: "enforcement",
};

/** The plural in the paths of the API, where it is not the kind with an s. */
const plurals: Readonly<Record<string, string>> = {
  NetworkPolicy: "networkpolicies",
  Ingress: "ingresses",
  ValidatingAdmissionPolicy: "validatingadmissionpolicies",
};

const ofCluster = /^(?:Validating|Mutating|Cluster|Namespace$|PersistentVolume$|StorageClass$)/;

export function readKubernetes(file: InfrastructureFile): FoundInfrastructure {
  const { roots, diagnostics } = parseForeignYaml(file.path, file.text);
  const objects = roots.flatMap((root) =>
    textAt(root, "kind")?.endsWith("List") ? itemsAt(root, "items") : [root],
  );
  const found = objects
    .filter((object) => textAt(object, "kind") !== undefined)
    .map((object) => readObject(file.path, object));
  return {
    parts: found.flatMap(({ parts }) => parts),
    sites: found.flatMap(({ sites }) => sites),
    diagnostics: [...diagnostics, ...found.flatMap(({ diagnostics: some }) => some)],
  };
}

interface ReadObject {
  readonly parts: readonly FoundPart[];
  readonly sites: readonly FoundSite[];
  readonly diagnostics: readonly Diagnostic[];
}

function readObject(file: string, object: SourceNode): ReadObject {
  const kind = textAt(object, "kind") ?? "";
  const name = textAt(object, "metadata", "name") ?? "";
  const namespace = textAt(object, "metadata", "namespace") ?? "default";
  const place = { file, line: object.at.line, column: object.at.column };
  const pod = workloads.includes(kind) ? podOf(object, kind) : undefined;
  const marks = readMarks(marksAt(file, object, pod));
  const region = textAt(pod, "spec", "nodeSelector", "topology.kubernetes.io/region");
  const base = {
    place,
    what: `${kind} ${ofCluster.test(kind) ? "" : `${namespace}/`}${name}`,
    setAside: marks.setAside,
    remarks: unpinned(pod),
  };
  const verify = verificationOf(object, kind, namespace, name, imagesOf(pod));
  const derived = { name, verify, ...(region !== undefined && { sites: [region] }) };
  const inside = containersOf(file, object, pod, derived, base.what);
  return {
    parts: [...ownPart(kind, base, marks, derived, inside.parts.length > 0), ...inside.parts],
    sites: region === undefined ? [] : [{ id: region, place, says: siteOfRegion(region) }],
    diagnostics: [...marks.diagnostics, ...inside.diagnostics],
  };
}

/** The object itself; nothing where containers with marks of their own stand for a workload that only carries them. */
function ownPart(
  kind: string,
  base: FoundPart,
  marks: ReadMarks,
  derived: Omit<Derived, "class">,
  carries: boolean,
): readonly FoundPart[] {
  const ofClass = marks.class ?? byNature[kind];
  if (marks.setAside) return [base];
  if (ofClass !== undefined)
    return [{ ...base, component: marks.component({ ...derived, class: ofClass }) }];
  return workloads.includes(kind) && !carries ? [base] : [];
}

/** Containers with marks of their own, `<container>.holdfast.dev/class`: the sidecar that must not be forgotten. */
function containersOf(
  file: string,
  object: SourceNode,
  pod: SourceNode | undefined,
  derived: Omit<Derived, "class">,
  what: string,
): { readonly parts: readonly FoundPart[]; readonly diagnostics: readonly Diagnostic[] } {
  const found: FoundPart[] = [];
  const diagnostics: Diagnostic[] = [];
  for (const container of containers(pod)) {
    const name = textAt(container, "name") ?? "";
    const marks = readMarks(marksAt(file, object, pod, name));
    diagnostics.push(...marks.diagnostics);
    if (marks.class === undefined) continue;
    const images = pinned(textAt(container, "image"));
    const verify = derived.verify && { ...derived.verify, ...(images.length > 0 && { images }) };
    found.push({
      place: { file, ...container.at },
      what: `container ${name} of ${what}`,
      remarks: [],
      component: marks.component({ ...derived, name, class: marks.class, verify }),
    });
  }
  return { parts: found, diagnostics };
}

/** Labels and annotations of the object and of its pods; annotations win. */
function marksAt(
  file: string,
  object: SourceNode,
  pod: SourceNode | undefined,
  container?: string,
): Marks {
  const places = [
    entriesAt(pod, "metadata", "labels"),
    entriesAt(object, "metadata", "labels"),
    entriesAt(pod, "metadata", "annotations"),
    entriesAt(object, "metadata", "annotations"),
  ];
  const labels = places.flat().map(({ key, keyAt, value }) => ({
    ...{ key, value: jsonOf(value), place: { file, ...keyAt } },
  }));
  return marksOf(labels, container);
}

function podOf(object: SourceNode, kind: string): SourceNode | undefined {
  if (kind === "Pod") return object;
  if (kind === "CronJob") return at(object, "spec", "jobTemplate", "spec", "template");
  return at(object, "spec", "template");
}

function containers(pod: SourceNode | undefined): readonly SourceNode[] {
  return [...itemsAt(pod, "spec", "initContainers"), ...itemsAt(pod, "spec", "containers")];
}

function imagesOf(pod: SourceNode | undefined): readonly string[] {
  const images = containers(pod).flatMap((container) => pinned(textAt(container, "image")));
  return [...new Set(images)].sort();
}

function pinned(image: string | undefined): readonly string[] {
  const digest = /@(sha256:[0-9a-f]{64})$/.exec(image ?? "")?.[1];
  return digest === undefined ? [] : [digest];
}

function unpinned(pod: SourceNode | undefined): readonly string[] {
  return containers(pod)
    .map((container) => textAt(container, "image") ?? "")
    .filter((image) => image !== "" && pinned(image).length === 0)
    .map((image) => `image ${image} is not pinned by digest`);
}

/** That the object is there, is well where its kind can say so, and runs these images. */
function verificationOf(
  object: SourceNode,
  kind: string,
  namespace: string,
  name: string,
  images: readonly string[],
): Derived["verify"] {
  const version = textAt(object, "apiVersion") ?? "v1";
  const root = version.includes("/") ? `/apis/${version}` : `/api/${version}`;
  const plural = plurals[kind] ?? `${kind.toLowerCase()}s`;
  const where = ofCluster.test(kind) ? "" : `/namespaces/${namespace}`;
  const condition = kind === "Deployment" ? "Available" : kind === "Pod" ? "Ready" : undefined;
  return {
    kind: "kubernetes",
    api_url: "{kubernetes_api}",
    token: { file: "/var/run/secrets/kubernetes.io/serviceaccount/token" },
    object: `${root}${where}/${plural}/${nameOf(name) === name ? name : encodeURIComponent(name)}`,
    ...(condition !== undefined && { condition }),
    ...(images.length > 0 && { images }),
  };
}
