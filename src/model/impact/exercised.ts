/** Traffic that was really seen: how often the outside entered by each operation, and how often each node was called for it. */
import type { Traffic } from "../event.ts";
import type { View } from "../graph/index.ts";
import { type NodeId, splitNodeId } from "../graph-words.ts";

export interface Exercised {
  /** Requests from outside, by the operation they entered by. */
  readonly entries: ReadonlyMap<string, number>;
  readonly requests: number;
  /** The same by the operation that the outside asked for; the requests of one may have several entries. */
  readonly outside: ReadonlyMap<string, ReadonlyMap<string, number>>;
  /** Calls to each node, by entry. */
  readonly calls: ReadonlyMap<NodeId, ReadonlyMap<string, number>>;
  /** The same by who calls. */
  readonly callers: ReadonlyMap<NodeId, ReadonlyMap<NodeId, number>>;
}

/** Of the windows that began within the range. */
export function exercised(view: View, range: { fromAt: number; toAt: number }): Exercised {
  const entries = new Map<string, number>();
  const outside = new Map<string, Map<string, number>>();
  const calls = new Map<NodeId, Map<string, number>>();
  const callers = new Map<NodeId, Map<NodeId, number>>();
  const count = (of: Map<string, Map<string, number>>, key: string, entry: string, by: number) => {
    const counts = of.get(key) ?? new Map<string, number>();
    counts.set(entry, (counts.get(entry) ?? 0) + by);
    of.set(key, counts);
  };
  let requests = 0;
  for (const traffic of view.traffic(range)) {
    const entry = entryOf(traffic);
    // A step within a service is no call of it.
    if (traffic.caller === traffic.callee) continue;
    if (traffic.caller === null) {
      entries.set(entry, (entries.get(entry) ?? 0) + traffic.count);
      count(outside, operationName(traffic), entry, traffic.count);
      requests += traffic.count;
    } else count(callers, traffic.callee, traffic.caller, traffic.count);
    count(calls, traffic.callee, entry, traffic.count);
  }
  return { entries, requests, outside, calls, callers };
}

/** Where the source does not know the entry, what comes from outside is its own. */
function entryOf({ caller, callee, operation, entry }: Traffic): string {
  return caller === null && entry === "" ? `${callee} ${operation}` : entry;
}

/** `front GET /cart` */
export function operationName({ callee, operation }: Traffic): string {
  return `${splitNodeId(callee)?.name ?? callee} ${operation}`;
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
