/**
 * The limits of the policy, counted where all gateways count: calls in a stretch of time, and money, calls or tokens in a
 * period. A call that policy lets through reserves before its decision is recorded, and settles when its outcome is:
 *
 *   reserve → decision entry → forward → outcome entry → settle
 *
 * A gateway that dies in between leaves reservations behind, which count as spent: the calls may have taken effect. Every
 * agent of a delegation chain is counted: a delegated call has no more room than any agent it came through.
 */
import type { CallOutcome, EntryOrigin } from "../audit/index.ts";
import { err, type JsonObject, ok, type Result, splitToolId } from "../kernel/index.ts";
import { type Counter, counterKey, settleStored, take } from "../limits/index.ts";
import { type Limit, type LimitKey, tokensOf } from "../policy/index.ts";
import type { Log, StoredValues, Telemetry } from "../ports.ts";
import type { SharedState, StateChange } from "../state/index.ts";
import { type Entered, type Gate, lets, turnedAway } from "./admit.ts";
import type { Hold } from "./hold.ts";
import type { Asked, Judgement } from "./judge.ts";

export interface ReservationsParts {
  readonly state: SharedState;
  readonly log: Log;
  readonly telemetry: Pick<Telemetry, "count">;
  readonly origin: EntryOrigin;
  /** Names this life of the instance; no two are the same. */
  readonly run: string;
}

/** `settle` must follow, once, unless the reservation was refused. */
export type Reserved =
  | {
      readonly ok: true;
      /** Keys of the counters that are to be settled. */
      readonly budgets: readonly string[];
    }
  | { readonly ok: false; readonly hold: Hold };

/** No limit applies. */
const nothingReserved: Reserved = { ok: true, budgets: [] };

/** What a call takes of one counter. */
interface Claim {
  readonly key: string;
  readonly counter: Counter;
  readonly amount: number;
}

export class Reservations implements Gate {
  readonly #parts: ReservationsParts;

  constructor(parts: ReservationsParts) {
    this.#parts = parts;
  }

  async enter(asked: Asked, judgement: Judgement): Promise<Entered> {
    if (!lets(judgement)) return { judgement };
    const reserved = await this.reserve(asked, judgement.obliged.args);
    if (!reserved.ok) return turnedAway(asked, reserved.hold);
    if (reserved.budgets.length === 0) return { judgement };
    return { judgement, settle: (outcome) => this.settle(reserved, asked.callId, outcome) };
  }

  /** Counts the call, with these arguments, against every limit that looks at it, or against none of them. */
  async reserve(asked: Asked, args: JsonObject): Promise<Reserved> {
    const claims = claimsOf(asked, args);
    if (!claims.ok) return refused(claims.error);
    if (claims.value.length === 0) return nothingReserved;
    const { state, telemetry } = this.#parts;
    const reserved = await state.transact(
      claims.value.map(({ key }) => key),
      (values, nowMs) => this.#takeAll(claims.value, asked.callId, values, nowMs),
    );
    if (!reserved.ok)
      return refused(`the store is ${reserved.error.kind}: ${reserved.error.detail}`);
    const full = reserved.value.ok ? undefined : reserved.value.hold;
    if (full !== undefined && "limit" in full)
      telemetry.count("limit_refusals", { limit: full.limit.id });
    return reserved.value;
  }

  /** What did not happen costs nothing; what may have happened is charged. */
  async settle(reserved: Reserved, callId: string, outcome: CallOutcome): Promise<void> {
    if (!reserved.ok || reserved.budgets.length === 0) return;
    const { state, log } = this.#parts;
    const done = await state.transact(reserved.budgets, (values) => {
      const writes = new Map<string, JsonObject>();
      for (const key of reserved.budgets) {
        const after = settleStored(values.get(key), callId, outcome !== "not_sent");
        if (after !== undefined) writes.set(key, after);
      }
      return { writes, result: undefined };
    });
    // Left reserved, it counts as spent.
    if (!done.ok) log.write("error", "reservation_not_settled", { call: callId, ...done.error });
  }

