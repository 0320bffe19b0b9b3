/**
 * The record of one failover (AG-403 4.6): opened before anything is validated, and closed when traffic goes on or the
 * site is given up. It lives in the guard's log as steps; this is what they add up to. One that never closes is itself
 * an alarm.
 */
import type { ProbeAnswer } from "../gate/answer.ts";
import type { GatePhase } from "../gate/gate-state.ts";
import type { DegradedTier } from "../manifest/manifest.ts";

export interface FailoverStart {
  /** `fo-…` */
  readonly failover: string;
  readonly deployment: string;
  readonly tenant: string;
  readonly site: string;
  readonly planned: boolean;
  /** What moved the traffic: one of `mechanisms`, or the name of an orchestrator that is not among them. */
  readonly mechanism: string;
  readonly cause: string;
  readonly detector: string;
  readonly source_site: string | null;
  readonly target_site: string;
  /** RFC 3339: when it began, as far as the mechanism knows. */
  readonly initiated: string;
}

/** What was compared to see whether acknowledged records were lost. */
export interface WatermarkFinding {
  /** `ledger/<origin>` or `store/<name>`. */
  readonly of: string;
  readonly witnessed: string;
  readonly observed: string;
  readonly lost: boolean;
}

export interface ResidencyFinding {
  readonly data_class: string;
  readonly decision: "same_jurisdiction" | "approved_transfer" | "deny";
  readonly basis: string;
}

export interface RemediationAttempt {
  readonly component: string;
  readonly attempt: number;
  readonly result: "done" | "failed" | "timed_out";
  readonly detail: string;
  readonly took_ms: number;
}

/** A site that people let act although its validation has not passed. */
export interface BreakGlassUse {
  readonly reason: string;
  readonly signed_by: readonly string[];
  readonly expires: string;
  readonly overrides: readonly string[];
}

export type FailoverOutcome = "resumed" | "degraded" | "blocked" | "abandoned";

export interface FailoverRecord extends FailoverStart {
  readonly epoch: number;
  readonly manifest_digest: string;
  readonly phase: GatePhase;
  /** RFC 3339; null until it happens. */
  readonly app_ready: string | null;
  readonly validation_started: string | null;
  readonly validation_ended: string | null;
  readonly traffic_resumed: string | null;
  readonly closed: string | null;
  readonly outcome: FailoverOutcome | null;
  readonly tier: DegradedTier | null;
  readonly answers: readonly ProbeAnswer[];
  readonly residency: readonly ResidencyFinding[];
  readonly watermark: readonly WatermarkFinding[];
  readonly remediation: readonly RemediationAttempt[];
  /** Components that were started anew or repaired before traffic went on. */
  readonly reinitialised: readonly string[];
  readonly break_glass: readonly BreakGlassUse[];
  /** How often the guard began again within it. */
  readonly restarts: number;
  /** Application and governance recovery (AG-403 4.9), measured on the guard's monotonic clock where it saw both ends. */
  readonly rto_ms: number | null;
  readonly grt_ms: number | null;
  /** First and last index of its steps in the guard's log. */
  readonly first_index: number;
  readonly last_index: number;
}
