/** Where approvals lie in the store. */
import { canonicalJson, type JsonObject, sha256Hex } from "../kernel/index.ts";
import {
  type Approval,
  approvalJson,
  type BoundAction,
  isClosed,
  readApproval,
} from "./approval.ts";

export const openPrefix = "approval/open/";
export const closedPrefix = "approval/closed/";

const name = encodeURIComponent;

export interface ApprovalKeys {
  readonly open: string;
  readonly closed: string;
}

/** Ids are `apr-` and a call id, and come back from people: anything else is no key of ours. */
const idForm = /^apr-[\w-]{1,64}$/;

export function isApprovalId(text: string): boolean {
  return idForm.test(text);
}

export function approvalKeys(id: string): ApprovalKeys {
  return { open: openPrefix + name(id), closed: closedPrefix + name(id) };
}

/** Holds the id of the newest approval of this action. */
export function newestKey(action: BoundAction): string {
  const { tenant, agent, delegation, principal, tool, args_digest } = action;
  const bound = { tenant, agent, delegation: [...delegation], principal, tool, args_digest };
  return `approval/of/${sha256Hex(Buffer.from(canonicalJson(bound)))}`;
}

/** Approvals of one gateway whose end is not in its log yet. */
export function unrecordedPrefix(instance: string): string {
  return `approval/unrecorded/${name(instance)}/`;
}

/** Approvals that a call of this gateway holds. */
export function claimsPrefix(instance: string): string {
  return `approval/claims/${name(instance)}/`;
}

/** The approval of this id, wherever it lies. */
export function approvalIn(
  values: ReadonlyMap<string, JsonObject>,
  { open, closed }: ApprovalKeys,
): Approval | undefined {
  return readApproval(values.get(open) ?? values.get(closed));
}

/** What to write so that the approval lies where its state says. */
export function approvalWrites(approval: Approval): Map<string, JsonObject | null> {
  const { open, closed } = approvalKeys(approval.id);
  return isClosed(approval)
    ? new Map([
        [open, null],
        [closed, approvalJson(approval)],
      ])
    : new Map([[open, approvalJson(approval)]]);
}
