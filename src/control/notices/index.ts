export {
  type AnswerOutcome,
  type AnswerRefusal,
  ChatAnswers,
  type ChatAnswersParts,
  type GivenAnswer,
  type OutsideKind,
  outsideName,
} from "./chat-answers.ts";
export {
  type HeldDrills,
  heldDrillsKey,
  publishHeldDrills,
  withdrawHeldDrills,
} from "./held-drills.ts";
export { type ChannelStatus, Notices, type NoticesParts, type NoticesStatus } from "./notices.ts";
export type { Rotation } from "./on-call.ts";
export { isTimeZone, minuteOf, type QuietHours } from "./quiet-hours.ts";
export type { ChannelRules, Route as NoticeRoute, TellingRules } from "./routes.ts";
