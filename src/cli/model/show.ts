/** `holdfast model show`: what the model knows at a moment, in all or of one node. Exit codes: 0; 1 no such node; 2 wrong usage. */
import type { WatchStatus } from "../../control/index.ts";
import { instantText } from "../../kernel/index.ts";
import { allKnown, type Graph, nodeKinds, readSymptom, type View } from "../../model/index.ts";
import type { CommandOutput } from "../policy-knowledge.ts";
import { tableLines } from "../table.ts";
import { laterKnown, type Moments, readMoments } from "./moment.ts";
import type { OpenedModel } from "./open.ts";
import { nodeLines, nodeShown } from "./show-node.ts";
import { type ShownWatch, watchLines, watchShown } from "./show-watches.ts";
import { visible } from "./visible.ts";

export interface ShowOptions {
  readonly node?: string;
  readonly at?: string;
  readonly knownAt?: string;
  readonly json?: boolean;
}

export async function showModel(
  { graph, nowMs }: OpenedModel,
  options: ShowOptions,
  { io, watches }: { readonly io: CommandOutput; readonly watches: readonly WatchStatus[] },
): Promise<number> {
  const moments = readMoments(options, nowMs);
  if (!moments.ok) {
    io.err(`error: ${moments.error}`);
    return 2;
  }
  const view = graph.asOf(moments.value.atMs, moments.value.knownAtMs);
  const note = laterKnown(graph, moments.value);
  if (note !== undefined) io.err(`note: ${note}`);
  if (options.node === undefined) {
    const watched = watches.map((each) => watchShown(each, nowMs));
    const shown = { ...allShown(graph, view), watches: watched };
    if (options.json === true) io.out(JSON.stringify(shown));
    else for (const line of allLines(shown, moments.value)) io.out(line);
    return 0;
  }
  return showNode(view, options.node, options.json === true, io);
}

function showNode(view: View, name: string, isJson: boolean, io: CommandOutput): number {
  const meant = readSymptom(name, view.validAt, view);
  const shown = meant.ok ? nodeShown(view, meant.value.node ?? "") : undefined;
  if (shown === undefined) {
    io.err(`error: ${meant.ok ? `\`${visible(name)}\` names no node` : visible(meant.error)}`);
    return 1;
  }
  if (isJson) io.out(JSON.stringify(shown));
  else for (const line of nodeLines(shown)) io.out(line);
  return 0;
}

interface KindOfSource {
  readonly kind: string;
  readonly source: string;
  readonly events: number;
  readonly first_at: string;
  readonly last_at: string;
}

interface AllShown {
  readonly as_of: string;
  readonly nodes: Readonly<Record<string, number>>;
  readonly edges: Readonly<Record<string, number>>;
  readonly contracts: Readonly<Record<string, number>>;
  readonly events: readonly KindOfSource[];
  readonly watches: readonly ShownWatch[];
}

function allShown(graph: Graph, view: View): Omit<AllShown, "watches"> {
  const nodes = nodeKinds.map((kind) => [kind, view.nodes(kind).length] as const);
  const edges = countBy(view.edges(), ({ kind, basis }) => `${kind} ${basis}`);
  return {
    as_of: instantText(view.validAt),
    nodes: Object.fromEntries(nodes.filter(([, count]) => count > 0)),
    edges,
    contracts: countBy(view.contracts(), ({ status }) => status),
    events: eventsOf(graph, view),
  };
}

function eventsOf(graph: Graph, { validAt, knownAt }: View): readonly KindOfSource[] {
  const groups = new Map<string, { count: number; first: number; last: number }>();
  for (const { type, origin, at, knownAt: known } of graph.events()) {
    if (at > validAt || known > knownAt) continue;
    const key = `${type}\n${origin.source}`;
    const group = groups.get(key) ?? { count: 0, first: at, last: at };
    groups.set(key, group);
    group.count += 1;
    group.first = Math.min(group.first, at);
    group.last = Math.max(group.last, at);
  }
  return [...groups].sort().map(([key, { count, first, last }]) => {
    const [kind = "", source = ""] = key.split("\n");
    return {
      kind,
      source,
      events: count,
      first_at: instantText(first),
      last_at: instantText(last),
    };
  });
}

function allLines(shown: AllShown, { knownAtMs }: Moments): readonly string[] {
  const counts = (of: Readonly<Record<string, number>>): string =>
    Object.entries(of)
      .map(([name, count]) => `${name} ${count}`)
      .join(", ") || "none";
  const known =
    knownAtMs === allKnown
      ? "by all that is known now"
      : `by what was known at ${instantText(knownAtMs)}`;
  const rows = shown.events.map(({ kind, source, events, first_at, last_at }) => [
    kind,
    source,
    String(events),
    first_at,
    last_at,
  ]);
  return [
    `as of ${shown.as_of}, ${known}`,
    `nodes: ${counts(shown.nodes)}`,
    `edges: ${counts(shown.edges)}`,
    `declared and observed: ${counts(shown.contracts)}`,
    ...(rows.length === 0
      ? ["nothing was ingested; `holdfast model ingest <file|folder|address>`"]
      : tableLines([["KIND", "SOURCE", "EVENTS", "FIRST", "LAST"], ...rows])),
    ...shown.watches.flatMap(watchLines),
  ];
}

function countBy<T>(items: readonly T[], nameOf: (item: T) => string): Record<string, number> {
  const counts = new Map<string, number>();
  for (const item of items) counts.set(nameOf(item), (counts.get(nameOf(item)) ?? 0) + 1);
  return Object.fromEntries([...counts].sort());
}
