export type {
  CallOutcome,
  DecisionEntry,
  Entry,
  EntryOrigin,
  OutcomeEntry,
  PolicyEntry,
  StartEntry,
} from "./entry.ts";
