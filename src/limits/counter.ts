/**
 * Counters of declared limits: one for each limit, what it counts, and whom it counts apart. A counter is stored with its
 * cap as the newest call saw it, so that whoever reads the store alone knows how full it is.
 */
import { isJsonObject, isWellFormed, type JsonObject, sha256Hex } from "../kernel/index.ts";
import {
  type Budget,
  budgetAt,
  budgetJson,
  committed,
  emptyBudget,
  readBudget,
  settled,
  withoutAbandoned,
  withReservation,
} from "./budget.ts";
import { type Period, periodEndMs } from "./period.ts";
import {
  countedIn,
  emptyWindow,
  type Rate,
  rateWindowJson,
  readRateWindow,
  sinksToMs,
  slotMsOf,
  takeCall,
  windowAt,
} from "./rate-window.ts";

/** How much of what, in which time; as policy declares it. */
export type Cap =
  | ({ readonly kind: "rate" } & Rate)
  | {
      readonly kind: "budget";
      readonly unit: "micro_usd" | "calls" | "tokens";
      readonly max: number;
      readonly period: Period;
    };

export interface Counter {
  /** The limit's id. */
  readonly limit: string;
  readonly cap: Cap;
  /** Whom it counts: by name, in one order. Empty: everybody. */
  readonly each: Readonly<Record<string, string>>;
}

export const counterPrefix = "limits/count/";

/** A longer key is made short by its digest. */
const keyCharactersMax = 400;

/** A limit that counts something else, or in another time, counts anew. */
export function counterKey({ limit, cap, each }: Counter): string {
  const measure =
    cap.kind === "rate" ? `calls-in-${cap.windowSeconds}-s` : `${cap.unit}-per-${cap.period}`;
  const parts = [limit, measure, ...Object.entries(each).map(([by, name]) => `${by}=${name}`)];
  if (parts.every(isWellFormed)) {
    const key = counterPrefix + parts.map(encodeURIComponent).join("/");
    if (key.length <= keyCharactersMax) return key;
  }
  return `${counterPrefix}sha256-${sha256Hex(JSON.stringify(parts))}`;
}

/** One call on its way. */
export interface Taker {
  readonly call: string;
  /** In the unit of the cap; a rate counts calls whatever stands here. */
  readonly amount: number;
  readonly instance: string;
  readonly run: string;
}

export type Taken =
  | { readonly ok: true; readonly stored: JsonObject }
  | {
      readonly ok: false;
      readonly left: number;
      /** When there is room for this call, if none comes between; absent: never, as the limit is declared. */
      readonly roomInMs?: number;
    };

/** Counts the call, or says what is left. Undefined for what is not stored as this Holdfast stores it. */
export function take(
  counter: Counter,
  stored: JsonObject | undefined,
  nowMs: number,
  taker: Taker,
): Taken | undefined {
  const { cap } = counter;
  if (cap.kind === "rate") {
    const window = stored === undefined ? emptyWindow : readRateWindow(stored);
    if (window === undefined) return undefined;
    const taken = takeCall(window, cap, nowMs);
    return "window" in taken
      ? { ok: true, stored: counterJson(counter, rateWindowJson(taken.window)) }
      : { ok: false, left: 0, ...taken };
  }
  const read = stored === undefined ? emptyBudget : readBudget(stored);
  if (read === undefined) return undefined;
  const { call, amount, instance, run } = taker;
  const budget = budgetAt(withoutAbandoned(read, instance, run), cap.period, nowMs);
  const left = Math.max(0, cap.max - committed(budget));
  if (amount <= left) {
    const reserved = withReservation(budget, call, { amount, instance, run });
    return { ok: true, stored: counterJson(counter, budgetJson(reserved)) };
  }
  if (amount > cap.max) return { ok: false, left };
  return { ok: false, left, roomInMs: periodEndMs(cap.period, budget.startMs) - nowMs };
}

function counterJson({ limit, cap, each }: Counter, counted: JsonObject): JsonObject {
  const declared: JsonObject =
    cap.kind === "rate"
      ? { calls_max: cap.callsMax, window_seconds: cap.windowSeconds }
      : { unit: cap.unit, max: cap.max, period: cap.period };
  return { limit, each: { ...each }, ...declared, ...counted };
}

/** Ends what a call reserved of a budget. Undefined where nothing is to be changed. */
export function settleStored(
  stored: JsonObject | undefined,
  call: string,
  charged: boolean,
): JsonObject | undefined {
  const budget = stored === undefined ? undefined : readBudget(stored);
  if (budget === undefined) return undefined;
  const after = settled(budget, call, charged);
  return after === budget ? undefined : { ...stored, ...budgetJson(after) };
}

/** How full a counter is. */
export interface CounterUse extends Counter {
  readonly used: number;
  readonly max: number;
  readonly left: number;
  /** When nothing of it will be counted any more, if no call comes. */
  readonly resetsAtMs: number;
  /** Of a full rate: when there is room for a call. */
  readonly roomAtMs?: number;
}

/** At this moment, by the cap that the newest call saw. Undefined for what is not stored as this Holdfast stores it. */
export function useOf(stored: JsonObject, nowMs: number): CounterUse | undefined {
  const counter = readCounter(stored);
  if (counter === undefined) return undefined;
  const { cap } = counter;
  if (cap.kind === "budget") {
    const read = readBudget(stored);
    return read && budgetUse(counter, cap, budgetAt(read, cap.period, nowMs));
  }
  const read = readRateWindow(stored);
  if (read === undefined) return undefined;
  const slotMs = slotMsOf(cap.windowSeconds);
  const window = windowAt(read, slotMs, nowMs);
  const used = countedIn(window);
  const left = Math.max(0, cap.callsMax - used);
  return {
    ...counter,
    used,
    max: cap.callsMax,
    left,
    resetsAtMs: used === 0 ? nowMs : sinksToMs(window, slotMs, 0),
    ...(left > 0 || cap.callsMax === 0
      ? {}
      : { roomAtMs: sinksToMs(window, slotMs, cap.callsMax - 1) }),
  };
}

function budgetUse(
  counter: Counter,
  { max, period }: Extract<Cap, { kind: "budget" }>,
  budget: Budget,
): CounterUse {
  const used = committed(budget);
  const resetsAtMs = periodEndMs(period, budget.startMs);
  return { ...counter, used, max, left: Math.max(0, max - used), resetsAtMs };
}

function readCounter(stored: JsonObject): Counter | undefined {
  const { limit, each } = stored;
  const cap = readCap(stored);
  if (typeof limit !== "string" || !isJsonObject(each) || cap === undefined) return undefined;
  const names = Object.entries(each);
  if (!names.every(([, name]) => typeof name === "string")) return undefined;
  return { limit, cap, each: each as Readonly<Record<string, string>> };
}

function readCap({
  calls_max: callsMax,
  window_seconds: windowSeconds,
  unit,
  max,
  period,
}: JsonObject): Cap | undefined {
  if (typeof callsMax === "number" && typeof windowSeconds === "number" && windowSeconds > 0)
    return { kind: "rate", callsMax, windowSeconds };
  if (unit !== "micro_usd" && unit !== "calls" && unit !== "tokens") return undefined;
  if (period !== "day" && period !== "week" && period !== "month") return undefined;
  return typeof max === "number" ? { kind: "budget", unit, max, period } : undefined;
}
