/**
 * `GET /approvals/{id}` on the gateway: an agent looks after a question of its own, and is given the override token of a
 * grant. Nothing is changed by looking, and nothing is shown to anybody but the agent that asked.
 */
import {
  type Approval,
  approvalIn,
  approvalKeys,
  isApprovalId,
  presently,
} from "../../approvals/index.ts";
import type { Identity } from "../../identity/index.ts";
import type { SharedState } from "../../state/index.ts";
import type { Identifier } from "../call.ts";
import { type FrontFace, jsonResponse, problemResponse } from "../http-front.ts";
import { isoTime } from "../record.ts";
import type { OverrideKeys } from "./override-keys.ts";

export interface ApprovalFaceParts {
  readonly identifier: Identifier;
  readonly state: SharedState;
  readonly keys: OverrideKeys;
}

export function approvalFace({ identifier, state, keys }: ApprovalFaceParts): FrontFace {
  return async (request) => {
    const who = await identifier.identify(request.headers, request);
    if (!who.ok)
      return problemResponse(who.status, "Identity required", who.reason, {
        "www-authenticate": who.challenge,
      });
    if (request.method !== "GET")
      return problemResponse(405, "Method not allowed", "Approvals are answered by people.", {
        allow: "GET",
      });
    const id = request.path.split("/")[2] ?? "";
    const found = isApprovalId(id) ? await find(state, id) : undefined;
    if (found === "unreachable")
      return problemResponse(503, "The store cannot be reached", "Try again in a minute.", {
        "retry-after": "5",
      });
    if (found === undefined || !isOwn(found, who.identity))
      return problemResponse(404, "No such approval", "You have asked for no approval of this id.");
    const token = await keys.tokenOf(found);
    return jsonResponse(200, { ...shown(found), ...(token && { override_token: token }) });
  };
}

async function find(state: SharedState, id: string): Promise<Approval | undefined | "unreachable"> {
  const keys = approvalKeys(id);
  const looked = await state.transact([keys.open, keys.closed], (values, nowMs) => {
    const found = approvalIn(values, keys);
    return { writes: new Map(), result: found && presently(found, nowMs) };
  });
  return looked.ok ? looked.value : "unreachable";
}

function isOwn(approval: Approval, { tenant, agent, delegation, principal }: Identity): boolean {
  return (
    approval.tenant === tenant &&
    approval.agent === agent &&
    approval.principal === (principal ?? null) &&
    JSON.stringify(approval.delegation) === JSON.stringify(delegation)
  );
}

function shown(approval: Approval): object {
  const { id, state, tool, args_digest, policy_version, expires_ms, grant, votes } = approval;
  return {
    approval_id: id,
    ...{ state, tool, args_digest, policy_version },
    expires_at: expires_ms === null ? null : isoTime(expires_ms),
    use_until: grant === null ? null : isoTime(grant.expires_ms),
    votes: votes.map(({ verdict, reason, at_ms }) => ({ verdict, reason, time: isoTime(at_ms) })),
    closed_because: approval.closed_because,
    next: nextOf(state),
  };
}

function nextOf(state: Approval["state"]): string {
  switch (state) {
    case "pending":
      return "wait: people have not answered yet";
    case "granted":
      return "make the same call again, with the same arguments; the token may come along";
    case "claimed":
      return "wait: a call is using the approval";
    case "used":
      return "nothing: the approved call was made";
    case "unknown":
      return "look whether the approved call took effect before doing anything else";
    default:
      return "tell the user; calling again asks people again";
  }
}
