export { ApprovalWatch } from "./approval-watch.ts";
export { Approvals, type ApprovalsParts } from "./approvals.ts";
export { OverrideKeys } from "./override-keys.ts";
export { recoverClaims } from "./recover-claims.ts";
