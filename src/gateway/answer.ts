/** Stage 11: the decision in wire words, and what the agent can do next, in one sentence its model can act on. */
import { unreachable } from "../kernel/index.ts";
import type { Outcome, Verdict } from "../policy/index.ts";
import type { Decision, RefusalCode, ToolRequest } from "./call.ts";
import type { ResolvedTool } from "./resolve.ts";

export interface AnswerFacts {
  readonly callId: string;
  readonly request: ToolRequest;
  readonly tool: ResolvedTool;
  readonly verdict: Verdict;
  readonly policyVersion: string;
  readonly approvalId: string | null;
  readonly sanitized?: Decision["sanitized_payload"];
}

export function decisionOf(facts: AnswerFacts): Decision {
  const { request, tool, verdict, approvalId } = facts;
  return {
    call_id: facts.callId,
    decision: verdict.outcome,
    agent_id: request.identity.agent,
    tool: tool.id,
    effect: tool.effect,
    risk: tool.risk,
    reason: verdict.reason,
    policy_version: facts.policyVersion,
    determining_rules: verdict.determiningRules,
    ...(approvalId === null ? {} : { approval_id: approvalId, pending_state: "pending" as const }),
    ...(facts.sanitized === undefined ? {} : { sanitized_payload: facts.sanitized }),
    next: nextStep(verdict.outcome, approvalId),
  };
}

function nextStep(outcome: Outcome, approvalId: string | null): string {
  switch (outcome) {
    case "allow":
      return "nothing: the call was forwarded as sent";
    case "sanitize":
      return "nothing: the call was forwarded with the redactions named in sanitized_payload";
    case "approval_needed":
      return `do not retry yet: a person must approve ${approvalId ?? "this call"} first; tell the user and go on with other work`;
    case "deny":
      return "do not retry the same call: it will be denied again under this policy_version; choose another way or tell the user";
    default:
      return unreachable(outcome);
  }
}

const refusals: Readonly<Record<RefusalCode, { readonly reason: string; readonly next: string }>> =
  {
    no_policy: {
      reason: "no valid policy bundle is loaded, so nothing is allowed",
      next: "tell the operator: load a policy (holdfast policy check), then try again",
    },
    record_failed: {
      reason: "the decision could not be recorded durably, so nothing was forwarded",
      next: "nothing happened upstream; try again later and tell the operator if it persists",
    },
    outcome_unrecorded: {
      reason: "the call was forwarded, but its outcome could not be recorded durably",
      next: "the action may have taken effect: do not retry; check its effect before going on",
    },
    too_many_calls: {
      reason:
        "too many calls are under way (limits.calls_in_flight_per_agent_max for one agent, limits.calls_in_flight_max for all)",
      next: "nothing was forwarded; wait for a running call to finish, then try again",
    },
    unknown_server: {
      reason: "no upstream of this name is configured",
      next: "choose one of the configured servers",
    },
    stopping: {
      reason: "the gateway is stopping",
      next: "nothing was forwarded; try again in a few seconds",
    },
    paused: {
      reason: "a person has paused this by the kill switch",
      next: "nothing was forwarded; do not retry until a person lifts the switch: tell the user",
    },
    dry_run: {
      reason: "the kill switch is in dry run: the call was decided and recorded, not forwarded",
      next: "nothing was forwarded; go on as if the call had not been made, and tell the user",
    },
    over_rate: {
      reason: "too many calls in this minute (calls_per_minute_max)",
      next: "nothing was forwarded; wait until there is room again, then try again",
    },
    over_budget: {
      reason: "the budget of today is used up (budget_micro_usd_per_day)",
      next: "nothing was forwarded; do not retry today: tell the user, or choose a cheaper way",
    },
    limits_unknown: {
      reason: "what the agent has used of its limits is not known",
      next: "nothing was forwarded; try again in a minute, and tell the operator if it persists",
    },
    kill_state_unknown: {
      reason: "the state of the kill switch is not known, so nothing is written",
      next: "nothing was forwarded; try again in a minute, and tell the operator if it persists",
    },
  };

/** Why the machinery refuses, and what to do. */
export function refusalText(code: RefusalCode): { readonly reason: string; readonly next: string } {
  return refusals[code];
}

/** A refusal by the machinery, not by policy; `decision` is always `deny`. `because` says more than the code does. */
export function refusalOf(
  code: RefusalCode,
  facts: Omit<AnswerFacts, "verdict" | "approvalId">,
  because?: string,
): Decision {
  const { reason, next } = refusals[code];
  const { request, tool } = facts;
  return {
    call_id: facts.callId,
    decision: "deny",
    agent_id: request.identity.agent,
    tool: tool.id,
    effect: tool.effect,
    risk: tool.risk,
    reason: because ?? reason,
    policy_version: facts.policyVersion,
    determining_rules: [],
    next,
    refusal: code,
  };
}
