/** Traffic that was really seen: how often the outside entered by each operation, and how often each node was called for it. */
import type { Traffic } from "../event.ts";
import type { View } from "../graph/index.ts";
import type { NodeId } from "../graph-words.ts";

export interface Exercised {
  /** Requests from outside, by the operation they entered by. */
  readonly entries: ReadonlyMap<string, number>;
  readonly requests: number;
  /** Calls to each node, by entry. */
  readonly calls: ReadonlyMap<NodeId, ReadonlyMap<string, number>>;
}

/** Of the windows that began within the range. */
export function exercised(view: View, range: { fromAt: number; toAt: number }): Exercised {
  const entries = new Map<string, number>();
  const calls = new Map<NodeId, Map<string, number>>();
  let requests = 0;
  for (const traffic of view.traffic(range)) {
    const entry = entryOf(traffic);
    // A step within a service is no call of it.
    if (traffic.caller === traffic.callee) continue;
    if (traffic.caller === null) {
      entries.set(entry, (entries.get(entry) ?? 0) + traffic.count);
      requests += traffic.count;
    }
    const of = calls.get(traffic.callee) ?? new Map<string, number>();
    of.set(entry, (of.get(entry) ?? 0) + traffic.count);
    calls.set(traffic.callee, of);
  }
  return { entries, requests, calls };
}

/** Where the source does not know the entry, what comes from outside is its own. */
export function entryOf({ caller, callee, operation, entry }: Traffic): string {
  return caller === null && entry === "" ? `${callee} ${operation}` : entry;
}

/** The part of the requests of each entry that calls `node`: several calls of one request are one. */
export function touchedBy(node: NodeId, seen: Exercised): ReadonlyMap<string, number> {
  const touched = new Map<string, number>();
  for (const [entry, count] of seen.calls.get(node) ?? []) {
    const requests = seen.entries.get(entry) ?? 0;
    if (requests > 0) touched.set(entry, Math.min(1, count / requests));
  }
  return touched;
}
