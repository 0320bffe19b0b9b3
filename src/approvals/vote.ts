/** One answer of one approver. */
import { err, ok, type Result } from "../kernel/index.ts";
import type { Approval, Vote } from "./approval.ts";
import { type Approver, isAsked, isRequester, missing } from "./quorum.ts";

export interface Ballot {
  readonly verdict: Vote["verdict"];
  /** Never empty: who reads the record wants to know why. */
  readonly reason: string;
  readonly channel: string;
  /** The version of the approval that was looked at; absent: whatever it is now. */
  readonly version?: number;
  /** Names the grant, should this answer be the last one needed; unique. */
  readonly jti: string;
}

export interface VoteRefusal {
  readonly kind:
    | "closed"
    | "expired"
    | "own_request"
    | "not_asked"
    | "already_voted"
    | "reason_missing"
    | "changed";
  /** A sentence for whoever clicked. */
  readonly detail: string;
}

const reasonCharactersMax = 2_000;

/** The approval with this answer in it. A no ends it; the last yes that was missing grants it. */
export function vote(
  approval: Approval,
  approver: Approver,
  ballot: Ballot,
  nowMs: number,
): Result<Approval, VoteRefusal> {
  const refused = refusalOf(approval, approver, ballot, nowMs);
  if (refused !== undefined) return err(refused);
  const cast: Vote = {
    approver: approver.id,
    verdict: ballot.verdict,
    reason: ballot.reason.trim().slice(0, reasonCharactersMax),
    groups: approver.groups,
    channel: ballot.channel,
    at_ms: nowMs,
  };
  const voted = { ...approval, version: approval.version + 1, votes: [...approval.votes, cast] };
  if (ballot.verdict === "decline") return ok({ ...voted, state: "declined", closed_ms: nowMs });
  if (missing(voted) > 0) return ok(voted);
  const expires_ms = nowMs + approval.use_within_ms;
  return ok({ ...voted, state: "granted", grant: { jti: ballot.jti, at_ms: nowMs, expires_ms } });
}

function refusalOf(
  approval: Approval,
  approver: Approver,
  { reason, version }: Ballot,
  nowMs: number,
): VoteRefusal | undefined {
  const { id, state, expires_ms, votes } = approval;
  if (state !== "pending") return { kind: "closed", detail: `${id} is ${state} already` };
  if (expires_ms !== null && nowMs >= expires_ms)
    return { kind: "expired", detail: `${id} waited too long and has expired` };
  if (version !== undefined && version !== approval.version)
    return { kind: "changed", detail: `${id} has changed since it was shown; look at it again` };
  if (isRequester(approval, approver))
    return {
      kind: "own_request",
      detail: `${approver.id} is the requester, or the requester acts for ${approver.id}: somebody else must answer`,
    };
  if (!isAsked(approval, approver.groups))
    return {
      kind: "not_asked",
      detail: `${approver.id} is in none of the groups that may answer: ${groupsOf(approval)}`,
    };
  if (votes.some((cast) => cast.approver === approver.id))
    return { kind: "already_voted", detail: `${approver.id} has answered ${id} already` };
  if (reason.trim() === "")
    return { kind: "reason_missing", detail: "say why: the reason is recorded and shown" };
  return undefined;
}

function groupsOf({ requirements }: Approval): string {
  return [...new Set(requirements.flatMap(({ groups }) => groups))].join(", ");
}
