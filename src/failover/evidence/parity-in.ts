/** What the log of a guard says of comparisons (AG-403 4.8): each drift with its end. */
import { isJsonArray, isJsonObject } from "../../kernel/index.ts";
import { type Drift, driftText } from "../parity/parity.ts";
import type { RecordedStep } from "../record/steps.ts";
import type { ParityFinding } from "./evidence.ts";

/** One for each finding that was another than the one before: the first comparison, a drift, and when it was over. */
export function parityIn(steps: Iterable<RecordedStep>): readonly ParityFinding[] {
  const findings: ParityFinding[] = [];
  for (const { step, about, index } of steps) {
    const { site, acting, compared, drifts } = about;
    if (step !== "compared" || !isJsonArray(drifts)) continue;
    const drifted = drifts.filter(isJsonObject) as unknown as readonly Drift[];
    findings.push({
      ...{ site: String(site), acting: String(acting), compared: String(compared) },
      ...{ equal: drifted.length === 0, drifted: drifted.map(driftText), log_index: index },
    });
  }
  return findings;
}
