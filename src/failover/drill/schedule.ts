/** When a drill is due (AG-403 4.7): at least so often as the manifest's `drill_days`, each scenario. */
import type { DrillVerdict } from "./journal.ts";

/** What is known of a drill that ended. */
export interface DrillPast {
  readonly drill: string;
  readonly scenario: string;
  readonly verdict: DrillVerdict;
  /** Milliseconds since 1970-01-01 UTC. */
  readonly endedMs: number;
}

export interface DrillDue {
  readonly scenario: string;
  /** The newest that showed something, pass or fail; null: never. */
  readonly last: DrillPast | null;
  /** Null: never drilled, so due since ever. */
  readonly dueMs: number | null;
  readonly ageDays: number | null;
  readonly overdue: boolean;
}

const dayMs = 86_400_000;

/**
 * One line for each scenario, the longest overdue first. An inconclusive drill does not count: it has shown nothing. A
 * time in the future counts as now, so that a clock that was wrong once cannot silence the alarm for longer than a period.
 */
export function drillsDue(
  scenarios: readonly string[],
  past: readonly DrillPast[],
  drillDays: number,
  nowMs: number,
): readonly DrillDue[] {
  return scenarios
    .map((scenario): DrillDue => {
      const held = past.filter(
        (each) => each.scenario === scenario && each.verdict !== "inconclusive",
      );
      const last = held.reduce<DrillPast | null>(
        (newest, each) => (newest === null || each.endedMs > newest.endedMs ? each : newest),
        null,
      );
      if (last === null) return { scenario, last, dueMs: null, ageDays: null, overdue: true };
      const endedMs = Math.min(last.endedMs, nowMs);
      const dueMs = endedMs + drillDays * dayMs;
      return { scenario, last, dueMs, ageDays: (nowMs - endedMs) / dayMs, overdue: nowMs >= dueMs };
    })
    .sort((a, b) => (a.dueMs ?? 0) - (b.dueMs ?? 0));
}
