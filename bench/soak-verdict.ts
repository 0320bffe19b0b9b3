/** Whether something grew: judged by the slope over the last two thirds, so that warming up does not count. */

/** What the probe says of the gateway, once a sample. */
export interface GatewaySample {
  readonly rssBytes: number;
  /** After a garbage collection. */
  readonly heapUsedBytes: number;
  /** Held outside the heap by objects on it: buffers. */
  readonly externalBytes: number;
  readonly fds: number;
  /** Timers, sockets, requests: what keeps the event loop alive. */
  readonly handles: number;
  /** Beyond what was asked for, since the last sample. */
  readonly lagP99Ms: number;
}

export interface Point {
  readonly minutes: number;
  readonly value: number;
}

/** How much more at the end than at the start is still noise: the greater of the two. */
export interface Tolerance {
  readonly share: number;
  readonly absolute: number;
}

export interface Trend {
  readonly perHour: number;
  /** Over the judged part of the run, along the fitted line. */
  readonly grewBy: number;
  readonly allowed: number;
  readonly grows: boolean;
}

/**
 * Fits the median of all pairwise slopes (Theil and Sen), which a few outliers do not bend. Needs at least 6 points in the
 * last two thirds; with fewer nothing can be said, and it throws.
 */
export function trendOf(points: readonly Point[], tolerance: Tolerance): Trend {
  const end = points.at(-1)?.minutes ?? 0;
  const start = points[0]?.minutes ?? 0;
  const late = points.filter(({ minutes }) => minutes >= start + (end - start) / 3);
  if (late.length < 6) throw new Error(`${late.length} samples are too few for a verdict`);
  const slopes = late.flatMap((a, i) =>
    late.slice(i + 1).map((b) => (b.value - a.value) / (b.minutes - a.minutes)),
  );
  const perMinute = median(slopes);
  const grewBy = perMinute * (end - (late[0]?.minutes ?? end));
  const level = median(late.map(({ value }) => value));
  const allowed = Math.max(tolerance.share * level, tolerance.absolute);
  return { perHour: perMinute * 60, grewBy, allowed, grows: grewBy > allowed };
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}
