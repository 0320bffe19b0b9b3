/** How long to wait before trying again. Chance is an argument, a number from 0 to 1 (1 excluded). */

export interface Backoff {
  /** Before the second try. */
  readonly baseMs: number;
  readonly maxMs: number;
}

/** `base`, twice that, four times, … up to `max`. `nth` counts from 1. */
export function exponentialMs({ baseMs, maxMs }: Backoff, nth: number): number {
  return Math.min(maxMs, baseMs * 2 ** Math.min(nth - 1, 40));
}

/** Between two tries of one call: anything from nothing to all, so that callers who failed together come back apart. */
export function fullJitterMs(backoff: Backoff, nth: number, chance: number): number {
  return Math.floor(exponentialMs(backoff, nth) * chance);
}

/** Until an upstream is asked anew: at least half, because a rest of nothing is no rest. */
export function halfJitterMs(backoff: Backoff, nth: number, chance: number): number {
  const whole = exponentialMs(backoff, nth);
  return Math.ceil(whole / 2 + (whole / 2) * chance);
}
