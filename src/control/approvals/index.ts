export { Approvers, type KnownApprover } from "./approvers.ts";
export { type Answer, ApprovalDesk } from "./desk.ts";
export type { DeskRefusal } from "./refusal.ts";
