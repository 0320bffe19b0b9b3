/**
 * Changes that nobody told, read from successive versions of one thing: of a workload its specification, of a config map its
 * data, of a service the version that its telemetry names. Only facts decide, never the order in which they came.
 */
import { instantText, isJsonObject, type JsonObject } from "../../kernel/index.ts";
import type { Change, ChangeKind, NodeFact } from "../event.ts";
import { boundedText } from "../feed/index.ts";
import { type NodeId, nodeId, splitNodeId } from "../graph-words.ts";
import { type Difference, differencesOf } from "./difference.ts";
import type { NodeTable } from "./node-table.ts";
import type { Moment } from "./order.ts";

/** Of an object that only manifests declare, what they declare counts. */
const declaredAspect = "declared";
/** The version of a service is told again every ten minutes: one that was told so lately still runs beside the other. */
const besideMs = 12 * 60_000;
/** What has another value so often writes a program: a status, a lease, an autoscaler. */
const programChanges = 6;
const programMs = 60 * 60_000;
const textMax = 60;

/** The aspect that is compared; undefined: nothing of such a node is. */
function comparedAspect(node: NodeId): string | undefined {
  if (node.startsWith("workload:")) return "spec";
  if (node.startsWith("object:ConfigMap/")) return "data";
  return node.startsWith("service:") ? "version" : undefined;
}

/** The aspects of which two facts may be a change of the node. */
export function comparedAspects(node: NodeId): readonly string[] {
  const aspect = comparedAspect(node);
  return aspect === undefined ? [] : [aspect, declaredAspect];
}

interface Version {
  readonly fact: NodeFact;
  readonly value: JsonObject;
}

/** Every change of one node that its facts tell of, in order of time; its targets are the node alone. */
export function changesBetween(nodes: NodeTable, index: number, moment: Moment): readonly Change[] {
  const node = nodes.ids[index] as NodeId;
  const aspect = comparedAspect(node);
  if (aspect === undefined) return [];
  const versions = versionsSeen(nodes, index, aspect, moment);
  const found: { readonly change: Change; readonly members: string }[] = [];
  for (const [place, after] of versions.entries()) {
    const before = versions[place - 1];
    if (before === undefined) continue;
    const differences = differing(node, aspect, before.value, after.value);
    if (differences.length === 0) continue;
    if (aspect === "version" && ranBeside(versions, place)) continue;
    const members = differences.map(({ path }) => path).join("\n");
    found.push({ change: changeOf(node, aspect, differences, before, after), members });
  }
  return found.flatMap(({ change, members }) => {
    const since = change.at - programMs;
    const earlier = found.filter(
      (each) => each.members === members && each.change.at < change.at && each.change.at >= since,
    );
    return earlier.length < programChanges ? [change] : [];
  });
}

/** One for each moment, the last that was known of it. That a thing was gone in between is no version. */
function versionsSeen(
  nodes: NodeTable,
  index: number,
  aspect: string,
  moment: Moment,
): readonly Version[] {
  const live = seen(nodes.facts(index, aspect), moment);
  const facts = live.length > 0 ? live : seen(nodes.facts(index, declaredAspect), moment);
  return facts.flatMap((fact) => {
    const told = fact.aspect === declaredAspect ? fact.value?.[aspect] : fact.value;
    return told != null && isJsonObject(told) ? [{ fact, value: told }] : [];
  });
}

function seen(facts: readonly NodeFact[], { validAt, knownAt }: Moment): readonly NodeFact[] {
  return facts
    .filter((fact) => fact.at <= validAt && fact.knownAt <= knownAt)
    .filter((fact, place, all) => all[place + 1]?.at !== fact.at);
}

/** Whether the version at this place was told shortly before, so that it only runs on. */
function ranBeside(versions: readonly Version[], place: number): boolean {
  const now = versions[place];
  return versions
    .slice(0, place)
    .some(
      ({ fact, value }) =>
        now !== undefined &&
        fact.at > now.fact.at - besideMs &&
        value["version"] === now.value["version"],
    );
}

