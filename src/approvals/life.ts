/** What happens to an approval beside votes: asked, asked again, claimed by a call, settled, run out, taken back. */
import type { Approval, Question } from "./approval.ts";

export interface Asking {
  readonly id: string;
  readonly instance: string;
  /** How long people may take; null: for ever. */
  readonly validMs: number | null;
  readonly useWithinMs: number;
  readonly afterUnknown: string | null;
}

export function asked(question: Question, asking: Asking, nowMs: number): Approval {
  const { id, instance, validMs, useWithinMs, afterUnknown } = asking;
  return {
    ...question,
    ...{ v: 1, id, version: 1, state: "pending", instance, asked_ms: nowMs },
    expires_ms: validMs === null ? null : nowMs + validMs,
    use_within_ms: useWithinMs,
    asks: 1,
    votes: [],
    ...{ grant: null, claim: null, told: false, closed_ms: null, closed_because: null },
    after_unknown: afterUnknown,
  };
}

/** The same once more: people see how often, and are not asked twice. */
export function askedAgain(approval: Approval): Approval {
  return { ...approval, asks: approval.asks + 1 };
}

/** As it is at this moment: a question nobody answered in time and a grant nobody used have expired. */
export function presently(approval: Approval, nowMs: number): Approval {
  const { state, expires_ms, grant } = approval;
  if (state === "pending" && expires_ms !== null && nowMs >= expires_ms)
    return closed(approval, "expired", "nobody answered in time", nowMs);
  if (state === "granted" && grant !== null && nowMs >= grant.expires_ms)
    return closed(approval, "expired", "it was granted, and not used in time", nowMs);
  return approval;
}

/** The grant is this call's, and no other's, until `settled`. */
export function claimed(approval: Approval, claim: NonNullable<Approval["claim"]>): Approval {
  return { ...approval, state: "claimed", claim, version: approval.version + 1 };
}

/** What became of the call that holds the grant: it took effect, it was not sent, or nobody knows. */
export type Settlement = "done" | "not_sent" | "unknown";

/** The same approval when `call` does not hold it. */
export function settled(
  approval: Approval,
  call: string,
  settlement: Settlement,
  nowMs: number,
): Approval {
  if (approval.state !== "claimed" || approval.claim?.call !== call) return approval;
  if (settlement === "not_sent")
    return { ...approval, state: "granted", claim: null, version: approval.version + 1 };
  return settlement === "done"
    ? closed(approval, "used", `used by call ${call}`, nowMs)
    : closed(approval, "unknown", `call ${call} may have taken effect`, nowMs);
}

/**
 * By people, before it was used. One that a call holds may have taken effect, so nobody knows: how people end a hold whose
 * gateway does not come back. The same approval when there is nothing to take back.
 */
export function revoked(approval: Approval, because: string, nowMs: number): Approval {
  const { state, claim } = approval;
  if (state === "claimed" && claim !== null) {
    const held = `call ${claim.call} of gateway ${claim.instance} held it and may have taken effect`;
    return closed(approval, "unknown", `${because}; ${held}`, nowMs);
  }
  return state === "granted" || state === "pending"
    ? closed(approval, "revoked", because, nowMs)
    : approval;
}

/** By nobody's vote, and so it says why: nobody is asked more than they can read. The same approval when it is not pending. */
export function turnedDown(approval: Approval, because: string, nowMs: number): Approval {
  return approval.state === "pending" ? closed(approval, "declined", because, nowMs) : approval;
}

function closed(
  approval: Approval,
  state: Approval["state"],
  because: string,
  nowMs: number,
): Approval {
  const version = approval.version + 1;
  return { ...approval, state, version, closed_ms: nowMs, closed_because: because };
}
