export type { ClosedDrill } from "./close.ts";
export { drill, type Recovery, rollBackOpenDrill } from "./engine.ts";
export { openJournal, ownJournals, pastOf, type ReadJournals, readJournals } from "./journals.ts";
export { type OpenDrill, readOpenDrill } from "./open-drill.ts";
export type { DrillParts, DrillRefusal, DrillRequest, DrillStep } from "./parts.ts";
