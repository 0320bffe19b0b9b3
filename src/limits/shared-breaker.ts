/**
 * A change of a breaker as gateways share it, so that a restart, or another gateway, knows what one has learnt. Stored are
 * only breakers that are open (or half-open, when their time is over), and for a moment those that have closed. Times are
 * of the wall clock: whoever reads one is never made to wait longer than the opening was to last, however wrong a clock is.
 */
import { isWellFormed, type JsonObject } from "../kernel/index.ts";

export interface SharedBreaker {
  /** Names this change; the next of the same breaker has another. */
  readonly id: string;
  readonly state: "open" | "closed";
  /** Since 1970, UTC. */
  readonly sinceMs: number;
  /** `null`: until people close it. Closed: 0. */
  readonly openMs: number | null;
  /** How often it has opened in a row. Closed: 0. */
  readonly times: number;
  readonly cause: string;
  /** The gateway, or the person, that opened or closed it. */
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

/** How long it stays open from `wallMs` on; 0 when it is half-open or closed, undefined when nothing but people end it. */
export function openForMs({ sinceMs, openMs }: SharedBreaker, wallMs: number): number | undefined {
  if (openMs === null) return undefined;
  return Math.min(openMs, Math.max(0, sinceMs + openMs - wallMs));
}

export function sharedBreakerJson(shared: SharedBreaker): JsonObject {
  const { id, state, sinceMs, openMs, times, cause, by } = shared;
  return { id, state, since_ms: sinceMs, open_ms: openMs, times, cause, by };
}

/** Undefined for what is not stored as this Holdfast stores it. */
export function readSharedBreaker(stored: JsonObject): SharedBreaker | undefined {
  const { id, state, since_ms: sinceMs, open_ms: openMs, times, cause, by } = stored;
  if (typeof id !== "string" || typeof cause !== "string" || typeof by !== "string")
    return undefined;
  if (state !== "open" && state !== "closed") return undefined;
  if (!isCount(sinceMs) || !isCount(times) || (openMs !== null && !isCount(openMs)))
    return undefined;
  return { id, state, sinceMs, openMs, times, cause, by };
}

/**
 * What the store holds after this gateway's breaker changed to `own`, from `known`, the newest change that it had seen. A
 * change that it had not seen goes before its closing. Of two openings one stays: that which people made, else that which
 * lasts longer.
 */
export function keptChange(
  stored: SharedBreaker | undefined,
  own: SharedBreaker,
  known: string | undefined,
  wallMs: number,
): SharedBreaker {
  if (stored === undefined || stored.id === known || stored.state === "closed") return own;
  if (own.state === "closed") return stored;
  const left = openForMs(stored, wallMs);
  const ownLeft = openForMs(own, wallMs) ?? Number.POSITIVE_INFINITY;
  return left === undefined || left >= ownLeft ? stored : own;
}

function isCount(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}
