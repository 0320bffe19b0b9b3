/**
 * Postmortems as JSON: our own (`id`, `title`, `at`, `cause`, `kind`, `chain`, `resolution`), and the propagation chains
 * of ITBench (groups of entities, one of them the root cause, and propagations between them).
 */
import {
  err,
  isJsonArray,
  isJsonObject,
  type JsonObject,
  type JsonValue,
  ok,
  parseJsonStrict,
  type Result,
} from "../../kernel/index.ts";
import { type CauseKind, causeKinds } from "../cause-kind.ts";
import { type NodeId, nodeId, splitNodeId } from "../graph-words.ts";
import { kubernetesNodeId } from "../kubernetes-id.ts";
import { momentOf } from "./memory-text.ts";
import { kindInWords, type Link, type Postmortem } from "./postmortem.ts";

export function readPostmortemJson(text: string): Result<Postmortem, string> {
  const parsed = parseJsonStrict(new TextEncoder().encode(text));
  if (!parsed.ok) return err(`it is not JSON: ${parsed.error.detail}`);
  if (!isJsonObject(parsed.value)) return err("$ is no object");
  return "propagations" in parsed.value ? chainFile(parsed.value) : ownFile(parsed.value);
}

const textOf = (value: JsonValue | undefined): string => (typeof value === "string" ? value : "");

function objectsOf(value: JsonValue | undefined): readonly JsonObject[] {
  return isJsonArray(value) ? value.filter(isJsonObject) : [];
}

function ownFile(file: JsonObject): Result<Postmortem, string> {
  const id = textOf(file["id"]);
  if (id === "") return err("$.id is no text");
  const cause = textOf(file["cause"]);
  if (splitNodeId(cause) === undefined)
    return err(`$.cause: ${cause} is no node id, as service:cart`);
  const links = objectsOf(file["chain"]).map((link, i): Result<Link, string> => {
    const { from: cause, to: effect } = link;
    const [from, to] = [textOf(cause), textOf(effect)];
    return splitNodeId(from) === undefined || splitNodeId(to) === undefined
      ? err(`$.chain[${i}] has no \`from\` and \`to\` that are node ids`)
      : ok({ from, to, because: textOf(link["because"]) });
  });
  const broken = links.find((link) => !link.ok);
  if (broken?.ok === false) return broken;
  const title = textOf(file["title"]);
  const at = momentOf(file["at"]);
  if (at === undefined && file["at"] !== undefined)
    return err("$.at is no moment: 2026-05-04T10:12:00Z, or milliseconds since 1970");
  const kind = kindOf(textOf(file["kind"])) ?? kindInWords(title);
  return ok({
    id,
    title,
    roots: [cause],
    chain: links.flatMap((link) => (link.ok ? [link.value] : [])),
    same: [],
    ...(at === undefined ? {} : { at }),
    ...(kind === undefined ? {} : { kind }),
    ...texts(file),
  });
}

const kindOf = (text: string): CauseKind | undefined =>
  text in causeKinds ? (text as CauseKind) : undefined;

function texts(file: JsonObject): Partial<Postmortem> {
  const [resolution, policy] = [textOf(file["resolution"]), textOf(file["policy"])];
  return { ...(resolution === "" ? {} : { resolution }), ...(policy === "" ? {} : { policy }) };
}

function chainFile(file: JsonObject): Result<Postmortem, string> {
  const id = textOf(file["id"]);
  if (id === "") return err("$.id is no text");
  const groups = objectsOf(file["groups"]);
  const nodes = new Map(groups.map((group) => [textOf(group["id"]), nodeOfGroup(group)]));
  const chain: Link[] = [];
  for (const [i, each] of objectsOf(file["propagations"]).entries()) {
    const [source, target] = [textOf(each["source"]), textOf(each["target"])];
    if (source === "" || target === "")
      return err(`$.propagations[${i}] has no \`source\` and \`target\``);
    // People name what they forgot to list; it is a service as far as anybody can tell.
    const from = nodes.get(source) ?? nodeId("service", source);
    const to = nodes.get(target) ?? nodeId("service", target);
    const because = [textOf(each["condition"]), textOf(each["effect"])].filter(Boolean).join(": ");
    chain.push({ from, to, because });
  }
  const roots = groups.filter((group) => group["root_cause"] === true).map(nodeOfGroup);
  const told = JSON.stringify([file["fault"], file["scenario"], chain[0]?.because ?? ""]);
  const kind = kindInWords(told);
  const aliases = file["aliases"];
  const same = (isJsonArray(aliases) ? aliases : []).map((names) =>
    (isJsonArray(names) ? names : []).flatMap((name) => nodes.get(textOf(name)) ?? []),
  );
  return ok({ id, title: id, roots, chain, same, ...(kind === undefined ? {} : { kind }) });
}

/** A group is named by a pattern of names: `frontend-proxy\\b`, `load-generator-.*`. */
function nodeOfGroup(group: JsonObject): NodeId {
  const filter = group["filter"];
  const first = isJsonArray(filter) ? textOf(filter[0]) : "";
  const name = (first || textOf(group["id"])).replace(/\\b|-?\.\*|[\\^$]/g, "");
  const kind = textOf(group["kind"]);
  if (kind === "Service" || kind === "Pod") return nodeId("service", name);
  return kubernetesNodeId(kind || "Unknown", textOf(group["namespace"]), name);
}
