export { ApprovalWatch } from "./approval-watch.ts";
export { Approvals, type ApprovalsParts } from "./approvals.ts";
export { approvalFace } from "./face.ts";
export { ApprovalLegs, type Leg, type LegBinding } from "./legs.ts";
export { OverrideKeys } from "./override-keys.ts";
export { recoverClaims } from "./recover-claims.ts";
export { type ApprovalStatus, approvalStatus } from "./status.ts";
