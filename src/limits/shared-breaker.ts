/**
 * An open breaker as gateways share it. It is stored while it is open or half-open and removed when it closes, so that a
 * restart, or another gateway, knows what one has learnt. Times are of the wall clock: whoever reads one is never made
 * to wait longer than the opening was to last, however wrong a clock is.
 */
import { isWellFormed, type JsonObject } from "../kernel/index.ts";

export interface SharedBreaker {
  /** Names this opening; a newer one of the same breaker has another. */
  readonly id: string;
  /** Since 1970, UTC. */
  readonly sinceMs: number;
  /** `null`: until people close it. */
  readonly openMs: number | null;
  /** How often it has opened in a row. */
  readonly times: number;
  readonly cause: string;
  /** The gateway, or the person, that opened it. */
  readonly by: string;
}

/** What a breaker is of: an upstream, or one of its tools. */
export interface BreakerOf {
  readonly upstream: string;
  readonly tool?: string;
}

export const breakerPrefix = "breaker/";

const keyCharactersMax = 512;

/** Undefined for a tool whose name does not fit a key; its breaker is this gateway's alone. */
export function breakerKey({ upstream, tool }: BreakerOf): string | undefined {
  if (tool !== undefined && !isWellFormed(tool)) return undefined;
  const ofTool = tool === undefined ? "" : `/${encodeURIComponent(tool)}`;
  const key = breakerPrefix + encodeURIComponent(upstream) + ofTool;
  return key.length > keyCharactersMax ? undefined : key;
}

export function readBreakerKey(key: string): BreakerOf | undefined {
  const [upstream = "", tool, ...rest] = key.slice(breakerPrefix.length).split("/");
  if (!key.startsWith(breakerPrefix) || upstream === "" || rest.length > 0) return undefined;
  try {
    return tool === undefined
      ? { upstream: decodeURIComponent(upstream) }
      : { upstream: decodeURIComponent(upstream), tool: decodeURIComponent(tool) };
  } catch {
    return undefined;
  }
}

/** `payments`, or `payments:POST /payments`. */
export function breakerName({ upstream, tool }: BreakerOf): string {
  return tool === undefined ? upstream : `${upstream}:${tool}`;
}

/** How long it stays open from `wallMs` on; 0 when it is half-open. */
export function openForMs({ sinceMs, openMs }: SharedBreaker, wallMs: number): number | undefined {
  if (openMs === null) return undefined;
  return Math.min(openMs, Math.max(0, sinceMs + openMs - wallMs));
}

export function sharedBreakerJson(shared: SharedBreaker): JsonObject {
  const { id, sinceMs, openMs, times, cause, by } = shared;
  return { id, since_ms: sinceMs, open_ms: openMs, times, cause, by };
}

/** Undefined for what is not stored as this Holdfast stores it. */
export function readSharedBreaker(stored: JsonObject): SharedBreaker | undefined {
  const { id, since_ms: sinceMs, open_ms: openMs, times, cause, by } = stored;
  if (typeof id !== "string" || typeof cause !== "string" || typeof by !== "string")
    return undefined;
  if (!isCount(sinceMs) || !isCount(times) || times < 1) return undefined;
  if (openMs !== null && !isCount(openMs)) return undefined;
  return { id, sinceMs, openMs, times, cause, by };
}

/**
 * What the store holds after this gateway's breaker opened. Of two gateways that saw the same failure at the same time,
 * one opening stays: that which people made, else that which lasts longer.
 */
export function keptOpening(
  stored: SharedBreaker | undefined,
  own: SharedBreaker,
  known: string | undefined,
  wallMs: number,
): SharedBreaker {
  if (stored === undefined || stored.id === known || stored.id === own.id) return own;
  const left = openForMs(stored, wallMs);
  return left === undefined || left >= (openForMs(own, wallMs) ?? Number.POSITIVE_INFINITY)
    ? stored
    : own;
}

function isCount(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}
