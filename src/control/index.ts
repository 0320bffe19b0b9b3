export { AdminApi, type ApproverProof, type CompiledCheck } from "./admin/index.ts";
export {
  ApprovalDesk,
  Approvers,
  type DeskRefusal,
  type KnownApprover,
} from "./approvals/index.ts";
export {
  BundleProtocol,
  BundlePublisher,
  type BundleStatus,
  type ControlRequest,
  type ControlResponse,
  currentBundlePath,
  type PublisherParts,
} from "./bundles/index.ts";
export {
  type ClosedDrill,
  type DrillParts,
  type DrillRefusal,
  type DrillRequest,
  type DrillStep,
  drill,
  type OpenDrill,
  openJournal,
  pastOf,
  type ReadJournals,
  type Recovery,
  readJournals,
  readOpenDrill,
  rollBackOpenDrill,
} from "./drills/index.ts";
export {
  type AnswerOutcome,
  type AnswerRefusal,
  type ChannelRules,
  type ChannelStatus,
  ChatAnswers,
  type ChatAnswersParts,
  type GivenAnswer,
  isTimeZone,
  minuteOf,
  type NoticeRoute,
  Notices,
  type NoticesParts,
  type OutsideKind,
  outsideName,
  type QuietHours,
  type Rotation,
  type TellingRules,
} from "./notices/index.ts";
export { ApprovalPage, cookieJar, Sessions } from "./page/index.ts";
export {
  BreakGlassDesk,
  Guard,
  type GuardFaceParts,
  GuardLog,
  type GuardParts,
  guardFace,
  type KeeperRules,
  type Known,
  keep,
  LeaseHolder,
  type ParityParts,
  ParityWatch,
  statusOf,
  stepsIn,
} from "./site/index.ts";
export { changeSwitches } from "./switches.ts";
export type { WebRequest, WebResponse } from "./web.ts";
