/** Whether anything of late speaks of trouble at a node: enough to look around it first, not to blame it. */
import type { Symptom } from "../answer.ts";
import type { LogTemplate, ModelEvent, Series, Traffic } from "../event.ts";
import type { WhySettings } from "./case.ts";
import { deviationOf } from "./signals/series.ts";

/** Calls became slower when their middle grew by half, and by more than a jitter. */
const slowdown = 1.5;
const jitterMs = 5;
/** And fail when so many more of them do. */
const errorsMin = 0.02;

/** `events` are those about one node. */
export function isTroubled(
  events: readonly ModelEvent[],
  { at }: Symptom,
  { lookbackMs }: Pick<WhySettings, "lookbackMs">,
): boolean {
  const cutAt = at - lookbackMs;
  const span = { cutAt, onsetAt: cutAt, alignToOnset: true };
  const isSince = (untilAt: number | undefined): boolean => (untilAt ?? at) >= cutAt;
  const of = <T extends ModelEvent["type"]>(type: T) =>
    events.filter((event): event is Extract<ModelEvent, { type: T }> => event.type === type);
  return (
    of("alert").some(({ resolvedAt }) => isSince(resolvedAt)) ||
    of("condition").some(({ status, untilAt }) => status === "true" && isSince(untilAt)) ||
    of("change").some((change) => change.at >= cutAt) ||
    of("series").some((series: Series) => deviationOf(series, span) !== undefined) ||
    hasNewErrors(of("log"), cutAt) ||
    isCalledOtherwise(
      // A step within the node is not a call of it.
      of("traffic").filter(({ caller, callee }) => caller !== callee),
      cutAt,
    )
  );
}

function hasNewErrors(logs: readonly LogTemplate[], cutAt: number): boolean {
  const errors = logs.filter(({ severity }) => severity === "error");
  const usual = new Set(errors.filter((log) => log.at < cutAt).map(({ template }) => template));
  return errors.some((log) => log.at >= cutAt && !usual.has(log.template));
}

function isCalledOtherwise(traffic: readonly Traffic[], cutAt: number): boolean {
  const [past, now] = [
    sumOf(traffic.filter((each) => each.at < cutAt)),
    sumOf(traffic.filter((each) => each.at >= cutAt)),
  ];
  if (past.count === 0 || now.count === 0) return false;
  const [was, is] = [past.ms / past.count, now.ms / now.count];
  const isSlow = is > was * slowdown && is - was > jitterMs;
  return isSlow || now.errors / now.count - past.errors / past.count > errorsMin;
}

function sumOf(traffic: readonly Traffic[]): { count: number; errors: number; ms: number } {
  const sum = { count: 0, errors: 0, ms: 0 };
  for (const { count, errors, totalMs } of traffic) {
    sum.count += count;
    sum.errors += errors;
    sum.ms += count * (totalMs?.p50 ?? 0);
  }
  return sum;
}
