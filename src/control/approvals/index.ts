export { Approvers, type KnownApprover } from "./approvers.ts";
export { type Answer, ApprovalDesk, type DeskRefusal } from "./desk.ts";
