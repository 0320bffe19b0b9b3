/** What stops a call whatever policy says, in the words of the answer and the record. */
import { type BreakerOf, breakerName, type Cap, type Switch, scopeText } from "../limits/index.ts";
import type { Verdict } from "../policy/index.ts";
import type { Decision, RefusalCode } from "./call.ts";
import { isoTime } from "./record.ts";

/** An override token that is not good for this call, and why. */
export type OverrideRefusal =
  | "override_forged"
  | "override_other_agent"
  | "override_other_tool"
  | "override_other_arguments"
  | "override_replayed"
  | "override_expired"
  | "override_revoked"
  | "override_superseded"
  | "override_unknown";

/** Why a call must not be forwarded. */
export type Hold =
  | { readonly kind: "paused" | "dry_run"; readonly by: Switch }
  | { readonly kind: "kill_state_unknown" | "limits_unknown"; readonly detail: string }
  | {
      readonly kind: "declined" | "approval_expired" | "approval_in_use";
      readonly approvalId: string;
      readonly detail: string;
    }
  | {
      readonly kind:
        | OverrideRefusal
        | "no_permit"
        | "degraded"
        | "too_many_approvals"
        | "approval_too_large"
        | "approvals_unknown"
        | "read_only"
        | "escrow_full"
        | "escrow_unknown";
      readonly detail: string;
    }
  | { readonly kind: "over_rate" | "over_budget"; readonly limit: HeldByLimit }
  | {
      readonly kind: "breaker_open";
      readonly of: BreakerOf;
      readonly cause: string;
      /** Undefined: people opened it, and people close it. */
      readonly retryAfterMs: number | undefined;
    }
  | {
      readonly kind: "upstream_busy";
      readonly upstream: string;
      readonly max: number;
      readonly retryAfterMs: number;
    };

/** The limit that has no room for the call. */
export interface HeldByLimit {
  readonly id: string;
  readonly cap: Cap;
  /** Whom it counts. */
  readonly each: Readonly<Record<string, string>>;
  /** What the call would take, and what is left, in the unit of the cap. */
  readonly amount: number;
  readonly left: number;
  /** Until there is room, and when that is; absent: never, as the limit is declared. */
  readonly roomInMs?: number;
  readonly roomAtMs?: number;
}

export function holdCode({ kind }: Hold): RefusalCode {
  return kind;
}

/** One sentence for the answer and the record. */
export function holdReason(hold: Hold): string {
  switch (hold.kind) {
    case "paused":
      return `paused by ${hold.by.by} (kill switch ${hold.by.id}, ${scopeText(hold.by.scope)}): ${hold.by.reason}`;
    case "dry_run":
      return `dry run by ${hold.by.by} (kill switch ${hold.by.id}, ${scopeText(hold.by.scope)}): ${hold.by.reason}`;
    case "kill_state_unknown":
      return `the state of the kill switch is not known, so nothing is written: ${hold.detail}`;
    case "limits_unknown":
      return `what is used of the limits is not known: ${hold.detail}`;
    case "approvals_unknown":
      return `whether people have approved this is not known: ${hold.detail}`;
    case "over_rate":
    case "over_budget":
      return limitReason(hold.limit);
    case "breaker_open":
      return breakerReason(hold);
    case "upstream_busy":
      return `${hold.max} calls are under way at ${hold.upstream} (calls_in_flight_max)`;
    default:
      return hold.detail;
  }
}

function breakerReason({ of, cause, retryAfterMs }: Hold & { readonly kind: "breaker_open" }) {
  const until =
    retryAfterMs === undefined
      ? "until people close its breaker"
      : `for ${Math.ceil(retryAfterMs / 1_000)} s more`;
  return `${breakerName(of)} is not called ${until}: ${cause}`;
}

function limitReason({ id, cap, each, amount, left, roomInMs, roomAtMs }: HeldByLimit): string {
  const names = Object.entries(each).map(([by, name]) => `${by} ${name || "unknown"}`);
  const whom = names.length === 0 ? "" : ` for ${names.join(", ")}`;
  if (cap.kind === "rate") {
    const room =
      roomInMs === undefined ? "it allows none" : `there is room again in ${secondsOf(roomInMs)} s`;
    return `the limit ${id} (${cap.callsMax} calls in ${cap.windowSeconds} s) is full${whom}: ${room}`;
  }
  const { unit, max, period } = cap;
  const asked = unit === "calls" ? "" : `; this call takes ${inUnit(amount, unit)}`;
  const room =
    roomAtMs === undefined ? "it never has that much" : `it begins anew at ${isoTime(roomAtMs)}`;
  return `the limit ${id} has ${inUnit(left, unit)} left of ${inUnit(max, unit)} a ${period}${whom}${asked}; ${room}`;
}

function inUnit(amount: number, unit: "micro_usd" | "calls" | "tokens"): string {
  return unit === "micro_usd" ? usd(amount) : `${amount} ${unit}`;
}

function secondsOf(ms: number): number {
  return Math.max(1, Math.ceil(ms / 1_000));
}

/** What the answer says beside the reason: the approval that the hold is about, the limit that is full, or when it ends. */
export function aboutHold(hold: Hold): Pick<Decision, "approval_id" | "limit" | "retry_after_ms"> {
  if (hold.kind === "breaker_open" || hold.kind === "upstream_busy")
    return hold.retryAfterMs === undefined ? {} : { retry_after_ms: Math.ceil(hold.retryAfterMs) };
  if ("approvalId" in hold) return { approval_id: hold.approvalId };
  if (!("limit" in hold)) return {};
  const { id, cap, left, roomInMs } = hold.limit;
  const room = roomInMs === undefined ? {} : { room_in_seconds: secondsOf(roomInMs) };
  return { limit: { id, left, unit: cap.kind === "rate" ? "calls" : cap.unit, ...room } };
}

/** The verdict in the record of a call that was stopped before policy was asked. */
export function heldVerdict(hold: Hold): Verdict {
  return {
    outcome: "deny",
    reason: holdReason(hold),
    determiningRules: [],
    indeterminate: [],
    obligations: [],
    opened: false,
  };
}

/** `0.25 USD`; at most six places. */
function usd(microUsd: number): string {
  const text = (microUsd / 1_000_000).toFixed(6).replace(/0+$/, "").replace(/\.$/, "");
  return `${text} USD`;
}
