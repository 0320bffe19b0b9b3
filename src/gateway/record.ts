/** Stages 7 and 10: the entries of a call. Field names are those of the wire and of `docs/record.md`. */
import type {
  CallOutcome,
  DecisionEntry,
  EntryOrigin,
  OutcomeEntry,
  SearchEntry,
} from "../audit/index.ts";
import { digestOf, type JsonObject } from "../kernel/index.ts";
import type { Verdict } from "../policy/index.ts";
import type { Forwarded, Released, Search, ToolRequest } from "./call.ts";
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
  readonly override?: { readonly jti: string; readonly approvedBy: readonly string[] };
  readonly escrow?: DecisionEntry["escrow"];
  readonly prediction?: DecisionEntry["prediction"];
}

/** RFC 3339, UTC, milliseconds. */
export function isoTime(wallMs: number): string {
  return new Date(wallMs).toISOString();
}

export function decisionEntry(origin: EntryOrigin, facts: DecisionFacts): DecisionEntry {
  const { request, tool, obliged } = facts;
  const { identity } = request;
  const verdict: Verdict = obliged.verdict;
  const escrow = facts.escrow ?? (request.released && releasedMark(request.released));
  // In the order of canonical JSON, which is written fastest from what is already in order.
  return {
    agent_id: identity.agent,
    approval_id: facts.approvalId,
    approved_by: facts.override?.approvedBy ?? [],
    args_digest: digestOf(request.args),
    args_redacted: facts.argsRedacted,
    call: facts.callId,
    caller: request.caller?.agent ?? null,
    cost_estimate_micro_usd: tool.costMicroUsd,
    decision: verdict.outcome,
    definition_digest: tool.definitionDigest,
    delegation: identity.delegation,
    determining_rules: verdict.determiningRules,
    effect: tool.effect,
    epoch: origin.epoch,
    ...(escrow === undefined ? {} : { escrow }),
    face: request.face,
    identity: identity.how,
    indeterminate: verdict.indeterminate,
    instance: origin.instance,
    kind: "decision",
    method: request.method,
    model: identity.model ?? null,
    opened: verdict.opened,
    override_jti: facts.override?.jti ?? null,
    policy_version: facts.policyVersion,
    ...(facts.prediction === undefined ? {} : { prediction: facts.prediction }),
    principal: identity.principal ?? null,
    reason: verdict.reason,
    risk: tool.risk,
    sanitized_payload_digest: obliged.sanitizedDigest,
    site: origin.site,
    tenant: identity.tenant,
    time: isoTime(facts.wallMs),
    tool: tool.id,
    trace: request.traceparent ?? null,
    v: 1,
  };
}

function releasedMark({ item, attempt, by, reason }: Released): DecisionEntry["escrow"] {
  return { step: "released", item, attempt, by, reason };
}

export interface SearchFacts {
  readonly callId: string;
  readonly wallMs: number;
  readonly asked: Search<unknown>;
  readonly policyVersion: string;
  readonly judged: number;
  readonly withheld: number;
  readonly results: readonly JsonObject[];
}

export function searchEntry(origin: EntryOrigin, facts: SearchFacts): SearchEntry {
  const { asked, results } = facts;
  return {
    ...origin,
    v: 1,
    kind: "search",
    time: isoTime(facts.wallMs),
    tenant: asked.asker.tenant,
    call: facts.callId,
    face: asked.face,
    method: asked.method,
    agent_id: asked.asker.agent,
    identity: asked.asker.how,
    principal: asked.asker.principal ?? null,
    question: asked.question,
    question_digest: asked.questionDigest,
    policy_version: facts.policyVersion,
    judged: facts.judged,
    withheld: facts.withheld,
    results: results.length,
    results_digest: digestOf(results),
    trace: asked.traceparent ?? null,
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

function attemptsOf({ attempts }: Forwarded<unknown>): Pick<OutcomeEntry, "attempts"> {
  if (attempts === undefined) return {};
  return {
    attempts: attempts.map(({ isDryRun, outcome, detail, startedMs }) => ({
      form: isDryRun ? "dry_run" : "as_judged",
      outcome,
      detail: detail ?? null,
      started_ms: Math.round(startedMs),
    })),
  };
}

export function outcomeEntry(origin: EntryOrigin, facts: OutcomeFacts): OutcomeEntry {
  const outcome: CallOutcome = facts.forwarded.outcome;
  return {
    call: facts.callId,
    decision_index: facts.decisionIndex,
    detail: facts.forwarded.detail ?? null,
    duration_ms: Math.round(facts.durationMs * 1000) / 1000,
    epoch: origin.epoch,
    instance: origin.instance,
    kind: "outcome",
    outcome,
    ...attemptsOf(facts.forwarded),
    result_bytes: facts.forwarded.resultBytes,
    result_digest: facts.forwarded.resultDigest ?? null,
    site: origin.site,
    tenant: facts.tenant,
    time: isoTime(facts.wallMs),
    v: 1,
  };
}
