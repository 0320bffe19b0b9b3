/** Stages 7 and 10: the entries of a call. Field names are those of the wire and of `docs/record.md`. */
import type { CallOutcome, DecisionEntry, EntryOrigin, OutcomeEntry } from "../audit/index.ts";
import { digestOf, type JsonObject } from "../kernel/index.ts";
import type { Verdict } from "../policy/index.ts";
import type { Forwarded, ToolRequest } from "./call.ts";
import type { Obliged } from "./oblige.ts";
import type { ResolvedTool } from "./resolve.ts";

export interface DecisionFacts {
  readonly callId: string;
  readonly wallMs: number;
  readonly request: ToolRequest;
  readonly tool: ResolvedTool;
  readonly obliged: Obliged;
  readonly argsRedacted: JsonObject | null;
  readonly policyVersion: string;
  readonly approvalId: string | null;
}

/** RFC 3339, UTC, milliseconds. */
export function isoTime(wallMs: number): string {
  return new Date(wallMs).toISOString();
}

export function decisionEntry(origin: EntryOrigin, facts: DecisionFacts): DecisionEntry {
  const { request, tool, obliged } = facts;
  const { identity } = request;
  const verdict: Verdict = obliged.verdict;
  return {
    ...origin,
    v: 1,
    kind: "decision",
    time: isoTime(facts.wallMs),
    tenant: identity.tenant,
    call: facts.callId,
    face: request.face,
    method: request.method,
    agent_id: identity.agent,
    identity: identity.how,
    caller: request.caller?.agent ?? null,
    model: identity.model ?? null,
    principal: identity.principal ?? null,
    delegation: identity.delegation,
    tool: tool.id,
    effect: tool.effect,
    risk: tool.risk,
    definition_digest: tool.definitionDigest,
    decision: verdict.outcome,
    reason: verdict.reason,
    policy_version: facts.policyVersion,
    determining_rules: verdict.determiningRules,
    indeterminate: verdict.indeterminate,
    opened: verdict.opened,
    args_digest: digestOf(request.args),
    args_redacted: facts.argsRedacted,
    sanitized_payload_digest: obliged.sanitizedDigest,
    approval_id: facts.approvalId,
    cost_estimate_micro_usd: tool.costMicroUsd,
    trace: request.traceparent ?? null,
  };
}

export interface OutcomeFacts {
  readonly callId: string;
  readonly wallMs: number;
  readonly tenant: string;
  readonly decisionIndex: number;
  readonly durationMs: number;
  readonly forwarded: Forwarded<unknown>;
}

export function outcomeEntry(origin: EntryOrigin, facts: OutcomeFacts): OutcomeEntry {
  const outcome: CallOutcome = facts.forwarded.outcome;
  return {
    ...origin,
    v: 1,
    kind: "outcome",
    time: isoTime(facts.wallMs),
    tenant: facts.tenant,
    call: facts.callId,
    decision_index: facts.decisionIndex,
    outcome,
    detail: facts.forwarded.detail ?? null,
    result_digest: facts.forwarded.resultDigest ?? null,
    result_bytes: facts.forwarded.resultBytes,
    duration_ms: Math.round(facts.durationMs * 1000) / 1000,
  };
}