  /** All or none. Of several limits that are full, the one that is full for longest is named. */
  #takeAll(
    claims: readonly Claim[],
    call: string,
    values: StoredValues,
    nowMs: number,
  ): StateChange<Reserved> {
    const { origin, run } = this.#parts;
    const writes = new Map<string, JsonObject>();
    const full: FullLimit[] = [];
    for (const { key, counter, amount } of claims) {
      const taker = { call, amount, instance: origin.instance, run };
      const taken = take(counter, values.get(key), nowMs, taker);
      if (taken === undefined)
        return unchanged(refused(`${key} is not stored as this Holdfast stores it`));
      if (taken.ok) writes.set(key, taken.stored);
      else full.push({ counter, amount, ...taken });
    }
    const longest = full.toSorted((a, b) => roomInMs(b) - roomInMs(a))[0];
    if (longest !== undefined) return unchanged({ ok: false, hold: holdOf(longest, nowMs) });
    const budgets = claims.filter(({ counter }) => counter.cap.kind === "budget");
    return { writes, result: { ok: true, budgets: budgets.map(({ key }) => key) } };
  }
}

function unchanged(result: Reserved): StateChange<Reserved> {
  return { writes: new Map(), result };
}

function refused(detail: string): Reserved {
  return { ok: false, hold: { kind: "limits_unknown", detail } };
}

/** The error says why it cannot be known how much the call takes. */
function claimsOf(asked: Asked, args: JsonObject): Result<readonly Claim[], string> {
  const { request, engine, tool } = asked;
  if (engine === undefined || engine.limits.length === 0) return ok([]);
  const claims = new Map<string, Claim>();
  const { agent, delegation } = request.identity;
  for (const one of new Set([agent, ...delegation]))
    for (const limit of engine.limitsOf(one, { name: tool.id, effect: tool.effect })) {
      const amount = amountOf(limit, asked, args);
      if (!amount.ok) return amount;
      const counter = { limit: limit.id, cap: limit.cap, each: namesOf(limit, one, asked) };
      const key = counterKey(counter);
      if (amount.value > 0) claims.set(key, { key, counter, amount: amount.value });
    }
  return ok([...claims.values()]);
}

function amountOf(
  { cap, id }: Limit,
  { tool, engine }: Asked,
  args: JsonObject,
): Result<number, string> {
  if (cap.kind === "rate" || cap.unit === "calls") return ok(1);
  if (cap.unit === "micro_usd") return ok(tool.costMicroUsd);
  const declared = engine?.tool(tool.id)?.tokens;
  const tokens = declared === undefined ? ok(0) : tokensOf(declared, args);
  return tokens.ok ? tokens : err(`for the limit ${id}, ${tokens.error}`);
}

/** An agent and a principal are those of their tenant; a call that has none of what is counted by is counted as "". */
function namesOf(
  { each }: Limit,
  agent: string,
  { request, tool }: Asked,
): Readonly<Record<string, string>> {
  const { tenant, principal = "", model = "" } = request.identity;
  const names: Readonly<Record<LimitKey, string>> = {
    tenant,
    agent,
    principal,
    model,
    upstream: splitToolId(tool.id).server,
    tool: tool.id,
  };
  const isOfTenant = each.includes("agent") || each.includes("principal");
  const keys = isOfTenant && !each.includes("tenant") ? (["tenant", ...each] as const) : each;
  return Object.fromEntries(keys.map((key) => [key, names[key]]));
}

interface FullLimit {
  readonly counter: Counter;
  readonly amount: number;
  readonly left: number;
  readonly roomInMs?: number;
}

function roomInMs({ roomInMs: ms = Number.POSITIVE_INFINITY }: FullLimit): number {
  return ms;
}

function holdOf({ counter, amount, left, roomInMs: ms }: FullLimit, nowMs: number): Hold {
  const room = ms === undefined ? {} : { roomInMs: ms, roomAtMs: nowMs + ms };
  return {
    kind: counter.cap.kind === "rate" ? "over_rate" : "over_budget",
    limit: { id: counter.limit, cap: counter.cap, each: counter.each, amount, left, ...room },
  };
}
