/**
 * What an agent may spend in a day (UTC), in millionths of a US dollar. A call reserves its estimate under its own id
 * before it is decided, and settles when its outcome is known; what is reserved counts as spent, so nothing is
 * overspent whatever runs at once.
 */
import { isJsonObject, type JsonObject } from "../kernel/index.ts";

export interface Budget {
  /** Days since 1970 (UTC); a later day begins at nothing spent. */
  readonly day: number;
  readonly spentMicroUsd: number;
  /** By call id. */
  readonly reserved: Readonly<Record<string, Reservation>>;
}

export interface Reservation {
  readonly microUsd: number;
  /** Who settles it. */
  readonly instance: string;
  /** In which of its lives: a later one finds what an earlier one left behind. */
  readonly run: string;
}

const dayMs = 86_400_000;

export const emptyBudget: Budget = { day: 0, spentMicroUsd: 0, reserved: {} };

/** The budget on this day. A clock that went back begins no day anew. What is still reserved counts on. */
export function budgetAt(budget: Budget, nowMs: number): Budget {
  const day = Math.floor(nowMs / dayMs);
  return day > budget.day ? { ...budget, day, spentMicroUsd: 0 } : budget;
}

/** Spent and reserved. */
export function committedMicroUsd({ spentMicroUsd, reserved }: Budget): number {
  return Object.values(reserved).reduce((sum, { microUsd }) => sum + microUsd, spentMicroUsd);
}

export function withReservation(budget: Budget, call: string, reservation: Reservation): Budget {
  return { ...budget, reserved: { ...budget.reserved, [call]: reservation } };
}

/** The call is over. `charged`: it took effect, or may have. A call that is not reserved changes nothing. */
export function settled(budget: Budget, call: string, charged: boolean): Budget {
  const { [call]: own, ...reserved } = budget.reserved;
  if (own === undefined) return budget;
  const spentMicroUsd = budget.spentMicroUsd + (charged ? own.microUsd : 0);
  return { ...budget, spentMicroUsd, reserved };
}

/** What earlier runs of `instance` left reserved when they died may have taken effect, so it is charged. */
export function withoutAbandoned(budget: Budget, instance: string, run: string): Budget {
  const left = Object.entries(budget.reserved).filter(
    ([, each]) => each.instance === instance && each.run !== run,
  );
  return left.reduce((rest, [call]) => settled(rest, call, true), budget);
}

export function budgetJson({ day, spentMicroUsd, reserved }: Budget): JsonObject {
  return {
    day,
    spent_micro_usd: spentMicroUsd,
    reserved: Object.fromEntries(
      Object.entries(reserved).map(([call, { microUsd, instance, run }]) => [
        call,
        { micro_usd: microUsd, instance, run },
      ]),
    ),
  };
}

/** Undefined for what is not stored as this Holdfast stores it. */
export function readBudget(stored: JsonObject | undefined): Budget | undefined {
  if (stored === undefined) return emptyBudget;
  const { day, spent_micro_usd: spentMicroUsd, reserved } = stored;
  if (!isAmount(day) || !isAmount(spentMicroUsd) || !isJsonObject(reserved)) return undefined;
  const read: Record<string, Reservation> = {};
  for (const [call, each] of Object.entries(reserved)) {
    if (!isJsonObject(each)) return undefined;
    const { micro_usd: microUsd, instance, run } = each;
    if (!isAmount(microUsd) || typeof instance !== "string" || typeof run !== "string")
      return undefined;
    read[call] = { microUsd, instance, run };
  }
  return { day, spentMicroUsd, reserved: read };
}

function isAmount(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}
