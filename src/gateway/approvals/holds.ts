/** Why a call that needs approval goes no further, in words for the agent and the record. */
import type { Approval, OverrideFault } from "../../approvals/index.ts";
import type { Hold, OverrideRefusal } from "../hold.ts";
import type { Came } from "./asking.ts";

export function overrideHold(kind: OverrideRefusal, detail: string): Hold {
  return { kind, detail: `the override token is refused: ${detail}` };
}

const faults: Readonly<Record<OverrideFault, readonly [OverrideRefusal, string]>> = {
  replayed: ["override_replayed", "it was used before; one approval is good for one execution"],
  expired: ["override_expired", "its time is over"],
  revoked: ["override_revoked", "its approval was taken back"],
  superseded: ["override_superseded", "policy has changed and asks differently now"],
  unknown: ["override_unknown", "no approval of this action has granted it"],
};

type Refusing = Exclude<Came, { kind: "pending" | "claimed" | "moved" }>;

export function answerHold(agent: string, answer: Refusing): Hold {
  switch (answer.kind) {
    case "declined":
      return {
        kind: "declined",
        approvalId: answer.approval.id,
        detail: `${answer.approval.id} was declined by ${declinedBy(answer.approval)}${instead(answer.approval)}`,
      };
    case "expired":
      return {
        kind: "approval_expired",
        approvalId: answer.approval.id,
        detail: `${answer.approval.id} has expired: ${answer.approval.closed_because ?? "its time is over"}`,
      };
    case "in_use":
      return {
        kind: "approval_in_use",
        approvalId: answer.approval.id,
        detail: `${answer.approval.id} is being used by another call (${answer.approval.claim?.call ?? "unknown"}) at this moment`,
      };
    case "override_refused":
      return overrideHold(...faults[answer.because]);
    case "too_many":
      return {
        kind: "too_many_approvals",
        detail: `${agent} has asked for approval ${answer.max} times in a minute; people are not asked more often than that`,
      };
  }
}

/** An agent sees the text alone, so the arguments stand in it. */
function instead({ superseded_by: other }: Approval): string {
  if (other === undefined) return "";
  return `; with these arguments it would be ${other.id} instead: ${JSON.stringify(other.args)}`;
}

function declinedBy({ votes, closed_because }: Approval): string {
  const no = votes.find(({ verdict }) => verdict === "decline");
  if (no !== undefined) return `${no.approver}: ${no.reason}`;
  return closed_because === null ? "a person" : `nobody: ${closed_because}`;
}
