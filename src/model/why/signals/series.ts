/** Measurements that leave their own past, in the direction that is bad for them, when the trouble began. */
import { type Series, type Signal, signals } from "../../event.ts";
import { median, type Normal, normalOf, quantile } from "./statistics.ts";

/** A deviation below this share of what is usual is not felt. */
const feltShare = 0.05;
/** Or below this, in the signal's own unit. */
const feltLeast: Partial<Record<Signal, number>> = {
  availability: 0.005,
  errors: 0.005,
  latency: 1,
  cpu: 0.02,
  memory: 0.02,
};
const leastPast = 8;
/** A series leaves its past when it deviates by so many of its own standard deviations. */
export const quietZ = 3;

export interface Deviation {
  readonly series: Series;
  /** In standard deviations of its past, positive when worse; less what it already was before the onset. */
  readonly z: number;
  /** The second highest, so that it is not one measurement alone; the same where there is only one since the onset. */
  readonly lastingZ: number;
  readonly onsetAt: number;
  /** When it was furthest from its past. */
  readonly peakAt: number;
  readonly usual: number;
  readonly now: number;
  /** The share of its past that was as far, or half as far, from what is usual; 0 when none of it was. */
  readonly usualShare: number;
}

export interface Span {
  /** Before this is the past. */
  readonly cutAt: number;
  /** When the symptom began: what was so before is not news. */
  readonly onsetAt: number;
  readonly alignToOnset: boolean;
}

/** How a series deviates; undefined when it does not, or when too little of its past is known. */
export function deviationOf(series: Series, span: Span): Deviation | undefined {
  const measured = measure(series, span);
  return measured === undefined || measured.z <= quietZ ? undefined : measured;
}

/** How far a series is from its past, whether that is a deviation or not; undefined when too little of it is known. */
export function measure(
  series: Series,
  { cutAt, onsetAt, alignToOnset }: Span,
): Deviation | undefined {
  // Without time there is neither past nor onset: whatever stands out of the recording, whenever it did.
  const [pastUntil, presentFrom] = alignToOnset
    ? [cutAt, cutAt]
    : [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  const normal = pastOf(series, pastUntil);
  const scored = normal === undefined ? [] : scoredSince(series, presentFrom, normal);
  if (normal === undefined || scored.length === 0) return undefined;
  const freshFrom = alignToOnset ? onsetAt - stepOf(series) : Number.NEGATIVE_INFINITY;
  const standing = scored.filter(({ at }) => at <= freshFrom);
  const fresh = scored.filter(({ at }) => at > freshFrom);
  const peak = fresh.reduce(
    (top, each) => (each.z > top.z ? each : top),
    fresh[0] ?? { at: 0, value: 0, z: 0 },
  );
  const first = fresh.find((each) => each.z > quietZ) ?? peak;
  return {
    series,
    z: peak.z - Math.max(0, ...standing.map((each) => each.z)),
    lastingZ: lastingOf(
      scored.map((each) => each.z),
      standing.length,
    ),
    onsetAt: first.at,
    peakAt: peak.at,
    usual: normal.middle,
    now: peak.value,
    usualShare: alignToOnset ? shareAlike(series, cutAt, normal, peak.z) : 0,
  };
}

function shareAlike(series: Series, cutAt: number, normal: Normal, z: number): number {
  const past = scoredSince(series, Number.NEGATIVE_INFINITY, normal).filter(({ at }) => at < cutAt);
  const alike = past.filter((each) => each.z >= Math.max(quietZ, z / 2)).length;
  return alike === 0 ? 0 : (alike + 1) / (past.length + 1);
}

/** Of deviations in order, the second highest after the first few, less the highest of those. */
export function lastingOf(z: readonly number[], standing: number): number {
  const [highest = 0, second = highest] = z.slice(standing).toSorted((a, b) => b - a);
  return second - Math.max(0, ...z.slice(0, standing));
}

/** What is normal by what was before; undefined when that is too little. */
export function pastOf(series: Series, cutAt: number): Normal | undefined {
  const past = series.points.filter(([at]) => at < cutAt).map(([, value]) => value);
  return past.length < leastPast ? undefined : normalOf(past, floorOf(series.signal, past));
}

interface Scored {
  readonly at: number;
  readonly value: number;
  readonly z: number;
}

export function scoredSince(series: Series, cutAt: number, normal: Normal): Scored[] {
  return series.points
    .filter(([at]) => at >= cutAt)
    .map(([at, value]) => ({ at, value, z: zOf(value, normal, series.signal) }));
}

function floorOf(signal: Signal, past: readonly number[]): number {
  const least = feltLeast[signal] ?? 1e-9;
  // Shares of requests are felt by how many fail, wherever that usually is.
  if (signal === "availability" || signal === "errors") return least;
  return Math.max(Math.abs(median(past)) * feltShare, least);
}

function zOf(value: number, { middle, scale }: Normal, signal: Signal): number {
  const z = (value - middle) / scale;
  const { worse } = signals[signal];
  if (worse === "either") return Math.abs(z);
  return worse === "up" ? z : -z;
}

/** The time between two measurements, at the median. */
export function stepOf({ points }: Series): number {
  const gaps = points.slice(-20).flatMap(([at], index, all) => {
    const before = all[index - 1];
    return before === undefined ? [] : [at - before[0]];
  });
  gaps.sort((a, b) => a - b);
  return gaps.length === 0 ? 0 : quantile(gaps, 0.5);
}

/**
 * Of several statistics of one signal, the mean where there is one: means add up along calls, as explaining one node by
 * another supposes; percentiles do not, and are noisier.
 */
export function tellingOf(series: readonly Series[]): readonly Series[] {
  const named = (each: Series) => JSON.stringify([each.node, each.signal, each.operation ?? ""]);
  const withMean = new Set(series.filter(isMean).map(named));
  return series.filter((each) => isMean(each) || !withMean.has(named(each)));
}

function isMean({ name }: Series): boolean {
  return /\b(?:mean|avg|average)\b/i.test(name);
}
