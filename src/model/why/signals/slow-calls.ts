/** Calls that take longer than they did: in the callee itself, or on the way to it. */
import type { Quantiles } from "../../event.ts";
import type { NodeId } from "../../graph-words.ts";
import type { Anomaly } from "./anomaly.ts";
import { weightedMedian } from "./statistics.ts";
import type { Calls, Window } from "./windows.ts";

/** Less is not felt. */
const leastMs = 1;
/** Calls of one window are not independent of each other: more than these tell nothing new. */
const mostCalls = 20;

/** Quantiles of calls, and how many there were. */
export interface Timing {
  readonly quantiles: Quantiles;
  readonly count: number;
}

export interface Slower {
  /** The logarithm of how many times longer it takes; 0: no longer. */
  readonly ratio: number;
  /** Nats against this having come about as before. */
  readonly surprise: number;
}

/** How much longer calls take than those of the past, and how sure that is. */
export function slowerThan(past: readonly Timing[], now: Timing): Slower {
  const pooled = (of: (quantiles: Quantiles) => number) =>
    weightedMedian(past.map(({ quantiles, count }) => [of(quantiles), count]));
  const middle = pooled(({ p50 }) => p50);
  const ratio = Math.log((now.quantiles.p50 + leastMs) / (middle + leastMs));
  if (!(ratio > 0)) return { ratio: 0, surprise: 0 };
  const tail = tailShare(now.quantiles.p50, [
    middle,
    pooled(({ p90 }) => p90),
    pooled(({ max }) => max),
  ]);
  return { ratio, surprise: Math.min(now.count, mostCalls) * divergence(0.5, tail) };
}

/** Of calls, so many take longer than the longest of a window that is known. */
const beyondMax = 0.02;

/** The share of the past's calls that took longer than `value`: between the quantiles that are known, and as a power beyond. */
function tailShare(value: number, [p50, p90, max]: readonly [number, number, number]): number {
  const between = (from: number, to: number) =>
    to <= from
      ? 1
      : Math.log((value + leastMs) / (from + leastMs)) /
        Math.log((to + leastMs) / (from + leastMs));
  if (value < p90) return 0.5 - 0.4 * between(p50, p90);
  if (value < max) return 0.1 - (0.1 - beyondMax) * between(p90, max);
  return beyondMax * ((max + leastMs) / (value + leastMs));
}

/** Kullback and Leibler's, of one yes or no with share p where q was expected. */
function divergence(p: number, q: number): number {
  return p * Math.log(p / q) + (1 - p) * Math.log((1 - p) / (1 - q));
}

/** Operations whose own time has grown, by node. */
export function slowOperations(past: readonly Window[], now: readonly Window[]): Anomaly[] {
  const groups = groupBy(slownessOf(past, now, "operations", "self"), ({ calls }) => calls.node);
  return [...groups].flatMap(([node, group]) => anomalyOf(node, group));
}

/**
 * Nodes to which the way has grown from all callers, or from which it has to all callees: the delay belongs to the node
 * between them, not to the other ends. Where both have grown by as much, the way out is not held against its callee.
 */
export function slowWays(past: readonly Window[], now: readonly Window[]): Anomaly[] {
  const slowness = slownessOf(past, now, "ways", "way");
  const [into, outOf] = [groupBy(slowness, calleeOf), groupBy(slowness, callerOf)];
  const ofCaller = new Map(
    [...outOf].map(([caller, group]) => [
      caller,
      Math.max(delayOf(into.get(caller) ?? []), delayOnAll(group)),
    ]),
  );
  const isOfCaller = (each: Slowness) =>
    (ofCaller.get(callerOf(each)) ?? 0) >= likeShare * Math.max(leastMs, delayOf([each]));
  const others = [...into].map(
    ([node, group]) => [node, group.filter((each) => !isOfCaller(each))] as const,
  );
  const ofCallers = [...outOf].filter(([, group]) => group.some(isOfCaller));
  return [...others, ...ofCallers].flatMap(([node, group]) => anomalyOf(node, group));
}

/** With fewer callees, a slow way out of a node is as well one into its callee. */
const leastCallees = 3;
/** One delay is met on every way of a node; by so much of it, they are the same. */
const likeShare = 0.5;

const calleeOf = ({ calls }: Slowness): string => calls.node;
const callerOf = ({ calls }: Slowness): string => calls.caller ?? "";

