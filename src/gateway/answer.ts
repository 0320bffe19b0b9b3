/** Stage 11: the decision in wire words, and what the agent can do next, in one sentence its model can act on. */
import { unreachable } from "../kernel/index.ts";
import type { Outcome, Verdict } from "../policy/index.ts";
import type { Decision, RefusalCode, ToolRequest } from "./call.ts";
import type { ResolvedTool } from "./resolve.ts";

/** The approval that the answer is about. */
export interface ApprovalFacts {
  readonly id: string;
  /** Wall-clock ms; null: people may take for ever. */
  readonly expiresMs: number | null;
  /** Who said yes; empty while it is pending. */
  readonly approvedBy: readonly string[];
}

export interface AnswerFacts {
  readonly callId: string;
  readonly request: ToolRequest;
  readonly tool: ResolvedTool;
  readonly verdict: Verdict;
  readonly policyVersion: string;
  readonly approval: ApprovalFacts | null;
  readonly sanitized?: Decision["sanitized_payload"];
}

export function decisionOf(facts: AnswerFacts): Decision {
  const { request, tool, verdict, approval } = facts;
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
    ...(approval === null ? {} : approvalMembers(approval)),
    ...(facts.sanitized === undefined ? {} : { sanitized_payload: facts.sanitized }),
    next: nextStep(verdict.outcome, approval),
  };
}

function approvalMembers({ id, expiresMs, approvedBy }: ApprovalFacts): Partial<Decision> {
  if (approvedBy.length > 0) return { approval_id: id, approved_by: approvedBy };
  return {
    approval_id: id,
    pending_state: "pending",
    ...(expiresMs === null ? {} : { approval_expires_at: new Date(expiresMs).toISOString() }),
  };
}

function nextStep(outcome: Outcome, approval: ApprovalFacts | null): string {
  switch (outcome) {
    case "allow":
      return "nothing: the call was forwarded as sent";
    case "sanitize":
      return "nothing: the call was forwarded with the redactions named in sanitized_payload";
    case "approval_needed":
      return `a person must approve ${approval?.id ?? "this call"} first${untilText(approval)}: tell the user, go on with other work, and call again with the same arguments to see whether it is approved`;
    case "deny":
      return "do not retry the same call: it will be denied again under this policy_version; choose another way or tell the user";
    default:
      return unreachable(outcome);
  }
}

function untilText(approval: ApprovalFacts | null): string {
  if (approval === null || approval.expiresMs === null) return "";
  return `, until ${new Date(approval.expiresMs).toISOString()}`;
}

/**
 * The conservative response: first that nothing was executed, then that trying again changes nothing, then what remains to
 * be done. For writes that only people can bring about now, or that they have declined.
 */
function conservative(state: string, remains: string): string {
  return `${state}, not executed: do not retry; ${remains}`;
}

/** What an agent can do whose write waits as `id`. */
export function queuedNext(id: string): string {
  return conservative("queued", `a person will let ${id} go or discard it: tell the user`);
}

const refusedOverride = "nothing was forwarded; call without the token to ask people again";

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
      reason: "a limit of the policy on the rate of calls is full",
      next: "nothing was forwarded; wait until there is room again, then try again",
    },
    over_budget: {
      reason: "a budget of the policy is used up",
      next: "nothing was forwarded; do not retry before it begins anew: tell the user, or choose a cheaper way",
    },
    limits_unknown: {
      reason: "what is used of the limits is not known",
      next: "nothing was forwarded; try again in a minute, and tell the operator if it persists",
    },
    declined: {
      reason: "people have declined this",
      next: conservative("nothing was forwarded", "tell the user why, and what was not done"),
    },
    escrowed: {
      reason: "writes here are held back for people",
      next: conservative("queued", "a person will let it go or discard it"),
    },
    read_only: {
      reason: "writes here are held back for people, and this one cannot be queued",
      next: conservative(
        "nothing was forwarded and nothing is queued",
        "go on with reads, and tell the user",
      ),
    },
    escrow_full: {
      reason: "writes here are held back for people, and no more can be queued",
      next: conservative(
        "nothing was forwarded and nothing is queued",
        "tell the user that people must look at the queue first",
      ),
    },
    escrow_unknown: {
      reason: "writes here are held back for people, and whether this one is queued is not known",
      next: "not executed; try again in a minute: the same write is queued once, however often you ask",
    },
    approval_expired: {
      reason: "nobody approved this in time",
      next: "nothing was forwarded; tell the user; calling again with the same arguments asks people again",
    },
    approval_in_use: {
      reason: "another call is using the approval at this moment",
      next: "nothing was forwarded; wait for the other call, which does the same",
    },
    approvals_unknown: {
      reason: "whether people have approved this is not known",
      next: "nothing was forwarded; try again in a minute, and tell the operator if it persists",
    },
    approval_too_large: {
      reason: "its arguments are more than people can be shown",
      next: "nothing was forwarded and nobody was asked; do it in smaller steps, or tell the user",
    },
    too_many_approvals: {
      reason: "people were asked too often in this minute",
      next: "nothing was forwarded and nobody was asked; stop asking: tell the user",
    },
    override_forged: { reason: "the override token is not one of ours", next: refusedOverride },
    override_other_agent: {
      reason: "the override token is another agent's",
      next: refusedOverride,
    },
    override_other_tool: {
      reason: "the override token is for another tool",
      next: refusedOverride,
    },
    override_other_arguments: {
      reason: "the override token is for other arguments",
      next: "nothing was forwarded; use the arguments that were approved, or call without the token",
    },
    override_replayed: {
      reason: "the override token was used before",
      next: "nothing was forwarded; an approval is good for one execution: call without the token to ask again",
    },
    override_expired: { reason: "the override token has expired", next: refusedOverride },
    override_revoked: { reason: "the approval was taken back", next: refusedOverride },
    override_superseded: { reason: "policy has changed since", next: refusedOverride },
    override_unknown: { reason: "no approval has granted the token", next: refusedOverride },
    breaker_open: {
      reason: "the upstream, or this tool of it, keeps failing, so nothing is sent for a while",
      next: "nothing was forwarded; go on with other work, and try again after retry_after_ms where it is given; otherwise tell the user",
    },
    upstream_busy: {
      reason: "as many calls as the upstream takes are under way (calls_in_flight_max)",
      next: "nothing was forwarded; wait a moment, then try again",
    },
    no_permit: {
      reason: "this site has no permit to operate: its governance is not shown to be intact",
      next: "nothing was forwarded; try again in a minute, and tell the operator if it persists",
    },
    degraded: {
      reason: "the site is degraded, and this is more than it may do",
      next: "nothing was forwarded; reads may go through; tell the user, and try again later",
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

/** A refusal by the machinery, not by policy; `decision` is always `deny`. `because` and `about` say more than the code does. */
export function refusalOf(
  code: RefusalCode,
  facts: Omit<AnswerFacts, "verdict" | "approval">,
  because?: string,
  about: Pick<Decision, "approval_id" | "limit" | "retry_after_ms"> = {},
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
    ...about,
    next,
    refusal: code,
  };
}
