/**
 * Other arguments instead of those that were asked about: the question is declined and says which arguments would do, and
 * a question about those is there with this approver's yes. The agent decides whether to make that call; policy judges it.
 */
import { digestOf, err, type JsonObject, ok, type Result } from "../kernel/index.ts";
import type { Approval } from "./approval.ts";
import { asked } from "./life.ts";
import type { Approver } from "./quorum.ts";
import { type Ballot, type VoteRefusal, vote } from "./vote.ts";

export interface Proposal extends Omit<Ballot, "verdict"> {
  readonly args: JsonObject;
  /** Of the question about the new arguments. */
  readonly id: string;
}

export interface Proposed {
  readonly declined: Approval;
  readonly instead: Approval;
}

export interface ProposalRefusal {
  readonly kind: VoteRefusal["kind"] | "same_arguments" | "not_all_shown";
  readonly detail: string;
}

/** Whether people see all of the arguments: who does not know them cannot say what others there should be. */
export function showsAll({
  args_redacted,
  args_digest,
}: Pick<Approval, "args_redacted" | "args_digest">): boolean {
  return digestOf(args_redacted) === args_digest;
}

export function proposed(
  approval: Approval,
  approver: Approver,
  { args, id, ...ballot }: Proposal,
  nowMs: number,
): Result<Proposed, ProposalRefusal> {
  const declined = vote(approval, approver, { ...ballot, verdict: "decline" }, nowMs);
  if (!declined.ok) return declined;
  if (!showsAll(approval))
    return err({
      kind: "not_all_shown",
      detail: `some arguments of ${approval.id} are not shown to people, so nobody here can replace them; decline it, and say why`,
    });
  const args_digest = digestOf(args);
  if (args_digest === approval.args_digest)
    return err({ kind: "same_arguments", detail: "these are the arguments that were asked about" });
  const question = { ...approval, args_redacted: args, args_digest };
  const { instance, expires_ms, use_within_ms: useWithinMs } = approval;
  const validMs = expires_ms === null ? null : expires_ms - nowMs;
  const fresh = asked(question, { id, instance, validMs, useWithinMs, afterUnknown: null }, nowMs);
  const { version: _seen, ...first } = ballot;
  const instead = vote(fresh, approver, { ...first, verdict: "approve" }, nowMs);
  if (!instead.ok) return instead;
  return ok({
    declined: {
      ...declined.value,
      closed_because: `superseded by ${id}`,
      superseded_by: { id, args },
    },
    instead: instead.value,
  });
}
