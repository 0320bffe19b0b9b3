export {
  type Approval,
  type ApprovalState,
  approvalJson,
  type BoundAction,
  isClosed,
  type Question,
  type Requirement,
  readApproval,
  type Vote,
} from "./approval.ts";
export { type Answer, type Ask, ask, type OverrideFault } from "./ask.ts";
export {
  type ApprovalKeys,
  approvalIn,
  approvalKeys,
  approvalWrites,
  claimsPrefix,
  closedPrefix,
  isApprovalId,
  newestKey,
  openPrefix,
  unrecordedPrefix,
} from "./keys.ts";
export {
  type Asking,
  asked,
  askedAgain,
  claimed,
  presently,
  revoked,
  type Settlement,
  settled,
  turnedDown,
} from "./life.ts";
export {
  type Proposal,
  type ProposalRefusal,
  type Proposed,
  proposed,
  showsAll,
} from "./propose.ts";
export { type Approver, isAsked, isRequester, missing } from "./quorum.ts";
export { type Ballot, type VoteRefusal, vote } from "./vote.ts";
