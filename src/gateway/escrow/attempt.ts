/** What an attempt to carry out a held write came to, for its item. */

import type { CallOutcome } from "../../audit/index.ts";
import type { Attempt } from "../../escrow/index.ts";
import { exponentialMs } from "../../limits/index.ts";
import type { Governed, RefusalCode } from "../call.ts";

export interface Attempted {
  /** The upstream acts once on all requests of one key. */
  readonly honoured: boolean;
  /** Counts from 1. */
  readonly attempt: number;
}

/** Sent again with the same key so often when its effect is not known; then a person looks. */
const unknownAttemptsMax = 10;
const backoff = { baseMs: 500, maxMs: 60_000 };

/** Refusals that pass by themselves. Any other waits for a person: somebody stopped it, or the day's money is spent. */
const passing: ReadonlySet<RefusalCode> = new Set<RefusalCode>([
  "no_policy",
  "record_failed",
  "too_many_calls",
  "stopping",
  "kill_state_unknown",
  "no_permit",
  "degraded",
  "over_rate",
  "limits_unknown",
  "approvals_unknown",
  "approval_in_use",
  "breaker_open",
  "upstream_busy",
]);

/**
 * An upstream that works at this very key says 409 (draft-ietf-httpapi-idempotency-key-header, 2.7), one that has no room
 * 425 or 429, one that fails from 500 up. Whether anything happened then, only one that honours the key leaves open to
 * be asked again.
 */
const againStatus: ReadonlySet<number> = new Set([409, 425, 429]);

export function attemptOf(governed: Governed<unknown>, attempted: Attempted): Attempt {
  const { decision, forwarded } = governed;
  if (forwarded === undefined) return unsentOf(governed, attempted);
  const { outcome, detail = outcome, statusCode } = forwarded;
  switch (outcome) {
    case "ok":
      return { kind: "executed", note: `call ${decision.call_id}` };
    case "not_sent":
      return again(`not sent: ${detail}`, attempted);
    case "unknown":
      return unknown(detail, attempted);
    case "tool_error":
      if (statusCode !== undefined && statusCode >= 500) return unknown(detail, attempted);
      return attempted.honoured && againStatus.has(statusCode ?? 0)
        ? unknown(detail, attempted)
        : { kind: "failed", note: `the upstream refused it: ${detail}` };
  }
}

function unsentOf({ decision }: Governed<unknown>, attempted: Attempted): Attempt {
  const { refusal, reason, approval_id: approval } = decision;
  if (refusal === "outcome_unrecorded") return unknown(reason, attempted);
  if (refusal !== undefined)
    return passing.has(refusal)
      ? again(`${refusal}: ${reason}`, attempted)
      : { kind: "back", note: `${refusal}: ${reason}` };
  return decision.decision === "approval_needed"
    ? { kind: "back", note: `it needs approval first (${approval ?? "pending"}): ${reason}` }
    : { kind: "discarded", note: `policy ${decision.policy_version} denies it now: ${reason}` };
}

/** What the log says of an attempt whose process has died; absent: no entry let it through. */
export function attemptIn(fate: CallOutcome | undefined, attempted: Attempted): Attempt {
  const died = "the gateway ended while it had it in hand";
  switch (fate) {
    case undefined:
    case "not_sent":
      return { kind: "again", note: `${died}; nothing was sent`, waitMs: 0 };
    case "ok":
      return { kind: "executed", note: `${died}; the log has its outcome` };
    case "tool_error":
      return attempted.honoured
        ? unknown(`${died}; the upstream had answered with an error`, attempted)
        : { kind: "failed", note: `${died}; the upstream had answered with an error` };
    case "unknown":
      return unknown(`${died}, and no outcome is in its log`, attempted);
  }
}

/** An attempt whose gateway cannot be asked. */
export function attemptLost(instance: string, attempted: Attempted): Attempt {
  return unknown(`gateway ${instance} has it in hand and is silent; its log knows more`, attempted);
}

function again(note: string, { attempt }: Attempted): Attempt {
  return { kind: "again", note, waitMs: exponentialMs(backoff, attempt) };
}

function unknown(note: string, attempted: Attempted): Attempt {
  return attempted.honoured && attempted.attempt < unknownAttemptsMax
    ? again(`${note}; sent again under the same key`, attempted)
    : { kind: "unknown", note };
}
