/** How good predictions were: those with an outcome, compared with it. */
import type { Prediction } from "./prediction.ts";
import { proportion, type Share } from "./share.ts";

export interface Calibration {
  readonly predictions: number;
  readonly settled: number;
  /**
   * Mean squared difference between predicted and actual share (G. W. Brier, 1950): 0 is perfect; always saying a half is
   * 0.25 at most. Null where nothing is settled.
   */
  readonly brier: number | null;
  /** Of the intervals, how many held the actual share; 0.95 is meant. */
  readonly coverage: Share | null;
  /** More than five points of traffic too little, or too much. */
  readonly under: number;
  readonly over: number;
  /** Mean of actual minus predicted. */
  readonly bias: number | null;
  /** Mean Jaccard index of predicted and actual services. */
  readonly services: number | null;
}

/** Shares that differ by less are called right. */
const marginShare = 0.05;

export function calibrationOf(predictions: readonly Prediction[]): Calibration {
  const settled = predictions.flatMap((each) =>
    each.outcome === null ? [] : [{ ...each, outcome: each.outcome }],
  );
  const errors = settled.map(({ share, outcome }) => outcome.share - share.value);
  const held = settled.filter(
    ({ share, outcome }) => outcome.share >= share.low && outcome.share <= share.high,
  );
  return {
    predictions: predictions.length,
    settled: settled.length,
    brier: mean(errors.map((error) => error * error)),
    coverage: settled.length === 0 ? null : proportion(held.length, settled.length),
    under: errors.filter((error) => error > marginShare).length,
    over: errors.filter((error) => error < -marginShare).length,
    bias: mean(errors),
    services: mean(settled.map((each) => jaccard(each.services, each.outcome.services))),
  };
}

/** By kind of change, most predictions first. */
export function calibrationByChange(
  predictions: readonly Prediction[],
): ReadonlyMap<string, Calibration> {
  const kinds = [...new Set(predictions.map(({ change }) => change))];
  return new Map(
    kinds
      .map((kind) => {
        const of = predictions.filter(({ change }) => change === kind);
        return [kind, calibrationOf(of)] as const;
      })
      .sort(([a, one], [b, two]) => two.predictions - one.predictions || (a < b ? -1 : 1)),
  );
}

function mean(values: readonly number[]): number | null {
  if (values.length === 0) return null;
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function jaccard(one: readonly string[], two: readonly string[]): number {
  const [a, b] = [new Set(one), new Set(two)];
  const both = [...a].filter((each) => b.has(each)).length;
  const either = new Set([...a, ...b]).size;
  return either === 0 ? 1 : both / either;
}
