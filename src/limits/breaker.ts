/**
 * A circuit breaker: stops calling what keeps failing, asks again after a while, and goes on when an answer comes.
 *
 *   closed ──failures──▶ open ──time──▶ half-open ──an answer──▶ closed
 *                          ▲                 │
 *                          └────a failure────┘   (longer each time, up to a bound)
 *
 * Pure: `nowMs` never decreases, and chance is an argument.
 */
import { type Backoff, halfJitterMs } from "./backoff.ts";
import {
  countedOutcomes,
  emptyFailureWindow,
  type FailureWindow,
  withOutcome,
} from "./failure-window.ts";

export interface BreakerSettings {
  /** So many failures with no answer between them open it. */
  readonly failuresInRowMax: number;
  /** So does this share of the calls in the window, */
  readonly failureRatioMax: number;
  /** when there were at least so many. */
  readonly callsMin: number;
  readonly windowMs: number;
  /** How long it stays open: the first time, and at most. */
  readonly open: Backoff;
  /** Calls that may be under way while it is half-open. */
  readonly probesMax: number;
}

/** Each state carries only what it needs. `times`: how often it has opened in a row. */
export type Breaker =
  | {
      readonly kind: "closed";
      readonly failuresInRow: number;
      readonly window: FailureWindow;
      /** Opening again before `untilMs` goes on counting from here. */
      readonly lately?: { readonly times: number; readonly untilMs: number };
    }
  /** Without `untilMs`: until people close it. */
  | {
      readonly kind: "open";
      readonly times: number;
      readonly cause: string;
      readonly untilMs: number | undefined;
    }
  | {
      readonly kind: "half_open";
      readonly times: number;
      readonly cause: string;
      readonly sinceMs: number;
      /** When each call that is under way began. */
      readonly probes: readonly number[];
    };

/** What became of a call that was let through. `probe` is what `askBreaker` gave it. */
export type BreakerEvent =
  /** An answer came, whatever it says. */
  | { readonly kind: "answered"; readonly probe: number }
  | { readonly kind: "failed"; readonly probe: number; readonly cause: string }
  /** The upstream answered that it wants to be left alone for a while (RFC 9110 10.2.3). */
  | {
      readonly kind: "told_to_wait";
      readonly probe: number;
      readonly cause: string;
      readonly ms: number;
    }
  /** It was not made, or says nothing about who was called. */
  | { readonly kind: "unsaid"; readonly probe: number };

export const closedBreaker: Breaker & { readonly kind: "closed" } = {
  kind: "closed",
  failuresInRow: 0,
  window: emptyFailureWindow,
};

/** `probe` is 0 for a call through a closed breaker, else the opening it is to end. */
export type BreakerAnswer =
  | { readonly pass: true; readonly probe: number }
  | { readonly pass: false; readonly retryAfterMs: number | undefined; readonly cause: string };

/**
 * Whether a call may be made now; if so, its event must follow. `waits`: it may be a probe only when the breaker was
 * half-open for so long and no other call came to be one.
 */
export function askBreaker(
  breaker: Breaker,
  nowMs: number,
  settings: BreakerSettings,
  waits = 0,
): readonly [Breaker, BreakerAnswer] {
  const now = breakerAt(breaker, nowMs);
  if (now.kind === "closed") return [now, { pass: true, probe: 0 }];
  const { cause, times } = now;
  if (now.kind === "open") {
    const retryAfterMs = now.untilMs === undefined ? undefined : now.untilMs - nowMs;
    return [now, { pass: false, retryAfterMs, cause }];
  }
  // A probe that never ends must not keep the breaker from ever asking again.
  const probes = now.probes.filter((beganMs) => nowMs - beganMs < settings.open.maxMs);
  const waitedMs = nowMs - now.sinceMs;
  const retryAfterMs = Math.max(settings.open.baseMs, waits - waitedMs);
  if (probes.length >= settings.probesMax || waitedMs < waits)
    return [
      { ...now, probes },
      { pass: false, retryAfterMs, cause },
    ];
  return [
    { ...now, probes: [...probes, nowMs] },
    { pass: true, probe: times },
  ];
}

/** The breaker after an event. */
export function nextBreaker(
  breaker: Breaker,
  event: BreakerEvent,
  nowMs: number,
  settings: BreakerSettings,
  chance: number,
): Breaker {
  const now = breakerAt(breaker, nowMs);
  if (now.kind === "open") return now;
  if (now.kind === "closed")
    // A probe of an opening that is over tells of a time that is over.
    return event.probe === 0 ? afterCall(now, event, nowMs, settings, chance) : now;
  // Calls from before it opened come back late; only its own probes say how it is now.
  if (event.probe !== now.times) return now;
  switch (event.kind) {
    case "unsaid":
      return { ...now, probes: now.probes.slice(1) };
    case "answered": {
      const lately = { times: now.times, untilMs: nowMs + settings.windowMs };
      return { ...closedBreaker, lately };
    }
    case "failed":
      return opened(now.times + 1, event.cause, nowMs, settings, chance);
    case "told_to_wait":
      return waiting(now.times + 1, event, nowMs, settings);
  }
}

function afterCall(
  closed: Breaker & { readonly kind: "closed" },
  event: BreakerEvent,
  nowMs: number,
  settings: BreakerSettings,
  chance: number,
): Breaker {
  if (event.kind === "unsaid") return closed;
  const { lately } = closed;
  const times = lately === undefined || nowMs >= lately.untilMs ? 1 : lately.times + 1;
  if (event.kind === "told_to_wait") return waiting(times, event, nowMs, settings);
  const failed = event.kind === "failed";
  const failuresInRow = failed ? closed.failuresInRow + 1 : 0;
  const window = withOutcome(closed.window, failed, nowMs, settings.windowMs);
  if (failed && (failuresInRow >= settings.failuresInRowMax || isOverRatio(window, settings)))
    return opened(times, event.cause, nowMs, settings, chance);
  return { ...closed, failuresInRow, window };
}

function isOverRatio(window: FailureWindow, { callsMin, failureRatioMax }: BreakerSettings) {
  const { calls, failures } = countedOutcomes(window);
  return calls >= callsMin && failures / calls >= failureRatioMax;
}

function opened(
  times: number,
  cause: string,
  nowMs: number,
  { open }: BreakerSettings,
  chance: number,
): Breaker {
  return { kind: "open", times, cause, untilMs: nowMs + halfJitterMs(open, times, chance) };
}

/** What it asked for is done, up to the longest this breaker ever stays open. */
function waiting(
  times: number,
  { cause, ms }: { readonly cause: string; readonly ms: number },
  nowMs: number,
  { open }: BreakerSettings,
): Breaker {
  return { kind: "open", times, cause, untilMs: nowMs + Math.min(ms, open.maxMs) };
}

/** The breaker at this moment: time alone opens one half. */
export function breakerAt(breaker: Breaker, nowMs: number): Breaker {
  if (breaker.kind !== "open" || breaker.untilMs === undefined || nowMs < breaker.untilMs)
    return breaker;
  const { times, cause, untilMs } = breaker;
  return { kind: "half_open", times, cause, sinceMs: untilMs, probes: [] };
}
