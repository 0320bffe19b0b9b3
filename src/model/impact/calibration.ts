/** How good predictions were: those with an outcome, compared with it. */
import type { Outcome, Prediction } from "./prediction.ts";
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
  /** Of probabilities, service by service; null where none was said of anything that is settled. */
  readonly feelings: FeelingCalibration | null;
}

export interface FeelingCalibration {
  /** Probabilities that are settled: a service that felt what nothing was said of counts as 0 that was said. */
  readonly said: number;
  readonly brier: number;
  /** Of predictions, how many had as many services feel it as was expected, within 95 %. */
  readonly coverage: Share;
  /** Services that felt it although the opposite was more probable, and the other way round. */
  readonly under: number;
  readonly over: number;
}

/** Shares that differ by less are called right. */
const marginShare = 0.05;

export function calibrationOf(predictions: readonly Prediction[]): Calibration {
  const settled = predictions.flatMap((each): readonly Settled[] =>
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
    feelings: feelingCalibration(settled),
  };
}

type Settled = Prediction & { readonly outcome: Outcome };

function feelingCalibration(settled: readonly Settled[]): FeelingCalibration | null {
  const each = settled.flatMap(({ feelings, outcome }) =>
    feelings === undefined ? [] : [told(feelings, outcome.services)],
  );
  const all = each.flat();
  if (all.length === 0) return null;
  const held = each.filter(isCountExpected).length;
  return {
    said: all.length,
    brier: mean(all.map(({ probability, felt }) => (Number(felt) - probability) ** 2)) ?? 0,
    coverage: proportion(held, each.length),
    under: all.filter(({ probability, felt }) => felt && probability < 0.5).length,
    over: all.filter(({ probability, felt }) => !felt && probability >= 0.5).length,
  };
}

interface Told {
  readonly probability: number;
  readonly felt: boolean;
}

function told(
  feelings: NonNullable<Prediction["feelings"]>,
  services: readonly string[],
): readonly Told[] {
  const said = new Set(feelings.map(({ service }) => service));
  return [
    ...feelings.map(({ service, probability }) => ({
      probability,
      felt: services.includes(service),
    })),
    ...services.filter((each) => !said.has(each)).map(() => ({ probability: 0, felt: true })),
  ];
}

/** Of a normal distribution, for 95 of 100. */
const z = 1.96;

/** As if services felt it each for itself; they do not, so that coverage below 95 % says how much they feel together. */
function isCountExpected(all: readonly Told[]): boolean {
  const sum = (of: (each: Told) => number) => all.reduce((total, each) => total + of(each), 0);
  const spread = Math.sqrt(sum(({ probability: p }) => p * (1 - p)));
  const difference = sum(({ felt, probability }) => Number(felt) - probability);
  // A count is whole: within half of one it is the nearest that there is.
  return Math.abs(difference) <= Math.max(0.5, z * spread);
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
