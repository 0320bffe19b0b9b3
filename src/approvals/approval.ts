/**
 * An approval: one action that policy lets through only when people say yes, from the question to what became of it.
 *
 *   pending → granted → claimed → used
 *        ↘ declined, expired      ↘ granted again (nothing was sent), unknown (it may have been)
 *
 * Field names are those of the wire; a value is stored, shown and recorded as it stands here. Times are milliseconds on
 * the clock of the store.
 */
import { isJsonObject, type JsonObject } from "../kernel/index.ts";

export type ApprovalState =
  | "pending"
  | "granted"
  /** A call holds the grant, and its outcome is not known yet. */
  | "claimed"
  | "used"
  | "declined"
  | "expired"
  /** Granted, and taken back before it was used. */
  | "revoked"
  /** The call that held the grant may have taken effect; nobody knows. */
  | "unknown";

/** The exact action that is approved, and nothing else. */
export interface BoundAction {
  readonly tenant: string;
  readonly agent: string;
  readonly delegation: readonly string[];
  readonly principal: string | null;
  readonly tool: string;
  /** Of the arguments as the agent sent them. */
  readonly args_digest: string;
}

/** So many different people of these groups; no groups named: any approver. */
export interface Requirement {
  readonly groups: readonly string[];
  readonly count: number;
}

export interface Vote {
  readonly approver: string;
  readonly verdict: "approve" | "decline";
  readonly reason: string;
  /** The approver's groups when the vote was cast. */
  readonly groups: readonly string[];
  /** `cli`, `api`, `page`, `slack`, … */
  readonly channel: string;
  readonly at_ms: number;
}

/** What people are asked, complete: whoever decides sees this and nothing less. */
export interface Question extends BoundAction {
  readonly model: string | null;
  readonly effect: "read" | "write";
  readonly risk: "low" | "high" | "critical";
  readonly args_redacted: JsonObject;
  readonly cost_estimate_micro_usd: number;
  readonly definition_digest: string | null;
  readonly policy_version: string;
  readonly determining_rules: readonly string[];
  /** Why policy wants people to look. */
  readonly reason: string;
  readonly requirements: readonly Requirement[];
  /** Low-risk questions that may be answered together. */
  readonly batch: boolean;
}

export interface Approval extends Question {
  readonly v: 1;
  readonly id: string;
  /** Grows with every change. */
  readonly version: number;
  readonly state: ApprovalState;
  /** The gateway that asked, and records the answer. */
  readonly instance: string;
  readonly asked_ms: number;
  /** Nobody may answer after it; null: it waits for ever. */
  readonly expires_ms: number | null;
  /** How long a grant may be used. */
  readonly use_within_ms: number;
  /** How often the agent asked the same. */
  readonly asks: number;
  readonly votes: readonly Vote[];
  readonly grant: {
    readonly jti: string;
    readonly at_ms: number;
    readonly expires_ms: number;
  } | null;
  readonly claim: { readonly call: string; readonly instance: string; readonly run: string } | null;
  /** The agent was told that it was declined. */
  readonly told: boolean;
  readonly closed_ms: number | null;
  /** Why it was closed, where no vote says it. */
  readonly closed_because: string | null;
  /** Declined in favour of other arguments: what the agent may ask instead, and the approval that waits for it. */
  readonly superseded_by?: { readonly id: string; readonly args: JsonObject };
  /** The approval of the same action before this one, when that may have taken effect. */
  readonly after_unknown: string | null;
}

const states: ReadonlySet<unknown> = new Set<ApprovalState>([
  "pending",
  "granted",
  "claimed",
  "used",
  "declined",
  "expired",
  "revoked",
  "unknown",
]);

/** Closed approvals are history: nothing changes them any more. */
export function isClosed({ state }: Pick<Approval, "state">): boolean {
  return state !== "pending" && state !== "granted" && state !== "claimed";
}

/**
 * An approval as it is stored; undefined for what this Holdfast did not write. The store is trusted to give back what was
 * written, so the check is for another version's form, not for malice.
 */
export function readApproval(stored: JsonObject | undefined): Approval | undefined {
  if (stored === undefined || stored["v"] !== 1 || !states.has(stored["state"])) return undefined;
  const { id, votes, requirements, grant, claim } = stored;
  if (typeof id !== "string" || !Array.isArray(votes) || !Array.isArray(requirements))
    return undefined;
  if (grant !== null && !isJsonObject(grant)) return undefined;
  if (claim !== null && !isJsonObject(claim)) return undefined;
  return stored as unknown as Approval;
}

export function approvalJson(approval: Approval): JsonObject {
  return approval as unknown as JsonObject;
}
