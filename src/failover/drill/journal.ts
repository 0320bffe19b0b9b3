/**
 * What a drill leaves: Chaos Toolkit's journal, with what governance makes of it under `holdfast`. Signed as a DSSE
 * envelope of type `drillPayloadType`.
 */
import type { JsonObject, JsonValue } from "../../kernel/index.ts";

export const drillPayloadType = "application/vnd.holdfast.drill.v1+json";

/** One activity as it ran. */
export interface ActivityRun {
  readonly activity: JsonObject;
  /** What it answered; secrets replaced. */
  readonly output: JsonValue;
  readonly status: "succeeded" | "failed";
  /** RFC 3339 UTC. */
  readonly start: string;
  readonly end: string;
  /** Seconds. */
  readonly duration: number;
  readonly tolerance_met?: boolean;
}

export interface SteadyState {
  readonly steady_state_met: boolean;
  readonly probes: readonly ActivityRun[];
}

export type DrillVerdict = "pass" | "fail" | "inconclusive";

/** One promise that was looked at, and when. */
export interface ControlFinding {
  readonly name: string;
  readonly phase: "steady_before" | "steady_under_fault" | "under_fault" | "after_rollback";
  readonly blocking: boolean;
  readonly met: boolean;
  /** How long it took to hold; null when it never did. */
  readonly after_ms: number | null;
}

/** Whether the fault took effect: looked at before (it must not hold) and after the method (it must). */
export interface ProofFinding {
  readonly name: string;
  readonly held_before: boolean;
  readonly held_after: boolean;
}

export interface StateFinding {
  /** `sha256:<hex>` over the outputs of the state probes. */
  readonly before: string | null;
  readonly after: string | null;
  readonly restored: boolean;
}

export interface DrillFindings {
  /** The method began. */
  readonly began: boolean;
  readonly controls: readonly ControlFinding[];
  readonly proof: readonly ProofFinding[];
  readonly state: StateFinding;
  /** Actions of the method, and rollbacks, that failed; by name. */
  /** Of the method: actions that failed, and probes that did not hold. */
  readonly failed_actions: readonly string[];
  readonly failed_rollbacks: readonly string[];
  /** Why it was stopped before its end; null when it was not. */
  readonly aborted: string | null;
  /** The engine died in it, and a later one rolled back. */
  readonly interrupted: boolean;
}

export interface DrillJournal {
  readonly "chaoslib-version": string;
  readonly platform: string;
  readonly node: string;
  readonly experiment: JsonObject;
  readonly start: string;
  readonly end: string;
  readonly duration: number;
  readonly status: "completed" | "failed" | "aborted" | "interrupted";
  readonly deviated: boolean;
  readonly steady_states: {
    readonly before: SteadyState | null;
    readonly after: SteadyState | null;
    readonly during: readonly SteadyState[];
  };
  readonly run: readonly ActivityRun[];
  readonly rollbacks: readonly ActivityRun[];
  readonly holdfast: DrillFindings & {
    /** `dr-…` */
    readonly drill: string;
    readonly scenario: string;
    readonly deployment: string;
    readonly tenant: string;
    readonly sites: readonly string[];
    readonly manifest_digest: string;
    readonly experiment_digest: string;
    readonly serves: readonly string[];
    /** Where the opening stands in the log of drills; null where none is kept. */
    readonly log_index: number | null;
    readonly verdict: DrillVerdict;
    /** The least of all blocking controls, never a mean; null when inconclusive. */
    readonly score: number | null;
    readonly because: readonly string[];
    /** What the probes of the extension answered last, in each phase. */
    readonly looks: readonly Look[];
  };
}

export interface Look extends ActivityRun {
  readonly phase: ControlFinding["phase"] | "proof_before" | "proof_after" | "abort" | "state";
}
