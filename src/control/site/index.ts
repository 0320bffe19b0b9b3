export { BreakGlassDesk } from "./break-glass-desk.ts";
export { Guard } from "./guard.ts";
export { type GuardFaceParts, guardFace, statusOf } from "./guard-face.ts";
export type { GuardParts, Known } from "./guard-parts.ts";
export { type KeeperRules, keep } from "./keeper.ts";
export { knownFrom, stepsIn, usedNonces } from "./known.ts";
export { LeaseHolder } from "./lease-holder.ts";
export { type ParityParts, ParityWatch } from "./parity-watch.ts";
