/** Whether the operation that is complained about is in trouble at all: a node may fail in one and serve the others well. */
import type { Traffic } from "../../event.ts";
import type { Case } from "../case.ts";
import type { View } from "../view.ts";
import type { Anomaly } from "./anomaly.ts";
import { deviationOf } from "./series.ts";
import { spanOf } from "./series-anomalies.ts";
import { weightedMedian } from "./statistics.ts";
import { trafficAnomalies } from "./traffic-anomalies.ts";

/** What takes less than a fifth longer is as usual. */
const slowerLeast = Math.log(1.2);
/** Other changes, by the logarithm of their nats: less than one nat there always is. */
const changedLeast = Math.log1p(1);
/** Of calls that come so much more rarely than ever, the rest may be missing. */
const rarerShare = 0.5;

export interface OperationCheck {
  /** Undefined: it was not called in the lookback, or never before it. */
  readonly isUsual: boolean | undefined;
  /** What was looked at. */
  readonly says: string;
}

/** Undefined where no operation is asked about, or nobody is told how it was called. */
export function checkOperation(question: Case): OperationCheck | undefined {
  const { node, operation } = question.symptom;
  const { settings, view } = question;
  if (node === undefined || operation === undefined || settings.without.has("time"))
    return undefined;
  const calls = view
    .of("traffic")
    .filter((each) => each.callee === node && each.operation === operation);
  const span = spanOf(question);
  const measured = view
    .of("series")
    .filter((each) => each.node === node && each.operation === operation);
  if (calls.length + measured.length === 0) return undefined;
  const past = calls.filter((each) => each.at < span.cutAt);
  const now = calls.filter((each) => each.at >= span.cutAt);
  const isDeviating = measured.some((each) => deviationOf(each, span) !== undefined);
  const says = saysOf(operation, past, now);
  if (calls.length > 0 && (past.length === 0 || now.length === 0))
    return { isUsual: isDeviating ? false : undefined, says };
  const isChanged = isDeviating || isSlower(past, now) || isRarer(past, now);
  return { isUsual: !isChanged && !anomaliesOf(question).some(isTelling), says };
}

/** As all traffic is looked at, of this operation and the calls that it makes alone. */
function anomaliesOf(question: Case): readonly Anomaly[] {
  const { node, operation } = question.symptom;
  const isOwn = ({ caller, callee, callerOperation, ...each }: Traffic) =>
    (callee === node && each.operation === operation) ||
    (caller === node && callerOperation === operation);
  const of = ((type) => {
    if (type === "log") return [];
    return type === "traffic" ? question.view.of("traffic").filter(isOwn) : question.view.of(type);
  }) as View["of"];
  return trafficAnomalies({ ...question, view: { of } }).filter((each) => each.node === node);
}

const isTelling = ({ aspect, strength }: Anomaly): boolean =>
  strength >= (aspect === "slow" ? slowerLeast : changedLeast);

type Quantile = "p50" | "p90";

/** The whole call, with what others add to it. */
function isSlower(past: readonly Traffic[], now: readonly Traffic[]): boolean {
  return (["p50", "p90"] as const).some((which) => {
    const highest = Math.max(...byWindow(past).map((each) => timeOf(each, which)));
    return timeOf(now, which) + 1 > (highest + 1) * Math.exp(slowerLeast);
  });
}

/** Milliseconds at the median of the calls; 0 where nothing is measured. */
function timeOf(calls: readonly Traffic[], which: Quantile): number {
  const times = calls.flatMap(({ totalMs, selfMs, count }) => {
    const quantiles = totalMs ?? selfMs;
    return quantiles === null ? [] : [[quantiles[which], count] as const];
  });
  return times.length === 0 ? 0 : weightedMedian(times);
}

function isRarer(past: readonly Traffic[], now: readonly Traffic[]): boolean {
  const [before, since] = [past, now].map((calls) => byWindow(calls).map(countOf));
  const mean = countOf(now) / (since?.length ?? 1);
  return mean < rarerShare * Math.min(...(before ?? []));
}

function byWindow(calls: readonly Traffic[]): readonly (readonly Traffic[])[] {
  return [...new Set(calls.map(({ at }) => at))].map((at) =>
    calls.filter((each) => each.at === at),
  );
}

const countOf = (calls: readonly Traffic[]): number =>
  calls.reduce((sum, { count }) => sum + count, 0);

function saysOf(operation: string, past: readonly Traffic[], now: readonly Traffic[]): string {
  const of = (calls: readonly Traffic[]): string => {
    const failed = calls.reduce((sum, { errors }) => sum + errors, 0);
    const isTimed = calls.some(({ totalMs, selfMs }) => totalMs !== null || selfMs !== null);
    const time = isTimed ? `, half took at most ${timeOf(calls, "p50").toFixed(1)} ms` : "";
    return `${countOf(calls)} calls, ${failed} failed${time}`;
  };
  if (past.length + now.length === 0) return `what is measured of "${operation}" is as usual`;
  if (now.length === 0)
    return `"${operation}" was not called in the lookback (before: ${of(past)})`;
  return `"${operation}" in the lookback: ${of(now)}; before: ${past.length === 0 ? "never called" : of(past)}`;
}
