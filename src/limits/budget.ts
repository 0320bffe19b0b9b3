/**
 * What may be spent in a period: money, calls or tokens. A call reserves its estimate under its own id before it is
 * decided, and settles when its outcome is known; what is reserved counts as spent, so nothing is overspent whatever runs
 * at once. A call belongs to the period in which it reserved.
 */
import { isJsonObject, type JsonObject } from "../kernel/index.ts";
import { type Period, periodStartMs } from "./period.ts";

export interface Budget {
  /** When the period began; a later one begins at nothing spent. */
  readonly startMs: number;
  readonly spent: number;
  /** By call id. */
  readonly reserved: Readonly<Record<string, Reservation>>;
}

export interface Reservation {
  readonly amount: number;
  /** Who settles it. */
  readonly instance: string;
  /** In which of its lives: a later one finds what an earlier one left behind. */
  readonly run: string;
}

export const emptyBudget: Budget = { startMs: 0, spent: 0, reserved: {} };

/** The budget at this moment. A clock that went back begins no period anew. */
export function budgetAt(budget: Budget, period: Period, nowMs: number): Budget {
  const startMs = periodStartMs(period, nowMs);
  return startMs > budget.startMs ? { startMs, spent: 0, reserved: {} } : budget;
}

/** Spent and reserved. */
export function committed({ spent, reserved }: Budget): number {
  return Object.values(reserved).reduce((sum, { amount }) => sum + amount, spent);
}

/** Reservations at most. Of more, those of gateways that never came back, the oldest is charged. */
const reservedMax = 1_024;

export function withReservation(budget: Budget, call: string, reservation: Reservation): Budget {
  const calls = Object.keys(budget.reserved);
  if (calls.length < reservedMax)
    return { ...budget, reserved: { ...budget.reserved, [call]: reservation } };
  // Ids of calls are in the order of time.
  const oldest = calls.reduce((first, each) => (each < first ? each : first));
  return withReservation(settled(budget, oldest, true), call, reservation);
}

/** The call is over. `charged`: it took effect, or may have. A call that is not reserved changes nothing. */
export function settled(budget: Budget, call: string, charged: boolean): Budget {
  const { [call]: own, ...reserved } = budget.reserved;
  if (own === undefined) return budget;
  return { ...budget, spent: budget.spent + (charged ? own.amount : 0), reserved };
}

/** What earlier runs of `instance` left reserved when they died may have taken effect, so it is charged. */
export function withoutAbandoned(budget: Budget, instance: string, run: string): Budget {
  const left = Object.entries(budget.reserved).filter(
    ([, each]) => each.instance === instance && each.run !== run,
  );
  return left.reduce((rest, [call]) => settled(rest, call, true), budget);
}

export function budgetJson({ startMs, spent, reserved }: Budget): JsonObject {
  return {
    start_ms: startMs,
    spent,
    reserved: Object.fromEntries(
      Object.entries(reserved).map(([call, { amount, instance, run }]) => [
        call,
        { amount, instance, run },
      ]),
    ),
  };
}

/** Undefined for what is not stored as this Holdfast stores it. */
export function readBudget(stored: JsonObject): Budget | undefined {
  const { start_ms: startMs, spent, reserved } = stored;
  if (!isAmount(startMs) || !isAmount(spent) || !isJsonObject(reserved)) return undefined;
  const read: Record<string, Reservation> = {};
  for (const [call, each] of Object.entries(reserved)) {
    if (!isJsonObject(each)) return undefined;
    const { amount, instance, run } = each;
    if (!isAmount(amount) || typeof instance !== "string" || typeof run !== "string")
      return undefined;
    read[call] = { amount, instance, run };
  }
  return { startMs, spent, reserved: read };
}

function isAmount(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}
