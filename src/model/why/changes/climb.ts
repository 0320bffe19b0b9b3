/** Whether a measurement began to climb when a change arrived, or climbed before: a leak is as old as what leaks. */
import type { NodeId } from "../../graph-words.ts";
import type { Departed, Trouble } from "./trouble.ts";

const minuteMs = 60_000;
/** What starts up measures as it usually does not. */
const settlingMs = 3 * minuteMs;
const windowMs = 60 * minuteMs;
const pointsMin = 12;
/** Standard deviations that the count of rises is from that of a series that goes nowhere. */
const trendMin = 2.5;
/** Of the way to its extreme so much is a climb, less a drift. */
const shareMin = 0.1;

export interface Climb {
  readonly departed: Departed;
  readonly began: "with it" | "before it";
}

/** Of the measurements of the target, until the trouble itself. */
export function climbAt(trouble: Trouble, target: NodeId, at: number): Climb | undefined {
  return trouble.departed
    .filter(({ node }) => node === target)
    .flatMap((departed): readonly Climb[] => {
      const before = isClimbing(departed, at - windowMs, at);
      const since = isClimbing(departed, at + settlingMs, Math.min(trouble.onsetAt, at + windowMs));
      if (before) return [{ departed, began: "before it" }];
      return since ? [{ departed, began: "with it" }] : [];
    })
    .sort((a, b) => (a.began < b.began ? -1 : Number(a.began > b.began)))[0];
}

/** In both halves, so that one step is no climb. */
function isClimbing({ series, departure }: Departed, fromAt: number, untilAt: number): boolean {
  const values = series.points.filter(([t]) => t >= fromAt && t < untilAt).map(([, v]) => v);
  if (values.length < pointsMin) return false;
  const way = departure.extreme - departure.before;
  const half = Math.floor(values.length / 2);
  const [early, late] = [values.slice(0, half), values.slice(half)];
  const rise = (mean(late) - mean(early)) * 2;
  return (
    rise / way >= shareMin &&
    [early, late].every((each) => trendOf(each) * Math.sign(way) >= trendMin)
  );
}

const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;

/** Mann and Kendall's test: how many more pairs rise than fall, in standard deviations of what chance does. */
export function trendOf(values: readonly number[]): number {
  const n = values.length;
  let rises = 0;
  for (let i = 0; i < n; i += 1)
    for (let k = i + 1; k < n; k += 1) rises += Math.sign((values[k] ?? 0) - (values[i] ?? 0));
  return rises / Math.sqrt((n * (n - 1) * (2 * n + 5)) / 18);
}
