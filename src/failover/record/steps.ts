/** The steps of a failover as its guard records them, and what each adds to its record (AG-403 4.6). */
import type { JsonObject, JsonValue } from "../../kernel/index.ts";
import type { ProbeAnswer } from "../gate/answer.ts";
import type { GatePhase } from "../gate/gate-state.ts";
import type { DegradedTier } from "../manifest/manifest.ts";
import type {
  BreakGlassUse,
  FailoverOutcome,
  FailoverRecord,
  FailoverStart,
  RemediationAttempt,
  ResidencyFinding,
  WatermarkFinding,
} from "./event-record.ts";

/** One entry of a guard's log, as far as a record needs it. */
export interface RecordedStep {
  readonly index: number;
  /** RFC 3339. */
  readonly time: string;
  readonly epoch: number;
  readonly failover: string;
  readonly step: string;
  readonly about: JsonObject;
}

export const failoverSteps = [
  "opened",
  "fenced",
  "leased",
  "validating",
  "validated",
  "remediated",
  "ready",
  "degraded",
  "blocked",
  "revoked",
  "standby",
  "restarted",
  "break_glass",
  "app_ready",
  "closed",
  // Of no failover: a site that stands by compared itself, and found something else than before.
  "compared",
] as const;

export type FailoverStep = (typeof failoverSteps)[number];

const phases: Readonly<Partial<Record<FailoverStep, GatePhase>>> = {
  fenced: "fenced",
  leased: "validating",
  validating: "validating",
  ready: "ready",
  degraded: "degraded",
  blocked: "blocked",
  revoked: "revoked",
  standby: "standby",
  restarted: "fenced",
};

/** The record that begins with this step. */
export function opened({ about, epoch, index }: RecordedStep): FailoverRecord {
  return {
    ...(about as unknown as FailoverStart),
    epoch,
    ...{ manifest_digest: String(about["manifest_digest"] ?? ""), phase: "standby" },
    ...{ app_ready: null, validation_started: null, validation_ended: null },
    ...{ traffic_resumed: null, closed: null, outcome: null, tier: null },
    ...{ answers: [], residency: [], watermark: [], remediation: [], reinitialised: [] },
    ...{ break_glass: [], restarts: 0, rto_ms: null, grt_ms: null },
    ...{ first_index: index, last_index: index },
  };
}

/** The record with one more of its steps. */
export function after(record: FailoverRecord, step: RecordedStep): FailoverRecord {
  // What became of the site later is no part of a failover that is over; its application may be up a moment after.
  if (record.closed !== null && step.step !== "app_ready")
    return { ...record, last_index: step.index };
  const { about, time } = step;
  const known = failoverSteps.find((each) => each === step.step);
  const common = {
    ...record,
    epoch: Math.max(record.epoch, step.epoch),
    phase: (known && phases[known]) ?? record.phase,
    last_index: step.index,
  };
  switch (known) {
    case "validating":
      return { ...common, validation_started: record.validation_started ?? time };
    case "validated":
      return {
        ...common,
        validation_ended: time,
        manifest_digest: String(about["manifest_digest"]),
        answers: list<ProbeAnswer>(about["answers"]),
        residency: list<ResidencyFinding>(about["residency"]),
        watermark: list<WatermarkFinding>(about["watermark"]),
      };
    case "remediated":
      return remediated(common, about as unknown as RemediationAttempt);
    case "ready":
      return { ...common, tier: null, grt_ms: record.grt_ms ?? count(about["grt_ms"]) };
    case "degraded":
      return { ...common, tier: tierOf(about["tier"]) };
    case "break_glass":
      return {
        ...common,
        break_glass: [...record.break_glass, about as unknown as BreakGlassUse],
      };
    case "restarted":
      return { ...common, restarts: record.restarts + 1 };
    case "app_ready":
      return record.app_ready === null
        ? { ...common, app_ready: time, rto_ms: count(about["rto_ms"]) }
        : common;
    case "closed":
      return closedAt(common, time, about);
    default:
      return common;
  }
}

function remediated(record: FailoverRecord, attempt: RemediationAttempt): FailoverRecord {
  const again = attempt.result === "done" ? [attempt.component] : [];
  return {
    ...record,
    remediation: [...record.remediation, attempt],
    reinitialised: [...new Set([...record.reinitialised, ...again])],
  };
}

function closedAt(record: FailoverRecord, time: string, about: JsonObject): FailoverRecord {
  const resumed = about["traffic_resumed"];
  return {
    ...record,
    closed: time,
    outcome: String(about["outcome"]) as FailoverOutcome,
    traffic_resumed: typeof resumed === "string" ? resumed : null,
  };
}

function list<T>(value: JsonValue | undefined): readonly T[] {
  return Array.isArray(value) ? (value as unknown as readonly T[]) : [];
}

function count(value: JsonValue | undefined): number | null {
  return typeof value === "number" ? value : null;
}

function tierOf(value: JsonValue | undefined): DegradedTier | null {
  return value === "reads_only" || value === "escrow" || value === "stop" ? value : null;
}
