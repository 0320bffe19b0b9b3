/**
 * What an agent may do at most, counted where all gateways count: calls in a minute, and money in a day. A call that policy
 * lets through reserves before its decision is recorded, and settles when its outcome is:
 *
 *   reserve → decision entry → forward → outcome entry → settle
 *
 * A gateway that dies in between leaves reservations behind; its next run charges them when it next touches that budget,
 * because the calls may have taken effect. Every agent of a delegation chain is counted: a delegated call has no more room than any agent it came through.
 */
import type { CallOutcome, EntryOrigin } from "../audit/index.ts";
import type { JsonObject } from "../kernel/index.ts";
import {
  type Budget,
  budgetAt,
  budgetJson,
  committedMicroUsd,
  countedIn,
  type Reservation,
  rateWindowJson,
  readBudget,
  readRateWindow,
  retryAfterMs,
  settled,
  windowAt,
  withCall,
  withoutAbandoned,
  withReservation,
} from "../limits/index.ts";
import type { AgentLimit } from "../policy/index.ts";
import type { Log, StoredValues } from "../ports.ts";
import type { SharedState, StateChange } from "../state/index.ts";
import { type Entered, type Gate, lets, turnedAway } from "./admit.ts";
import type { Hold } from "./hold.ts";
import type { Asked, Judgement } from "./judge.ts";

export interface ReservationsParts {
  readonly state: SharedState;
  readonly log: Log;
  readonly origin: EntryOrigin;
  /** Names this life of the instance; no two are the same. */
  readonly run: string;
}

/** `settle` must follow, once, unless the reservation was refused. */
export type Reserved =
  | { readonly ok: true; readonly budgets: readonly string[] }
  | { readonly ok: false; readonly hold: Hold };

/** No limit applies. */
const nothingReserved: Reserved = { ok: true, budgets: [] };

const rateKey = (tenant: string, agent: string): string =>
  `limits/rate/${name(tenant)}/${name(agent)}`;
const budgetKey = (tenant: string, agent: string): string =>
  `limits/budget/${name(tenant)}/${name(agent)}`;
const name = encodeURIComponent;

/** One agent of the chain that has a limit. */
interface Limited extends AgentLimit {
  readonly agent: string;
  readonly rateKey: string;
  readonly budgetKey: string;
}

export class Reservations implements Gate {
  readonly #parts: ReservationsParts;

  constructor(parts: ReservationsParts) {
    this.#parts = parts;
  }

  async enter(asked: Asked, judgement: Judgement): Promise<Entered> {
    if (!lets(judgement)) return { judgement };
    const reserved = await this.reserve(asked);
    if (!reserved.ok) return turnedAway(asked, reserved.hold);
    if (reserved.budgets.length === 0) return { judgement };
    return { judgement, settle: (outcome) => this.settle(reserved, asked.callId, outcome) };
  }

  /** Counts the call against every limit that applies, or against none of them. */
  async reserve(asked: Asked): Promise<Reserved> {
    const limited = limitsFor(asked);
    if (limited.length === 0) return nothingReserved;
    const { state, origin, run } = this.#parts;
    const { instance } = origin;
    const reservation = { microUsd: asked.tool.costMicroUsd, instance, run };
    const reserved = await state.transact(
      limited.flatMap((each) => [each.rateKey, each.budgetKey]),
      (values, nowMs) => new Taking(values, asked.callId, reservation, nowMs).all(limited),
    );
    if (reserved.ok) return reserved.value;
    const detail = `the store is ${reserved.error.kind}: ${reserved.error.detail}`;
    return { ok: false, hold: { kind: "limits_unknown", detail } };
  }

  /** What did not happen costs nothing; what may have happened is charged. */
  async settle(reserved: Reserved, callId: string, outcome: CallOutcome): Promise<void> {
    if (!reserved.ok || reserved.budgets.length === 0) return;
    const { state, log } = this.#parts;
    const done = await state.transact(reserved.budgets, (values) =>
      changedBudgets(values, reserved.budgets, (budget) =>
        settled(budget, callId, outcome !== "not_sent"),
      ),
    );
    // Left reserved, it counts as spent until this gateway starts again.
    if (!done.ok) log.write("error", "reservation_not_settled", { call: callId, ...done.error });
  }
}

function limitsFor({ request, engine }: Asked): readonly Limited[] {
  if (engine === undefined) return [];
  const { agent, delegation, tenant } = request.identity;
  return [...new Set([agent, ...delegation])].flatMap((each) => {
    const limit = engine.limitsOf(each);
    if (limit.callsPerMinuteMax === undefined && limit.budgetMicroUsdPerDay === undefined)
      return [];
    const keys = { rateKey: rateKey(tenant, each), budgetKey: budgetKey(tenant, each) };
    return [{ ...limit, ...keys, agent: each }];
  });
}

/** One call's way through the limits of its chain. All or none: nothing is written unless every one has room. */
class Taking {
  readonly #values: StoredValues;
  readonly #call: string;
  readonly #reservation: Reservation;
  readonly #nowMs: number;
  readonly #writes = new Map<string, JsonObject>();
  readonly #budgets: string[] = [];

  constructor(values: StoredValues, call: string, reservation: Reservation, nowMs: number) {
    this.#values = values;
    this.#call = call;
    this.#reservation = reservation;
    this.#nowMs = nowMs;
  }

  all(limited: readonly Limited[]): StateChange<Reserved> {
    for (const each of limited) {
      const hold = this.#rate(each) ?? this.#budget(each);
      if (hold !== undefined) return { writes: new Map(), result: { ok: false, hold } };
    }
    return { writes: this.#writes, result: { ok: true, budgets: this.#budgets } };
  }

  #rate({ agent, callsPerMinuteMax: max, rateKey: key }: Limited): Hold | undefined {
    if (max === undefined) return undefined;
    const stored = readRateWindow(this.#values.get(key));
    if (stored === undefined) return misread(key);
    const window = windowAt(stored, this.#nowMs);
    if (countedIn(window) >= max)
      return { kind: "over_rate", agent, max, retryAfterMs: retryAfterMs(window) };
    this.#writes.set(key, rateWindowJson(withCall(window)));
    return undefined;
  }

  #budget({ agent, budgetMicroUsdPerDay: max, budgetKey: key }: Limited): Hold | undefined {
    const { microUsd, instance, run } = this.#reservation;
    if (max === undefined || microUsd === 0) return undefined;
    const stored = readBudget(this.#values.get(key));
    if (stored === undefined) return misread(key);
    const budget = budgetAt(withoutAbandoned(stored, instance, run), this.#nowMs);
    const leftMicroUsd = Math.max(0, max - committedMicroUsd(budget));
    if (microUsd > leftMicroUsd) return { kind: "over_budget", agent, max, leftMicroUsd, microUsd };
    this.#writes.set(key, budgetJson(withReservation(budget, this.#call, this.#reservation)));
    this.#budgets.push(key);
    return undefined;
  }
}

function misread(key: string): Hold {
  return { kind: "limits_unknown", detail: `${key} is not stored as this Holdfast stores it` };
}

function changedBudgets(
  values: StoredValues,
  keys: readonly string[],
  change: (budget: Budget) => Budget,
): StateChange<undefined> {
  const writes = new Map<string, JsonObject>();
  for (const key of keys) {
    const stored = readBudget(values.get(key));
    const changed = stored === undefined ? undefined : change(stored);
    if (changed !== undefined && changed !== stored) writes.set(key, budgetJson(changed));
  }
  return { writes, result: undefined };
}
