export { BreakGlassDesk } from "./break-glass-desk.ts";
export { Guard } from "./guard.ts";
export { type GuardFaceParts, guardFace, statusOf } from "./guard-face.ts";
export { type Known, stepsIn } from "./guard-history.ts";
export { GuardLog } from "./guard-log.ts";
export type { GuardParts } from "./guard-parts.ts";
export { type KeeperRules, keep } from "./keeper.ts";
export { LeaseHolder } from "./lease-holder.ts";
export { type ParityParts, ParityWatch } from "./parity-watch.ts";