/** How many milliseconds more ways take, at the median of the calls; 0 of none. */
function delayOf(group: readonly Slowness[]): number {
  const delays = group.map(
    ({ calls, usualMs }) => [(calls.way?.p50 ?? usualMs) - usualMs, calls.count] as const,
  );
  return delays.length === 0 ? 0 : weightedMedian(delays);
}

/** What the ways to all callees take more, at least; 0 where they are few. */
function delayOnAll(group: readonly Slowness[]): number {
  const delays = [...groupBy(group, calleeOf).values()].map(delayOf);
  return delays.length < leastCallees ? 0 : Math.min(...delays);
}

interface Slowness extends Slower {
  readonly calls: Calls;
  readonly part: "self" | "way";
  readonly usualMs: number;
  readonly at: number;
}

/** Each operation or way over all windows: what is slow in one of two counts half. */
function slownessOf(
  past: readonly Window[],
  now: readonly Window[],
  group: "operations" | "ways",
  part: "self" | "way",
): Slowness[] {
  const keys = new Set(now.flatMap((window) => [...window[group].keys()]));
  return [...keys].flatMap((key) => {
    const before = past.flatMap((each) => timingOf(each[group].get(key), part) ?? []);
    if (before.length === 0) return [];
    const usualMs = weightedMedian(before.map(({ quantiles, count }) => [quantiles.p50, count]));
    const current = now.flatMap((window): Slowness[] => {
      const calls = window[group].get(key);
      const timing = timingOf(calls, part);
      if (timing === undefined || calls === undefined) return [];
      return [{ ...slowerThan(before, timing), calls, part, usualMs, at: window.at }];
    });
    return together(current);
  });
}

function together(windows: readonly Slowness[]): Slowness[] {
  const [top] = windows.toSorted((a, b) => scoreOf(b) - scoreOf(a));
  if (top === undefined) return [];
  const weights = windows.map(({ calls }) => Math.log1p(calls.count));
  const all = weights.reduce((sum, weight) => sum + weight, 0);
  const ratio = windows.reduce((sum, each, at) => sum + each.ratio * (weights[at] ?? 0), 0) / all;
  const surprise = windows.reduce((sum, each) => sum + each.surprise, 0);
  return [{ ...top, ratio, surprise }];
}

function timingOf(calls: Calls | undefined, part: "self" | "way"): Timing | undefined {
  const quantiles = calls?.[part] ?? null;
  return calls === undefined || quantiles === null ? undefined : { quantiles, count: calls.count };
}

function groupBy(
  all: readonly Slowness[],
  keyOf: (each: Slowness) => string,
): Map<string, Slowness[]> {
  const groups = new Map<string, Slowness[]>();
  for (const each of all) {
    const key = keyOf(each);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [each]);
    else group.push(each);
  }
  return groups;
}

/** What is slow all over a node counts in full, one operation of many that is slow counts half. */
function anomalyOf(node: NodeId, group: readonly Slowness[]): Anomaly[] {
  const weights = group.map(({ calls }) => Math.log1p(calls.count));
  const all = weights.reduce((sum, weight) => sum + weight, 0);
  const mean = group.reduce((sum, { ratio }, at) => sum + ratio * (weights[at] ?? 0), 0) / all;
  const surprise = group.reduce((sum, each) => sum + each.surprise, 0);
  const [top] = group.toSorted((a, b) => scoreOf(b) - scoreOf(a));
  if (top === undefined || top.ratio <= 0) return [];
  const { calls, part, usualMs, at } = top;
  const ratio = part === "way" ? mean : (mean + top.ratio) / 2;
  const what =
    part === "self"
      ? `${calls.operation} itself takes`
      : `the way from ${calls.caller} to ${calls.node} and back takes`;
  const nowMs = calls[part]?.p50 ?? 0;
  return [
    {
      node,
      aspect: "slow",
      own: true,
      kind: part === "self" ? "code.latency" : "network.delay",
      strength: Math.min(ratio, Math.log1p(surprise)),
      onsetAt: at,
      says: `${what} ${nowMs.toFixed(1)} ms at the median of ${calls.count} calls, ${usualMs.toFixed(1)} ms before`,
      origin: calls.first.origin,
    },
  ];
}

function scoreOf({ ratio, surprise }: Slower): number {
  return Math.min(ratio, Math.log1p(surprise));
}
