import type { Symptom } from "../answer.ts";
import { emptyMemory, type Memory } from "../memory/index.ts";
import type { View } from "./view.ts";

/** One part of the idea, that can be left out to see what it is worth. */
export const parts = ["types", "topology", "changes", "time"] as const;
export type Part = (typeof parts)[number];

export interface WhySettings {
  /** Trouble began at most so long before the symptom was seen; what is older is the past that it is compared with. */
  readonly lookbackMs: number;
  /** What was told later than this is not known yet. */
  readonly knownAt: number;
  readonly without: ReadonlySet<Part>;
  /** Confirmed incidents that are still to be remembered. */
  readonly memory: Memory;
}

export const defaultSettings: WhySettings = {
  lookbackMs: 15 * 60_000,
  knownAt: Number.POSITIVE_INFINITY,
  without: new Set(),
  memory: emptyMemory,
};

/** What every source of evidence is given: the question and all that is known. */
export interface Case {
  readonly symptom: Symptom;
  readonly view: View;
  readonly settings: WhySettings;
}
