/**
 * Postmortems as people write them: a heading, sections by their usual names, and the chain as a line of arrows
 * (`config flags -> service:cart -> service:front`) or as a list below "Chain".
 */
import { err, instantMs, ok, type Result } from "../../kernel/index.ts";
import { type CauseKind, causeKinds } from "../cause-kind.ts";
import { type NodeId, nodeId, splitNodeId } from "../graph-words.ts";
import { kindInWords, type Link, type Postmortem } from "./postmortem.ts";

const sections = {
  cause: /^(?:root )?cause|^trigger|^what happened/i,
  chain: /chain|propagation|how it spread/i,
  resolution: /resolution|mitigation|recovery|fix/i,
  policy: /policy|rule|guard/i,
} as const;

/** Services, settings and workloads of that name: what people mean who write a name without its kind. */
export type NodesNamed = (name: string) => readonly NodeId[];

/** The error says what is missing, and of a name that several nodes have, which ones. */
export function readPostmortemMarkdown(
  text: string,
  name: string,
  nodesNamed: NodesNamed = () => [],
): Result<Postmortem, string> {
  const blocks = blocksOf(text);
  const of = (pattern: RegExp): string =>
    blocks
      .find(({ heading }) => pattern.test(heading))
      ?.lines.join("\n")
      .trim() ?? "";
  const cause = of(sections.cause);
  const chain = linksOf(of(sections.chain) || text);
  if (cause === "" && chain.length === 0)
    return err("it has neither a section `Root cause` nor a chain (a -> b -> c)");
  const [first] = chain;
  const quoted = quotedNodes(cause, nodesNamed);
  const root = nodesIn(cause)[0] ?? quoted.find(({ nodes }) => nodes.length === 1)?.nodes[0];
  const unclear = quoted.find(({ nodes }) => nodes.length > 1);
  if (root === undefined && first === undefined && unclear !== undefined)
    return err(
      `\`${unclear.word}\` in the section \`Root cause\` could be ${unclear.nodes.join(", ")}: write the id of the one that is meant`,
    );
  const title = blocks.find(({ depth }) => depth === 1)?.heading ?? name;
  const kind = statedKind(text) ?? kindInWords(`${cause}\n${title}`);
  const [resolution, policy] = [of(sections.resolution), of(sections.policy)];
  const at = whenOf(text);
  return ok({
    id: name,
    title,
    roots: [root ?? first?.from ?? []].flat(),
    chain,
    same: [],
    ...(at === undefined ? {} : { at }),
    ...(kind === undefined ? {} : { kind }),
    ...(resolution === "" ? {} : { resolution }),
    ...(policy === "" ? {} : { policy }),
  });
}

const instant =
  /(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d)(:\d\d)?(?:\.\d+)?\s*(Z|UTC|GMT|[+-]\d\d:?\d\d)(?![\w:])/;
/** `Date: 2026-03-04`, also in a table or in bold, and with a zone or a time behind it. */
const dated =
  /^[\s>|*_-]*(?:incident )?date[\s*_]*[:|][\s*_|]*(\d{4}-\d\d-\d\d)(?:[T ]+(\d\d:\d\d)(:\d\d)?)?\s*\(?(Z|UTC|GMT|[+-]\d\d:?\d\d)?(?![\w:])/im;

/** The first instant, else the date: a day without a time is meant from its start, in UTC where no zone is given. */
function whenOf(text: string): number | undefined {
  const [, day, time = "00:00", seconds = ":00", zone = "Z"] =
    instant.exec(text) ?? dated.exec(text) ?? [];
  const at = instantMs(`${day}T${time}${seconds}Z`);
  return at === undefined ? undefined : at - zoneMs(zone);
}

function zoneMs(zone: string): number {
  const [, sign, hours, minutes] = /^([+-])(\d\d):?(\d\d)$/.exec(zone) ?? [];
  const ms = (Number(hours ?? 0) * 60 + Number(minutes ?? 0)) * 60_000;
  return sign === "-" ? -ms : ms;
}

interface Block {
  readonly heading: string;
  readonly depth: number;
  readonly lines: string[];
}

function blocksOf(text: string): readonly Block[] {
  const blocks: Block[] = [];
  for (const line of text.split("\n")) {
    const match = /^(#{1,6})\s+(.*?)\s*#*\s*$/.exec(line);
    if (match === null) blocks.at(-1)?.lines.push(line);
    else blocks.push({ heading: match[2] ?? "", depth: (match[1] ?? "").length, lines: [] });
  }
  return blocks;
}

/** `kind: routing.port`, in the model's own words. */
function statedKind(text: string): CauseKind | undefined {
  const stated = /\bkind:\s*`?([a-z]+\.[a-z_]+)/i.exec(text)?.[1] ?? "";
  return Object.hasOwn(causeKinds, stated) ? (stated as CauseKind) : undefined;
}

const arrow = /\s*(?:->|→|=>|⇒)\s*/;

/** Lines with arrows, each a chain; without any, a list is one chain from top to bottom. */
function linksOf(text: string): readonly Link[] {
  const lines = text.split("\n").map((line) => line.replace(/^\s*(?:[-*+]|\d+[.)])\s+/, "").trim());
  const arrows = lines.filter((line) => arrow.test(line));
  const listed = text.split("\n").filter((line) => /^\s*(?:[-*+]|\d+[.)])\s+/.test(line));
  const ways = arrows.length > 0 ? arrows.map((line) => line.split(arrow)) : [listed];
  return ways.flatMap((steps) => {
    const nodes = steps.map((step) => ({ node: nodeOf(step), step: step.trim() }));
    return nodes.slice(1).flatMap(({ node, step }, i): readonly Link[] => {
      const from = nodes[i]?.node;
      return from === undefined || node === undefined ? [] : [{ from, to: node, because: step }];
    });
  });
}

/** A node id in the words; else the name in backquotes, or the words themselves, are a service's. */
function nodeOf(step: string): NodeId | undefined {
  const [id] = nodesIn(step);
  if (id !== undefined) return id;
  const name = /`([^`]+)`/.exec(step)?.[1] ?? step.split(/[(:,;]/)[0]?.trim() ?? "";
  const squeezed = name
    .replace(/^\s*(?:[-*+]|\d+[.)])\s+/, "")
    .replace(/\s+/g, "-")
    .toLowerCase();
  return squeezed === "" ? undefined : nodeId("service", squeezed);
}

/** Node ids in running text: a full stop behind one is the sentence's. */
function nodesIn(text: string): readonly NodeId[] {
  const found = text.match(/\b[a-z]+:[\w./@-]+/gi) ?? [];
  return found
    .map((word) => word.replace(/[./-]+$/, ""))
    .filter((word) => splitNodeId(word) !== undefined);
}

/** Names in backquotes, with the nodes that have them. */
function quotedNodes(
  text: string,
  nodesNamed: NodesNamed,
): readonly { readonly word: string; readonly nodes: readonly NodeId[] }[] {
  const words = [...text.matchAll(/`([^`\n]+)`/g)].map(([, word = ""]) => word.trim());
  return words.map((word) => ({ word, nodes: nodesNamed(word) }));
}
