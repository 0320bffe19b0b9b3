/** What an agent may know of a question of its own: where it stands, and the override token of a grant. */
import {
  type Approval,
  approvalIn,
  approvalKeys,
  isApprovalId,
  presently,
} from "../../approvals/index.ts";
import type { Identity } from "../../identity/index.ts";
import { err, type JsonObject, ok, type Result } from "../../kernel/index.ts";
import type { SharedState } from "../../state/index.ts";
import { isoTime } from "../record.ts";
import type { OverrideKeys } from "./override-keys.ts";

export type ApprovalStatus = (
  identity: Identity,
  id: string,
) => Promise<Result<JsonObject, "not_found" | "unreachable">>;

/** Nothing is changed by looking, and nothing is shown to anybody but the agent that asked. */
export function approvalStatus(state: SharedState, overrides: OverrideKeys): ApprovalStatus {
  return async (identity, id) => {
    if (!isApprovalId(id)) return err("not_found");
    const keys = approvalKeys(id);
    const looked = await state.transact([keys.open, keys.closed], (values, nowMs) => {
      const found = approvalIn(values, keys);
      return { writes: new Map(), result: found && presently(found, nowMs) };
    });
    if (!looked.ok) return err("unreachable");
    const found = looked.value;
    if (found === undefined || !isOwn(found, identity)) return err("not_found");
    const token = await overrides.tokenOf(found);
    return ok({ ...shown(found), ...(token === undefined ? {} : { override_token: token }) });
  };
}

function isOwn(approval: Approval, { tenant, agent, delegation, principal }: Identity): boolean {
  return (
    approval.tenant === tenant &&
    approval.agent === agent &&
    approval.principal === (principal ?? null) &&
    JSON.stringify(approval.delegation) === JSON.stringify(delegation)
  );
}

function shown(approval: Approval): JsonObject {
  const { id, state, tool, args_digest, policy_version, expires_ms, grant, votes } = approval;
  return {
    approval_id: id,
    ...{ state, tool, args_digest, policy_version },
    expires_at: expires_ms === null ? null : isoTime(expires_ms),
    use_until: grant === null ? null : isoTime(grant.expires_ms),
    votes: votes.map(({ verdict, reason, at_ms }) => ({ verdict, reason, time: isoTime(at_ms) })),
    closed_because: approval.closed_because,
    ...(approval.superseded_by !== undefined && { superseded_by: approval.superseded_by }),
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
