/**
 * At most so many calls in any minute, counted in slots of a second. A slot is forgotten when all of it is more than a
 * minute old, so what is counted is never less than the calls of the last minute, and at most those of a second more.
 */
import { isJsonArray, type JsonObject } from "../kernel/index.ts";

export interface RateWindow {
  /** The second (since 1970) of the newest slot. */
  readonly newest: number;
  /** Calls by slot, the newest first. */
  readonly counts: readonly number[];
}

const windowSlots = 60;

export const emptyWindow: RateWindow = { newest: 0, counts: [] };

/**
 * The window at this moment. While a clock that went back has not caught up, no time passes. One that is more than a
 * minute behind will not catch up soon: counting goes on from where it is now, and what was counted stays.
 */
export function windowAt(window: RateWindow, nowMs: number): RateWindow {
  const now = Math.floor(nowMs / 1_000);
  if (now < window.newest - windowSlots) return { newest: now, counts: window.counts };
  if (now < window.newest) return window;
  const passed = Math.min(now - window.newest, windowSlots + 1);
  const counts = [...new Array<number>(passed).fill(0), ...window.counts];
  return { newest: now, counts: trimmed(counts.slice(0, windowSlots + 1)) };
}

/** Zeros at the end say nothing. */
function trimmed(counts: readonly number[]): readonly number[] {
  return counts.slice(0, counts.findLastIndex((count) => count > 0) + 1);
}

export function countedIn({ counts }: RateWindow): number {
  return counts.reduce((sum, count) => sum + count, 0);
}

/** One call more in the newest slot of `windowAt`. */
export function withCall({ newest, counts }: RateWindow): RateWindow {
  const [first = 0, ...rest] = counts;
  return { newest, counts: [first + 1, ...rest] };
}

/** Until the oldest calls leave the window, at least a second. */
export function retryAfterMs({ counts }: RateWindow): number {
  return Math.max(1, windowSlots + 2 - counts.length) * 1_000;
}

export function rateWindowJson({ newest, counts }: RateWindow): JsonObject {
  return { newest, counts: [...counts] };
}

/** Undefined for what is not stored as this Holdfast stores it. */
export function readRateWindow(stored: JsonObject | undefined): RateWindow | undefined {
  if (stored === undefined) return emptyWindow;
  const { newest, counts } = stored;
  if (!isCount(newest) || !isJsonArray(counts) || !counts.every(isCount)) return undefined;
  return counts.length > windowSlots + 1 ? undefined : { newest, counts };
}

function isCount(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}