/** What was compared once: facts never change. */
const compared = new WeakMap<
  JsonObject,
  { readonly before: JsonObject; readonly differences: readonly Difference[] }
>();

function differing(
  node: NodeId,
  aspect: string,
  before: JsonObject,
  after: JsonObject,
): readonly Difference[] {
  const known = compared.get(after);
  if (known?.before === before) return known.differences;
  const differences = differencesOf(node, aspect, before, after);
  compared.set(after, { before, differences });
  return differences;
}

/** Annotations that are written only so that all pods are replaced. */
const onlyRolls = /^(?:annotations|labels)$/;
const rollKey = /restartedAt$|checksum|hash|(?:^|[/._-])(?:timestamp|rollme|revision)$/i;

const isRoll = ({ members: [template, metadata, map = "", key = ""] }: Difference): boolean =>
  template === "template" && metadata === "metadata" && onlyRolls.test(map) && rollKey.test(key);
const isImage = ({ members }: Difference): boolean =>
  members.at(-1) === "image" && members.includes("spec");
const isReplicas = ({ members }: Difference): boolean =>
  members.length === 1 && members[0] === "replicas";

function changeOf(
  node: NodeId,
  aspect: string,
  differences: readonly Difference[],
  before: Version,
  after: Version,
): Change {
  const said = differences.filter((each) => !isRoll(each));
  const kind = kindOf(aspect, said);
  const name = `${node}@${instantText(after.fact.at)}`;
  const telling =
    kind === "deploy" ? said.find((each) => aspect === "version" || isImage(each)) : said[0];
  const [was, is] = [
    shownOf(telling?.removed, telling?.label),
    shownOf(telling?.added, telling?.label),
  ];
  const isOneValue = kind === "deploy" || kind === "scale";
  return {
    ...{ type: "change", id: `observed:${name}`, at: after.fact.at, kind, targets: [node] },
    knownAt: Math.max(before.fact.knownAt, after.fact.knownAt),
    origin: after.fact.origin,
    change: nodeId(kind === "config" ? "config" : "deploy", name),
    title: titleOf(node, kind, said),
    ...(isOneValue && was !== "" && { before: was }),
    ...(isOneValue && is !== "" && { after: is }),
    diff: said.map(({ path, removed, added }) => ({ path, removed, added })),
  };
}

function kindOf(aspect: string, differences: readonly Difference[]): ChangeKind {
  if (aspect === "data") return "config";
  if (aspect === "version" || differences.some(isImage)) return "deploy";
  if (differences.length === 0) return "restart";
  return differences.every(isReplicas) ? "scale" : "config";
}

const verbs: Readonly<Partial<Record<ChangeKind, string>>> = {
  deploy: "deploy of",
  scale: "scale of",
  restart: "restart of",
};

function titleOf(node: NodeId, kind: ChangeKind, said: readonly Difference[]): string {
  const own = splitNodeId(node)?.name ?? node;
  const named = said.slice(0, 3).map(({ removed, added, members, label }) => {
    const name = members.slice(members.lastIndexOf("spec") + 1).join(".");
    const [was, is] = [shownOf(removed, label), shownOf(added, label)];
    const isShort =
      removed.length < 2 && added.length < 2 && Math.max(was.length, is.length) < textMax;
    return isShort ? `${name} from ${was || "nothing"} to ${is || "nothing"}` : name;
  });
  const more = said.length > 3 ? [`${said.length - 3} more`] : [];
  const what = [...named, ...more].join(", ");
  return boundedText(`${verbs[kind] ?? "change of"} ${own}${what === "" ? "" : `: ${what}`}`);
}

/** What stands behind the label of a value of one line. */
function shownOf(lines: readonly string[] = [], label = ""): string {
  const [line = "", ...more] = lines;
  if (more.length > 0) return "";
  return line.startsWith(`${label}: `) ? line.slice(label.length + 2) : line;
}
