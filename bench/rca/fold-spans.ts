/** Spans of one window become traffic: who called whom, from which operation, how often and how slowly. */
import type { NodeId, Quantiles, Traffic } from "../../src/model/index.ts";

/** `[trace, span, parent or -1, service, operation, start in µs, duration in µs]` */
export type SpanRow = readonly [number, number, number, string, string, number, number];

export interface FoldedSpans {
  readonly traffic: readonly Traffic[];
  /** By trace: the operation by which the outside entered. */
  readonly entries: ReadonlyMap<number, string>;
}

interface Link {
  readonly caller: string | null;
  readonly callerOperation: string;
  readonly callee: string;
  readonly operation: string;
  readonly entry: string;
  readonly total: number[];
  readonly self: number[];
  readonly way: number[];
}

export interface Folding {
  /** Of this window, unique among the events. */
  readonly id: string;
  readonly source: string;
  readonly at: number;
  readonly untilAt: number;
  readonly nodeOf: (service: string) => NodeId;
}

export function foldSpans(spans: readonly SpanRow[], folding: Folding): FoldedSpans {
  const byId = new Map(spans.map((span) => [span[1], span]));
  const children = childrenOf(spans);
  const entries = entriesOf(spans, children);
  const links = new Map<string, Link>();
  for (const span of spans) addSpan(links, span, { byId, children, entries });
  const traffic = [...links].map(([key, link]) => trafficOf(key, link, folding));
  return { traffic, entries };
}

function childrenOf(spans: readonly SpanRow[]): Map<number, SpanRow[]> {
  const children = new Map<number, SpanRow[]>();
  for (const span of spans) {
    const siblings = children.get(span[2]);
    if (siblings === undefined) children.set(span[2], [span]);
    else siblings.push(span);
  }
  for (const siblings of [...children.values()])
    for (const span of siblings) {
      if (children.has(span[1])) continue;
      const waitedFor = siblings.filter((other) => other !== span && contains(span, other));
      if (waitedFor.length > 0) children.set(span[1], waitedFor);
    }
  return children;
}

/** Code that waits without blocking has its call beside it, not below: what lies within its time is what it waited for. */
function contains(span: SpanRow, other: SpanRow): boolean {
  const [from, until] = [span[5], span[5] + span[6]];
  return span[3] === other[3] && other[5] >= from && other[5] + other[6] <= until;
}

interface Trees {
  readonly byId: ReadonlyMap<number, SpanRow>;
  readonly children: ReadonlyMap<number, readonly SpanRow[]>;
  readonly entries: ReadonlyMap<number, string>;
}

function addSpan(links: Map<string, Link>, span: SpanRow, trees: Trees): void {
  const [trace, id, , service, operation, , duration] = span;
  const parent = trees.byId.get(span[2]);
  const below = trees.children.get(id) ?? [];
  const entry = trees.entries.get(trace) ?? "";
  const link = linkOf(links, [parent?.[3] ?? null, parent?.[4] ?? "", service, operation, entry]);
  link.total.push(duration / 1000);
  if (!isClientSide(span, below)) {
    const inChildren = below.reduce((sum, child) => sum + child[6], 0);
    link.self.push(Math.max(0, duration - inChildren) / 1000);
  }
  if (parent !== undefined && isClientSide(parent, trees.children.get(parent[1]) ?? []))
    link.way.push(Math.max(0, parent[6] - duration) / 1000);
}

/** A span whose only child is in another service is the caller's side of that one call. */
function isClientSide(span: SpanRow, below: readonly SpanRow[]): boolean {
  return below.length === 1 && below[0] !== undefined && below[0][3] !== span[3];
}

function linkOf(
  links: Map<string, Link>,
  [caller, callerOperation, callee, operation, entry]: [
    string | null,
    string,
    string,
    string,
    string,
  ],
): Link {
  const key = [caller ?? "", callerOperation, callee, operation, entry].join("\u0000");
  let link = links.get(key);
  if (link === undefined) {
    link = { caller, callerOperation, callee, operation, entry, total: [], self: [], way: [] };
    links.set(key, link);
  }
  return link;
}

/** What a front door only forwards is told apart by what it forwards to. */
function entriesOf(
  spans: readonly SpanRow[],
  children: ReadonlyMap<number, readonly SpanRow[]>,
): Map<number, string> {
  const entries = new Map<number, string>();
  for (const root of spans) {
    if (root[2] !== -1 || entries.has(root[0])) continue;
    entries.set(root[0], entryBelow(root, children));
  }
  return entries;
}

function entryBelow(root: SpanRow, children: ReadonlyMap<number, readonly SpanRow[]>): string {
  const stack = [root];
  const beyond: SpanRow[] = [];
  for (let span = stack.pop(); span !== undefined; span = stack.pop())
    for (const child of children.get(span[1]) ?? [])
      (child[3] === root[3] ? stack : beyond).push(child);
  const [only] = beyond;
  return beyond.length === 1 && only !== undefined
    ? `${only[3]} ${only[4]}`
    : `${root[3]} ${root[4]}`;
}

function trafficOf(key: string, link: Link, { id, source, at, untilAt, nodeOf }: Folding): Traffic {
  const way = quantilesOf(link.way);
  return {
    type: "traffic",
    id: `${id} ${key}`,
    at,
    untilAt,
    knownAt: untilAt,
    origin: { source, reference: id },
    caller: link.caller === null ? null : nodeOf(link.caller),
    callerOperation: link.callerOperation,
    callee: nodeOf(link.callee),
    operation: link.operation,
    entry: link.entry,
    count: link.total.length,
    errors: 0,
    totalMs: quantilesOf(link.total),
    selfMs: quantilesOf(link.self),
    ...(way === null ? {} : { wayMs: way }),
  };
}

function quantilesOf(values: number[]): Quantiles | null {
  if (values.length === 0) return null;
  values.sort((a, b) => a - b);
  const at = (share: number) =>
    values[Math.min(values.length - 1, Math.floor(share * values.length))] ?? 0;
  return { p50: at(0.5), p90: at(0.9), max: values.at(-1) ?? 0 };
}
