/** Since when a measurement has left its past, also where it left slowly. */
import type { Series } from "../../event.ts";
import { median, normalOf } from "../signals/statistics.ts";

/** A leak moves a little a minute: it began when a twentieth of the way was gone, and did not turn back. */
const begunShare = 0.05;
/** What moves less than this many deviations of its past has not left it. */
const deviationsMin = 8;
/** The first part of what is known, but at least so many measurements, is the past. */
const pastShare = 0.2;
const pastPointsMin = 5;

export interface Departure {
  readonly at: number;
  readonly before: number;
  readonly extreme: number;
}

/** Absent when it never left its past for good, or when too little is known. */
export function departureOf({ points }: Series): Departure | undefined {
  const pastCount = Math.max(pastPointsMin, Math.floor(points.length * pastShare));
  if (points.length <= pastCount) return undefined;
  const values = points.map(([, value]) => value);
  const past = values.slice(0, pastCount);
  const normal = normalOf(past, Math.max(1e-9, Math.abs(median(past)) * 0.02));
  const smooth = values.map((_, i) => median(values.slice(Math.max(0, i - 1), i + 2)));
  const farthest = smooth.reduce(
    (best, value, i) =>
      Math.abs(value - normal.middle) > Math.abs((smooth[best] ?? 0) - normal.middle) ? i : best,
    0,
  );
  const extreme = smooth[farthest] ?? normal.middle;
  const way = extreme - normal.middle;
  if (Math.abs(way) < deviationsMin * normal.scale) return undefined;
  let begun = farthest;
  while (begun > 0 && ((smooth[begun - 1] ?? 0) - normal.middle) / way > begunShare) begun -= 1;
  return { at: points[begun]?.[0] ?? 0, before: normal.middle, extreme };
}

/** What was usual until a moment, and the worst that came after it, both without single outliers. */
export function onsetPast({ points }: Series, at: number): { usual: number; worst: number } {
  const before = points.filter(([t]) => t < at).map(([, value]) => value);
  const after = points.filter(([t]) => t >= at).map(([, value]) => value);
  const sorted = after.toSorted((a, b) => a - b);
  return {
    usual: median(before),
    worst: sorted[Math.max(0, Math.floor(sorted.length * 0.9) - 1)] ?? Number.NaN,
  };
}
