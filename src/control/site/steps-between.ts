/** What the record must hold of one change of the gate. */
import type { FailoverStep, GateState } from "../../failover/index.ts";
import type { JsonObject, JsonValue } from "../../kernel/index.ts";
import type { Evidence } from "./evidence.ts";

export interface ChangeFacts {
  readonly manifest_digest: string;
  readonly evidence: Evidence;
  readonly grtMs: number | null;
}

interface Recorded {
  readonly step: FailoverStep;
  readonly about: JsonObject;
}

/** In order. A renewal that changes nothing leaves nothing: the arbiter has it. */
export function stepsBetween(
  before: GateState,
  after: GateState,
  facts: ChangeFacts,
): readonly Recorded[] {
  const steps: Recorded[] = [];
  if (after.epoch > before.epoch) steps.push({ step: "leased", about: { epoch: after.epoch } });
  if (after.phase === "validating" && after.round > before.round)
    steps.push({ step: "validating", about: { round: after.round } });
  const concluded = before.check !== null && after.check?.round !== before.check.round;
  if (concluded && (before.phase === "validating" || changed(before, after)))
    steps.push({ step: "validated", about: validated(before.check?.round ?? 0, facts) });
  return [...steps, ...moved(before, after, facts)];
}

function moved(before: GateState, after: GateState, { grtMs }: ChangeFacts): readonly Recorded[] {
  const { phase, round, tier } = after;
  const failing = after.failing.map((each): JsonValue => ({ ...each }));
  const differs = before.phase !== phase || before.tier !== tier;
  if (phase === "degraded" && (differs || changed(before, after)))
    return [{ step: "degraded", about: { round, tier, failing } }];
  if (!differs) return [];
  if (phase === "ready") return [{ step: "ready", about: { round, grt_ms: grtMs } }];
  return isStop(phase) && before.phase !== phase ? [{ step: phase, about: { failing } }] : [];
}

function isStop(phase: GateState["phase"]): phase is "blocked" | "revoked" | "fenced" | "standby" {
  return phase === "blocked" || phase === "revoked" || phase === "fenced" || phase === "standby";
}

function changed(before: GateState, after: GateState): boolean {
  const names = ({ failing }: GateState): string => failing.map((each) => each.component).join(" ");
  return names(before) !== names(after);
}

function validated(round: number, { manifest_digest, evidence }: ChangeFacts): JsonObject {
  const { answers, residency, watermark } = evidence.newest;
  const lists = { answers, residency, watermark };
  return { round, manifest_digest, ...(lists as unknown as JsonObject) };
}
