/** Spans as trees: every span once, every parent real, no cycle, in an order that does not depend on how they came. */
import type { Span } from "./span.ts";

export interface SpanForest {
  /** In order of trace, start and id. */
  readonly spans: readonly Span[];
  /** For each span the place of its parent in `spans`; -1: it has none here. */
  readonly parents: Int32Array;
  readonly children: (at: number) => readonly number[];
  readonly repeated: number;
  readonly orphaned: number;
  readonly cyclic: number;
}

const none: readonly number[] = [];

export function spanForest(told: Iterable<Span>): SpanForest {
  const { spans, repeated } = distinct(told);
  const places = new Map(spans.map((span, at) => [keyOf(span.trace, span.id), at]));
  const parents = new Int32Array(spans.length).fill(-1);
  let orphaned = 0;
  for (const [at, { trace, parent }] of spans.entries()) {
    if (parent === null) continue;
    const place = places.get(keyOf(trace, parent));
    if (place === undefined) orphaned += 1;
    else parents[at] = place;
  }
  const cyclic = cutCycles(parents);
  const below = new Map<number, number[]>();
  for (const [at, parent] of parents.entries()) {
    if (parent < 0) continue;
    const siblings = below.get(parent);
    if (siblings === undefined) below.set(parent, [at]);
    else siblings.push(at);
  }
  adoptWaitedFor(spans, below);
  const children = (at: number): readonly number[] => below.get(at) ?? none;
  return { spans, parents, children, repeated, orphaned, cyclic };
}

/**
 * Code that waits without blocking has its call beside it, not below it: a step that has no span below, and another of the
 * same service within its time. The time of the other is then not its own; the other keeps its parent.
 */
function adoptWaitedFor(spans: readonly Span[], below: Map<number, number[]>): void {
  for (const siblings of [...below.values()]) {
    // In order of start; what began last before the other is the one that waits.
    let waiting: number | undefined;
    for (const at of siblings) {
      if (waiting !== undefined && isWithin(spans[at], spans[waiting])) below.set(waiting, [at]);
      else if (!below.has(at)) waiting = at;
    }
  }
}

function isWithin(span: Span | undefined, other: Span | undefined): boolean {
  if (span === undefined || other === undefined || span.service !== other.service) return false;
  return (
    span.startUs >= other.startUs &&
    span.startUs + span.durationUs <= other.startUs + other.durationUs
  );
}

function distinct(told: Iterable<Span>): { spans: readonly Span[]; repeated: number } {
  const sorted = [...told].sort(compareSpans);
  const seen = new Set<string>();
  const spans = sorted.filter((span) => {
    const key = keyOf(span.trace, span.id);
    if (seen.has(key)) return false;
    seen.add(key);
    return true;
  });
  return { spans, repeated: sorted.length - spans.length };
}

function compareSpans(a: Span, b: Span): number {
  return (
    compareText(a.trace, b.trace) ||
    a.startUs - b.startUs ||
    compareText(a.id, b.id) ||
    b.durationUs - a.durationUs ||
    compareText(a.service, b.service) ||
    compareText(a.operation, b.operation) ||
    compareText(a.parent ?? "", b.parent ?? "")
  );
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Ids hold no zero byte on any wire; a name that does could at worst be taken for another span of the same file. */
function keyOf(trace: string, id: string): string {
  return `${trace}\u0000${id}`;
}

/** Walks up from every span, each step once. Who comes back to where this walk began to look has met a cycle. */
function cutCycles(parents: Int32Array): number {
  const walkOf = new Int32Array(parents.length);
  let cyclic = 0;
  for (let start = 0; start < parents.length; start++) {
    const walk = start + 1;
    let at = start;
    while (at >= 0 && walkOf[at] === 0) {
      walkOf[at] = walk;
      const parent = parents[at] ?? -1;
      if (parent >= 0 && walkOf[parent] === walk) {
        parents[at] = -1;
        cyclic += 1;
      }
      at = parent;
    }
  }
  return cyclic;
}
