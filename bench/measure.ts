/** Numbers with their trials: a figure without its spread and its baseline says little. */

import { Random } from "../src/sim/index.ts";

/** One measured thing: each trial's value, in the order they ran. */
export interface Measured {
  /** What, in words. */
  readonly what: string;
  readonly unit: string;
  readonly trials: readonly number[];
  readonly median: number;
  /** The row of this run that `ratio` compares to. */
  readonly baseline?: string;
  readonly ratio?: number;
}

export function measured(
  what: string,
  unit: string,
  trials: readonly number[],
  baseline?: Measured,
): Measured {
  const median = quantile(trials, 0.5);
  const compared = baseline && { baseline: baseline.what, ratio: median / baseline.median };
  return { what, unit, trials, median, ...compared };
}

/** The nearest rank; `values` need not be sorted. NaN when there are none. */
export function quantile(values: readonly number[], q: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))] ?? Number.NaN;
}

/** Runs `work` in `lanes` at once until `durationMs` are over; how long each took, in ms. */
export async function load(
  lanes: number,
  durationMs: number,
  work: () => Promise<void>,
): Promise<{ readonly latenciesMs: readonly number[]; readonly perSecond: number }> {
  const latenciesMs: number[] = [];
  const start = performance.now();
  const lane = async (): Promise<void> => {
    for (let now = performance.now(); now < start + durationMs; ) {
      await work();
      const end = performance.now();
      latenciesMs.push(end - now);
      now = end;
    }
  };
  await Promise.all(Array.from({ length: lanes }, lane));
  const perSecond = latenciesMs.length / ((performance.now() - start) / 1_000);
  return { latenciesMs, perSecond };
}

/**
 * Starts `work` at random moments (Poisson), `perSecond` on average, whether or not what was started before has ended.
 * How long each took, in ms, from the moment it was due: a late start counts. Starts are looked for every millisecond.
 */
export async function openLoop(
  perSecond: number,
  seconds: number,
  seed: number,
  work: () => Promise<void>,
): Promise<readonly number[]> {
  const random = new Random(seed + 1);
  const latenciesMs: number[] = [];
  const running: Promise<void>[] = [];
  const start = performance.now();
  for (let due = start; due < start + seconds * 1_000; ) {
    for (; due <= performance.now(); due += gapMs(random, perSecond)) {
      const dueAt = due;
      running.push(work().then(() => void latenciesMs.push(performance.now() - dueAt)));
    }
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  await Promise.all(running);
  return latenciesMs;
}

function gapMs(random: Random, perSecond: number): number {
  return (-Math.log(1 - random.next() / 2 ** 32) * 1_000) / perSecond;
}
