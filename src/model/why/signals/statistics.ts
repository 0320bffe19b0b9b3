/** Robust statistics: one outlier in four of the past does not change what is normal. */

/** The value below which `share` of the sorted values lie; NaN of none. */
export function quantile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN;
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const half = sorted.length / 2;
  const [low, high] = [sorted[Math.ceil(half) - 1], sorted[Math.floor(half)]];
  return ((low ?? Number.NaN) + (high ?? Number.NaN)) / 2;
}

export interface Normal {
  readonly middle: number;
  /** A standard deviation, if the past were normally distributed without its outliers. */
  readonly scale: number;
}

/** 1.4826 makes the median absolute deviation of a normal distribution its standard deviation. */
const madToDeviation = 1.4826;

/** What is normal by the past; `floor` is the least deviation that matters, so that a constant past is not infinitely sure. */
export function normalOf(past: readonly number[], floor: number): Normal {
  const middle = median(past);
  const spread = madToDeviation * median(past.map((value) => Math.abs(value - middle)));
  return { middle, scale: Math.max(spread, floor) };
}

/**
 * Nats that a deviation of z speaks for a cause: noise of production has heavy tails, under which the likelihood of a
 * deviation falls with a power of it, so that evidence grows with its logarithm. Below `quiet` there is none.
 */
export function natsOf(z: number, quiet = 3): number {
  return z <= quiet ? 0 : Math.log1p(z - quiet);
}

/**
 * Nats by which k events in n runs and `pastK` in `pastN` are likelier under two rates than under one (Poisson): evidence
 * that the rate has changed, which few runs on either side cannot give.
 */
export function rateChangeNats(k: number, n: number, pastK: number, pastN: number): number {
  const term = (events: number, runs: number) =>
    events === 0 ? 0 : events * Math.log(events / runs);
  return Math.max(0, term(k, n) + term(pastK, pastN) - term(k + pastK, n + pastN));
}

/** The median of values that stand for several each. */
export function weightedMedian(
  values: readonly (readonly [value: number, weight: number])[],
): number {
  const sorted = values.toSorted(([a], [b]) => a - b);
  const half = sorted.reduce((sum, [, weight]) => sum + weight, 0) / 2;
  let below = 0;
  for (const [value, weight] of sorted) {
    below += weight;
    if (below >= half) return value;
  }
  return Number.NaN;
}
