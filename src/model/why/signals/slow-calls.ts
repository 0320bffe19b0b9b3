/** Calls that take longer than they did: in the callee itself, or on the way to it. */
import type { Quantiles } from "../../event.ts";
import type { NodeId } from "../../graph-words.ts";
import type { Anomaly } from "./anomaly.ts";
import { median } from "./statistics.ts";
import type { Calls, Window } from "./windows.ts";

/** Less is not felt. */
const leastMs = 1;
/** Calls of one window are not independent of each other: more than these tell nothing new. */
const mostCalls = 20;

/** Nats by which a call's own time, or its way, has become longer than in most windows of the past. */
export function slowerNats(now: Quantiles, count: number, past: readonly Quantiles[]): number {
  if (past.length === 0) return 0;
  const middle = median(past.map(({ p50 }) => p50));
  const p90 = median(past.map((each) => each.p90));
  const max = median(past.map((each) => each.max));
  const ratio = Math.log((now.p50 + leastMs) / (middle + leastMs));
  if (ratio <= 0) return 0;
  const tail = tailShare(now.p50, [middle, p90, max]);
  const surprise = Math.min(count, mostCalls) * divergence(0.5, tail);
  return ratio * (1 - Math.exp(-surprise / 2));
}

/** The share of the past's calls that took longer than `value`, between the quantiles that are known. */
function tailShare(value: number, [p50, p90, max]: readonly [number, number, number]): number {
  const between = (from: number, to: number) =>
    to <= from
      ? 1
      : Math.log((value + leastMs) / (from + leastMs)) /
        Math.log((to + leastMs) / (from + leastMs));
  if (value < p90) return 0.5 - 0.4 * between(p50, p90);
  return value < max ? 0.1 - 0.08 * between(p90, max) : 0.02;
}

/** Kullback and Leibler's, of one yes or no with share p where q was expected. */
function divergence(p: number, q: number): number {
  return p * Math.log(p / q) + (1 - p) * Math.log((1 - p) / (1 - q));
}

/** Operations whose own time has grown, by node. */
export function slowOperations(past: readonly Window[], now: readonly Window[]): Anomaly[] {
  return byNode(slownessOf(past, now, "operations", "self"), ({ calls }) => [calls.node]);
}

/** Nodes to and from which the way has grown: delay that all adjacent ways have belongs to the node between them. */
export function slowWays(past: readonly Window[], now: readonly Window[]): Anomaly[] {
  return byNode(slownessOf(past, now, "ways", "way"), ({ calls }) => [calls.node, calls.caller]);
}

interface Slowness {
  readonly calls: Calls;
  readonly part: "self" | "way";
  readonly nats: number;
  readonly usualMs: number;
  readonly at: number;
}

function slownessOf(
  past: readonly Window[],
  now: readonly Window[],
  group: "operations" | "ways",
  part: "self" | "way",
): Slowness[] {
  return now.flatMap((window) =>
    [...window[group]].flatMap(([key, calls]) => {
      const current = calls[part];
      const before = past.flatMap((each) => each[group].get(key)?.[part] ?? []);
      if (current === null || before.length === 0) return [];
      const nats = slowerNats(current, calls.count, before);
      return [{ calls, part, nats, usualMs: median(before.map(({ p50 }) => p50)), at: window.at }];
    }),
  );
}

/** What is slow all over a node counts in full, what is slow in one place of many in part. */
function byNode(
  slowness: readonly Slowness[],
  nodesOf: (each: Slowness) => readonly (NodeId | null)[],
): Anomaly[] {
  const groups = new Map<NodeId, Slowness[]>();
  for (const each of slowness)
    for (const node of nodesOf(each))
      if (node !== null) groups.set(node, [...(groups.get(node) ?? []), each]);
  return [...groups].flatMap(([node, group]) => {
    const weights = group.map(({ calls }) => Math.log1p(calls.count));
    const all = weights.reduce((sum, weight) => sum + weight, 0);
    const mean = group.reduce((sum, { nats }, at) => sum + nats * (weights[at] ?? 0), 0) / all;
    const [top] = group.toSorted((a, b) => b.nats - a.nats);
    if (top === undefined || top.nats <= 0) return [];
    const strength = top.part === "way" ? mean : (mean + top.nats) / 2;
    return [anomalyOf(node, top, strength)];
  });
}

function anomalyOf(
  node: NodeId,
  { calls, part, usualMs, at }: Slowness,
  strength: number,
): Anomaly {
  const what =
    part === "self"
      ? `${calls.operation} itself takes`
      : `the way from ${calls.caller} to ${calls.node} and back takes`;
  return {
    node,
    aspect: "slow",
    own: true,
    kind: part === "self" ? "code.latency" : "network.delay",
    strength,
    onsetAt: at,
    says: `${what} ${(calls[part]?.p50 ?? 0).toFixed(1)} ms at the median of ${calls.count} calls, ${usualMs.toFixed(1)} ms before`,
    origin: calls.first.origin,
  };
}
