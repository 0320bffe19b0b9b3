/** What is wrong, since when, and in which words: what changes are held against. */
import type { LogTemplate, Origin, Series, Signal } from "../../event.ts";
import type { NodeId } from "../../graph-words.ts";
import type { Case } from "../case.ts";
import { type Departure, departureOf } from "./onset.ts";

export interface Departed {
  readonly node: NodeId;
  readonly at: number;
  readonly series: Series;
  readonly departure: Departure;
}

export interface Trouble {
  readonly symptom: NodeId;
  readonly onsetAt: number;
  /** Lines that are said since the onset and were not before, of whoever says them. */
  readonly said: readonly LogTemplate[];
  /** Node and template of every line of the healthy past. */
  readonly known: ReadonlySet<string>;
  /** Lines of the healthy past. */
  readonly normal: readonly LogTemplate[];
  /** Words of the alert: a person's or a monitor's, so of less weight than the system's own. */
  readonly alerted: string;
  /** Measurements that left their past by the time the symptom was seen, other than how many requests there are. */
  readonly departed: readonly Departed[];
  /** Nodes that left their past, or say what they did not, and since when. */
  readonly affected: ReadonlyMap<NodeId, number>;
  readonly origin: Origin;
}

/** Measurements and clocks differ by so much. */
export const toleranceMs: number = 2 * 60_000;

/** Requests come as they come: that there are more or fewer is no trouble of its own. */
const harmless: ReadonlySet<Signal> = new Set(["requests", "network_in", "network_out"]);
/** A line that is said in one time step of the past may be said in trouble too. */
const newnessFactor = 3;

/** Absent where nothing is known of a time before the trouble: then nothing can be said to have changed. */
export function troubleOf(question: Case): Trouble | undefined {
  const { symptom, view, settings } = question;
  const node = symptom.node;
  const isTold = settings.without.has("changes") || view.of("change").length > 0;
  if (node === undefined || !isTold) return undefined;
  const departures = view
    .of("series")
    .filter((series) => !harmless.has(series.signal) && series.at <= symptom.at)
    .flatMap((series) => {
      const departure = departureOf(series);
      if (departure === undefined) return [];
      return [{ node: series.node, at: departure.at, series, departure }];
    });
  const own = departures.filter((each) => each.node === node).map(({ at }) => at);
  const alerts = view.of("alert").filter((alert) => alert.node === node);
  const logs = view.of("log");
  const began = [...own, ...firstErrors(logs, node, question)];
  const onsetAt = Math.min(symptom.at, ...began);
  // Without time every line may be of the trouble.
  const saidFrom = settings.without.has("time")
    ? Number.NEGATIVE_INFINITY
    : beganAt(departures, onsetAt, settings.lookbackMs);
  const said = newLines(logs, saidFrom, symptom.at);
  const normal = logs.filter(({ untilAt }) => untilAt < saidFrom);
  const affected = new Map<NodeId, number>();
  const all: readonly { node: NodeId; at: number }[] = [
    ...departures,
    ...said.filter(({ severity }) => severity === "error" || severity === "warn"),
  ];
  for (const each of all)
    affected.set(each.node, Math.min(affected.get(each.node) ?? each.at, each.at));
  return {
    symptom: node,
    onsetAt,
    said,
    known: new Set(normal.map((log) => `${log.node} ${log.template}`)),
    normal,
    alerted: [symptom.text ?? "", ...alerts.map(({ title }) => title)].join(" "),
    departed: departures,
    affected,
    origin: alerts[0]?.origin ?? { source: "symptom", reference: symptom.text ?? node },
  };
}

/** What is wrong further down is said, and measured, before it shows. */
const beganAt = (departures: readonly Departed[], onsetAt: number, lookbackMs: number): number =>
  Math.min(onsetAt, ...departures.map(({ at }) => at).filter((at) => at >= onsetAt - lookbackMs));

/** When the node began to say errors that it never said before: often before a measurement of it has left its past. */
function firstErrors(
  logs: readonly LogTemplate[],
  node: NodeId,
  { symptom, settings }: Case,
): readonly number[] {
  const cutAt = symptom.at - settings.lookbackMs;
  const own = logs.filter((log) => log.node === node && log.severity === "error");
  const usual = new Set(own.filter(({ at }) => at < cutAt).map(({ template }) => template));
  return own
    .filter(({ at, template }) => at >= cutAt && at <= symptom.at && !usual.has(template))
    .map(({ at }) => at);
}

/** Per node and template: more often a minute since the onset than ever before it. */
function newLines(
  logs: readonly LogTemplate[],
  sinceAt: number,
  untilAt: number,
): readonly LogTemplate[] {
  const startAt = Math.min(untilAt, ...logs.map(({ at }) => at));
  const endAt = Math.max(untilAt, ...logs.map((log) => log.untilAt));
  const fromAt = Math.max(startAt, sinceAt);
  const rates = new Map<string, { before: number; since: number; first: LogTemplate }>();
  for (const log of logs) {
    const key = `${log.node} ${log.template}`;
    const rate = rates.get(key) ?? { before: 0, since: 0, first: log };
    if (log.at < fromAt) rate.before += log.count / Math.max(1, fromAt - startAt);
    else {
      if (rate.since === 0) rate.first = log;
      rate.since += log.count / Math.max(1, endAt - fromAt);
    }
    rates.set(key, rate);
  }
  return [...rates.values()]
    .filter(({ before, since }) => since > before * newnessFactor)
    .map(({ first }) => first);
}
