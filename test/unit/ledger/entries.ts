/** Entries to record in tests. */
import type {
  DecisionEntry,
  OutcomeEntry,
  PolicyEntry,
  SearchEntry,
  StartEntry,
} from "../../../src/audit/index.ts";

const common = {
  v: 1,
  time: "2026-01-01T00:00:00.000Z",
  tenant: "t",
  instance: "i-1",
  site: "standalone",
  epoch: 0,
} as const;

export function policyEntry(revision: string, bytes = 0, bundle_serial = 0): PolicyEntry {
  const bundle_digest = "x".repeat(bytes);
  return { ...common, kind: "policy", policy_version: revision, bundle_digest, bundle_serial };
}

export function decisionEntry(
  call: string,
  decision: DecisionEntry["decision"] = "allow",
): DecisionEntry {
  return {
    ...common,
    ...{ kind: "decision", call, face: "mcp", method: "tools/call", agent_id: "agent-1" },
    ...{
      caller: null,
      identity: "token",
      model: null,
      principal: null,
      delegation: [],
      tool: "files:read",
    },
    ...{ effect: "read", risk: "low", definition_digest: null, decision, reason: "because" },
    ...{ policy_version: "r1", determining_rules: [], indeterminate: [], opened: false },
    ...{ args_digest: "sha256:00", args_redacted: null, sanitized_payload_digest: null },
    ...{
      approval_id: null,
      approved_by: [],
      override_jti: null,
      cost_estimate_micro_usd: 0,
      trace: null,
    },
  };
}

export function searchEntry(call: string): SearchEntry {
  return {
    ...common,
    ...{ kind: "search", call, face: "authzen", method: "search/subject", agent_id: "pep" },
    ...{ identity: "token", principal: null, question: { subject: { type: "user" } } },
    ...{ question_digest: "sha256:00", policy_version: "r1", judged: 7, withheld: 0, results: 2 },
    ...{ results_digest: "sha256:00", trace: null },
  };
}

export function outcomeEntry(call: string, decisionIndex: number): OutcomeEntry {
  return {
    ...common,
    ...{ kind: "outcome", call, decision_index: decisionIndex, outcome: "ok", detail: null },
    ...{ result_digest: null, result_bytes: 0, duration_ms: 1 },
  };
}

export function startEntry(): StartEntry {
  return {
    ...common,
    kind: "start",
    holdfast: "0.1.0",
    previous: null,
    unknown_calls: [],
    bundle_serial: 0,
  };
}
