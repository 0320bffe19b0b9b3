/**
 * At most so many calls in any stretch of time of one length, counted in slots of a sixtieth of it. A slot is forgotten
 * when all of it is older than that length, so what is counted is never less than the calls of the last window, and at
 * most those of a slot more.
 */
import { isJsonArray, type JsonObject } from "../kernel/index.ts";

export interface RateWindow {
  /** The newest slot, counted since 1970. */
  readonly newest: number;
  /** Calls by slot, the newest first. */
  readonly counts: readonly number[];
}

/** At most so many calls in any stretch of time of this length. */
export interface Rate {
  readonly callsMax: number;
  readonly windowSeconds: number;
}

const windowSlots = 60;

export const emptyWindow: RateWindow = { newest: 0, counts: [] };

/** Sixty of them are no shorter than the window. */
export function slotMsOf(windowSeconds: number): number {
  return Math.ceil((windowSeconds * 1_000) / windowSlots);
}

/**
 * The window at this moment. While a clock that went back has not caught up, no time passes. One that is more than a
 * window behind will not catch up soon: counting goes on from where it is now, and what was counted stays.
 */
export function windowAt(window: RateWindow, slotMs: number, nowMs: number): RateWindow {
  const now = Math.floor(nowMs / slotMs);
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

/** The window with one call more; or, when it is full, the time until there is room. A rate of nothing never has any. */
export function takeCall(
  before: RateWindow,
  { callsMax, windowSeconds }: Rate,
  nowMs: number,
): { readonly window: RateWindow } | { readonly roomInMs?: number } {
  const slotMs = slotMsOf(windowSeconds);
  const window = windowAt(before, slotMs, nowMs);
  if (countedIn(window) < callsMax) return { window: withCall(window) };
  return callsMax === 0 ? {} : { roomInMs: sinksToMs(window, slotMs, callsMax - 1) - nowMs };
}

/** One call more in the newest slot of `windowAt`. */
function withCall({ newest, counts }: RateWindow): RateWindow {
  const [first = 0, ...rest] = counts;
  return { newest, counts: [first + 1, ...rest] };
}

/** When no more than `most` calls are counted any more, if none is added; to the millisecond, of `windowAt`. */
export function sinksToMs({ newest, counts }: RateWindow, slotMs: number, most: number): number {
  let left = counts.reduce((sum, count) => sum + count, 0);
  let oldest = counts.length - 1;
  while (left > most && oldest >= 0) left -= counts[oldest--] ?? 0;
  // The slot `oldest + 1` is the last that must go, and goes when all of it is older than the window.
  return (newest - (oldest + 1) + windowSlots + 1) * slotMs;
}

export function rateWindowJson({ newest, counts }: RateWindow): JsonObject {
  return { newest, counts: [...counts] };
}

/** Undefined for what is not stored as this Holdfast stores it. */
export function readRateWindow(stored: JsonObject): RateWindow | undefined {
  const { newest, counts } = stored;
  if (!isCount(newest) || !isJsonArray(counts) || !counts.every(isCount)) return undefined;
  return counts.length > windowSlots + 1 ? undefined : { newest, counts };
}

function isCount(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}
