/**
 * What of the traffic really felt something: the same operations before and after, compared. Better counts as much as worse,
 * because a repair is felt too.
 */
import type { Traffic } from "../event.ts";
import type { TimeRange, View } from "../graph/index.ts";
import { type NodeId, splitNodeId } from "../graph-words.ts";
import { operationName } from "./exercised.ts";
import { proportion, type Share } from "./share.ts";

export interface Felt {
  /** Part of the requests from outside that went otherwise than before; null where there is nothing to compare. */
  readonly share: Share | null;
  readonly operations: readonly string[];
  /** Services whose calls went otherwise. Sorted. */
  readonly services: readonly NodeId[];
}

/** An operation is slower or faster when its middle moved by half, and by more than a jitter. */
const slowdown = 1.5;
const jitterMs = 5;
/** Error ratios that differ by less are called the same. */
const errorsMin = 0.05;
/** Fewer requests than this say nothing. */
const requestsMin = 5;

interface Sum {
  count: number;
  errors: number;
  /** Median of each window, with its weight. */
  readonly medians: [ms: number, count: number][];
}

export function felt(view: View, before: TimeRange, after: TimeRange): Felt {
  const [past, now] = [sums(view.traffic(before)), sums(view.traffic(after))];
  let [hits, requests] = [0, 0];
  const operations: string[] = [];
  const services = new Set<NodeId>();
  for (const [key, sum] of now.byOperation) {
    const old = past.byOperation.get(key);
    const part = old === undefined ? undefined : differing(old, sum);
    if (part === undefined) continue;
    const { callee, name, isEntry } = now.names.get(key) as Name;
    if (part > 0 && splitNodeId(callee)?.kind === "service") services.add(callee);
    if (!isEntry) continue;
    requests += sum.count;
    hits += part * sum.count;
    if (part > 0) operations.push(name);
  }
  return {
    share: requests === 0 ? null : proportion(hits, requests),
    operations: operations.sort(),
    services: [...services].sort(),
  };
}

interface Name {
  readonly callee: NodeId;
  readonly name: string;
  readonly isEntry: boolean;
}

function sums(traffic: readonly Traffic[]) {
  const byOperation = new Map<string, Sum>();
  const names = new Map<string, Name>();
  for (const one of traffic) {
    const { caller, callee, operation, count, errors, totalMs } = one;
    // What a request calls on its way may differ with what is felt, so its entry tells nothing apart here.
    const key = JSON.stringify([caller, callee, operation]);
    const sum = byOperation.get(key) ?? { count: 0, errors: 0, medians: [] };
    sum.count += count;
    sum.errors += errors;
    if (totalMs !== null) sum.medians.push([totalMs.p50, count]);
    byOperation.set(key, sum);
    names.set(key, { callee, name: operationName(one), isEntry: caller === null });
  }
  return { byOperation, names };
}

/** The part of the calls that went otherwise; undefined when there are too few to tell. */
function differing(old: Sum, now: Sum): number | undefined {
  if (old.count < requestsMin || now.count < requestsMin) return undefined;
  const errors = Math.abs(now.errors / now.count - old.errors / old.count);
  const [was, is] = [medianOf(old), medianOf(now)];
  const [low, high] = [Math.min(was, is), Math.max(was, is)];
  const isShifted = high > low * slowdown && high - low > jitterMs;
  if (isShifted) return 1;
  return errors >= errorsMin ? errors : 0;
}

function medianOf({ medians }: Sum): number {
  const sorted = medians.toSorted(([a], [b]) => a - b);
  const half = sorted.reduce((sum, [, count]) => sum + count, 0) / 2;
  let seen = 0;
  for (const [ms, count] of sorted) {
    seen += count;
    if (seen >= half) return ms;
  }
  return 0;
}
