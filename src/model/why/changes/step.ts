/** Whether a measurement took a step when a change arrived, before the trouble itself: small then, and the same way. */
import type { NodeId } from "../../graph-words.ts";
import { median, normalOf } from "../signals/statistics.ts";
import type { Departed, Trouble } from "./trouble.ts";

const minuteMs = 60_000;
/** What starts up measures as it usually does not: the first minutes after an arrival are left out. */
const settlingMs = 3 * minuteMs;
const windowMs = 45 * minuteMs;
const pointsMin = 5;
/** What moves less than this many deviations of its past, or a tenth, has not moved. */
const deviationsMin = 8;
const shareMin = 0.1;

export interface StepTaken {
  readonly departed: Departed;
  readonly before: number;
  readonly after: number;
}

/** Of the measurements of the target that are in trouble later. Memory begins anew with every start, and tells nothing. */
export function stepAt(trouble: Trouble, target: NodeId, at: number): StepTaken | undefined {
  return trouble.departed
    .filter(({ node, series }) => node === target && series.signal !== "memory")
    .flatMap((departed) => stepOf(departed, at, trouble.onsetAt) ?? [])[0];
}

function stepOf(departed: Departed, at: number, onsetAt: number): StepTaken | undefined {
  const values = (from: number, until: number): readonly number[] =>
    departed.series.points.filter(([t]) => t >= from && t < until).map(([, value]) => value);
  const before = values(at - windowMs, at);
  const after = values(at + settlingMs, Math.min(onsetAt, departed.at, at + windowMs));
  if (before.length < pointsMin || after.length < pointsMin) return undefined;
  const normal = normalOf(before, Math.max(1e-9, Math.abs(median(before)) * 0.02));
  const moved = median(after) - normal.middle;
  const way = Math.sign(departed.departure.extreme - departed.departure.before);
  const isFar =
    Math.abs(moved) >= Math.max(deviationsMin * normal.scale, shareMin * Math.abs(normal.middle));
  if (!isFar || Math.sign(moved) !== way) return undefined;
  return { departed, before: normal.middle, after: median(after) };
}
