/** What stops a call whatever policy says, in the words of the answer and the record. */
import { type Switch, scopeText } from "../limits/index.ts";
import type { Verdict } from "../policy/index.ts";
import type { RefusalCode } from "./call.ts";

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
      readonly kind: OverrideRefusal | "too_many_approvals" | "approvals_unknown";
      readonly detail: string;
    }
  | {
      readonly kind: "over_rate";
      readonly agent: string;
      /** Calls in a minute. */
      readonly max: number;
      readonly retryAfterMs: number;
    }
  | {
      readonly kind: "over_budget";
      readonly agent: string;
      /** In a day (UTC), like the two below in millionths of a US dollar. */
      readonly max: number;
      readonly leftMicroUsd: number;
      readonly microUsd: number;
    };

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
      return `what the agent has used of its limits is not known: ${hold.detail}`;
    case "approvals_unknown":
      return `whether people have approved this is not known: ${hold.detail}`;
    case "over_rate":
      return `${hold.agent} has made its ${hold.max} calls of this minute (calls_per_minute_max); there is room again in ${Math.ceil(hold.retryAfterMs / 1_000)} s`;
    case "over_budget":
      return `the call is estimated at ${usd(hold.microUsd)}, and ${hold.agent} has ${usd(hold.leftMicroUsd)} left of ${usd(hold.max)} today (budget_micro_usd_per_day)`;
    default:
      return hold.detail;
  }
}

/** The approval that the hold is about, if any. */
export function holdApproval(hold: Hold): string | null {
  return "approvalId" in hold ? hold.approvalId : null;
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
