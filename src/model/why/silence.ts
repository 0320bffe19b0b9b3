/**
 * Asked about a time of which nothing was measured, though there was something before: what was measured then is of a trouble
 * that may long be over, so nothing is concluded from it. Objects that contradict themselves do so all the same.
 */
import { instantText } from "../../kernel/index.ts";
import type { WhyAnswer } from "../answer.ts";
import type { ModelEvent } from "../event.ts";
import type { Case } from "./case.ts";
import { changeEvidence } from "./changes/index.ts";
import { rank } from "./rank.ts";
import { rememberedEvidence } from "./remembered.ts";
import { ruleEvidence } from "./rules/index.ts";
import type { View } from "./view.ts";

/** That somebody complained is worth less, and may be as old as the telemetry. */
const leastNats = 2;

/** Who asks may be so much too early: what was measured then, where it is known, is of the trouble that is asked about. */
const earlyMs = 5 * 60_000;

/**
 * When something was last measured, called or said, up to `at` and shortly after, by what was known at `knownAt`; undefined:
 * never.
 */
export function newestTelemetryAt(
  events: Iterable<ModelEvent>,
  { at, knownAt }: { readonly at: number; readonly knownAt: number },
): number | undefined {
  let newest = Number.NEGATIVE_INFINITY;
  for (const event of events)
    if (event.knownAt <= knownAt) newest = Math.max(newest, lastOf(event, at + earlyMs));
  return Number.isFinite(newest) ? newest : undefined;
}

function lastOf(event: ModelEvent, at: number): number {
  if (event.type === "series")
    return event.points.findLast(([each]) => each <= at)?.[0] ?? Number.NEGATIVE_INFINITY;
  if ((event.type !== "traffic" && event.type !== "log") || event.at > at)
    return Number.NEGATIVE_INFINITY;
  return Math.min(at, event.untilAt);
}

export function telemetryOf(view: View): readonly ModelEvent[] {
  return [...view.of("series"), ...view.of("traffic"), ...view.of("log")];
}

/** Whether the newest telemetry is older than the trouble can be. */
export function isSilent(
  newestAt: number | undefined,
  { symptom, settings }: Omit<Case, "view">,
): newestAt is number {
  return (
    newestAt !== undefined &&
    newestAt < symptom.at - settings.lookbackMs &&
    !settings.without.has("time")
  );
}

/** What can be said without telemetry. Only what objects themselves say is certain enough to be named. */
export function answerInSilence(question: Case, newestAt: number): WhyAnswer {
  const quiet = { ...question, view: untelling(question.view) };
  const ruled = ruleEvidence(quiet);
  const found = [ruled, changeEvidence(quiet)];
  const answer = rank([...found, rememberedEvidence(found, quiet)]);
  const [first] = answer.causes;
  const isRuled = ruled.findings.some(
    ({ node, kind, weight }) => weight >= leastNats && node === first?.node && kind === first.kind,
  );
  return {
    ...answer,
    verdict: isRuled ? answer.verdict : "insufficient",
    newestTelemetryAt: newestAt,
    checkNext: [saysOf(question, newestAt), ...answer.checkNext],
  };
}

/** Calls still tell who calls whom. */
function untelling(view: View): View {
  const of: View["of"] = (type) => (type === "series" || type === "log" ? [] : view.of(type));
  return { of };
}

/** The same knowledge is asked with; by that of the moment itself, what was told a little later would be missing. */
function saysOf({ symptom, settings }: Case, newestAt: number): string {
  const { knownAt } = settings;
  const known = Number.isFinite(knownAt) ? instantText(knownAt) : "now";
  const [from, to, newest] = [symptom.at - settings.lookbackMs, symptom.at, newestAt].map((at) =>
    instantText(at),
  );
  return `nothing was measured, called or logged from ${from} to ${to}; the newest telemetry is from ${newest}: feed newer telemetry, or ask with --at ${newest} --known-at ${known}`;
}
