/** Evidence from telemetry: what deviates from its own past, since when, and who cannot be explained by another. */
import type { Evidence, Step } from "../../answer.ts";
import type { CauseKind } from "../../cause-kind.ts";
import type { Series, Signal } from "../../event.ts";
import { type NodeId, splitNodeId } from "../../graph-words.ts";
import type { Case } from "../case.ts";
import type { Finding, Found } from "../finding.ts";
import type { Anomaly, Aspect } from "./anomaly.ts";
import { type Callees, calleesOf, reachableFrom, wayTo } from "./calls.ts";
import { type Explained, explainAway } from "./explain.ts";
import { logChanges, logWindow } from "./log-changes.ts";
import { changedCalls } from "./missing-calls.ts";
import { activityOf, brokenProportions } from "./proportions.ts";
import { deviationOf, tellingOf } from "./series.ts";
import { slowOperations, slowWays } from "./slow-calls.ts";
import { median, natsOf } from "./statistics.ts";
import { windowsOf } from "./windows.ts";

const seriesKinds: Partial<Record<Signal, readonly [Aspect, CauseKind, own: boolean]>> = {
  latency: ["slow", "code.latency", false],
  availability: ["failing", "code.result", false],
  errors: ["failing", "code.exception", false],
  cpu: ["load", "compute.cpu", true],
  memory: ["load", "compute.memory", true],
};

export function signalEvidence(question: Case): Found {
  const { view, settings } = question;
  const callees: Callees = settings.without.has("topology") ? new Map() : calleesOf(view);
  const anomalies = [...seriesAnomalies(question, callees), ...trafficAnomalies(question)];
  const relevant = aboutSymptom(anomalies, question, callees);
  const explained = explainAway(relevant, callees).filter(
    ({ node }) => settings.without.has("types") || !isObserver(node),
  );
  return { findings: explained.map((each) => findingOf(each, question, callees)) };
}

function isObserver(node: NodeId): boolean {
  return splitNodeId(node)?.kind === "observer";
}

/** Slowness can come of failures and failures of slowness, but trouble mostly travels as what it is. */
const otherAspectShare = 0.3;

/** What can have led to the symptom: below it along calls; its own kind of trouble in full, other kinds in part. */
function aboutSymptom(
  anomalies: readonly Anomaly[],
  { symptom }: Case,
  callees: Callees,
): readonly Anomaly[] {
  const below = symptom.node === undefined ? undefined : reachableFrom(callees, symptom.node);
  const asked = symptom.signal === undefined ? undefined : seriesKinds[symptom.signal]?.[0];
  return anomalies
    .filter(({ node }) => below === undefined || below.size < 2 || below.has(node))
    .map((each) =>
      asked === undefined || each.own || each.aspect === asked
        ? each
        : { ...each, strength: each.strength * otherAspectShare },
    );
}

function seriesAnomalies({ view, symptom, settings }: Case, callees: Callees): Anomaly[] {
  const span = {
    cutAt: symptom.at - settings.lookbackMs,
    onsetAt: symptom.at,
    alignToOnset: !settings.without.has("time"),
  };
  // Where spans tell a node's own time, its whole time says less and is noisier.
  const timed = new Set(view.of("traffic").flatMap(({ callee, selfMs }) => (selfMs ? callee : [])));
  const onPath = placedOf(callees);
  const rates = ratesOf(view.of("series"), span.cutAt);
  return tellingOf(view.of("series")).flatMap((series) => {
    const known = seriesKinds[series.signal];
    if (known?.[2] === false && onPath.size > 0 && !onPath.has(series.node)) return [];
    if (series.signal === "latency" && timed.has(series.node)) return [];
    const deviation = known && deviationOf(series, span);
    if (deviation === undefined || known === undefined) return [];
    const [aspect, kind, own] = known;
    const { z, onsetAt, usual, now } = deviation;
    const says = `${series.name} is ${figure(now)}, usually ${figure(usual)} (${z.toFixed(1)} deviations)`;
    const excess = Math.abs(now - usual) * (rates.get(series.node) ?? 0);
    const { node, origin } = series;
    const about = { node, aspect, own, kind, strength: natsOf(z), onsetAt, says, origin };
    return [own || excess === 0 ? about : { ...about, excess }];
  });
}

/** Requests a second, of late, where they are measured. */
function ratesOf(series: readonly Series[], cutAt: number): ReadonlyMap<NodeId, number> {
  return new Map(
    series
      .filter(({ signal }) => signal === "requests")
      .map(({ node, points }) => [
        node,
        median(points.flatMap(([at, value]) => (at >= cutAt ? value : []))),
      ]),
  );
}

/** Nodes that are known to call or to be called: what others measure of them can be told from what they pass on. */
function placedOf(callees: Callees): ReadonlySet<NodeId> {
  return new Set([...callees].flatMap(([caller, all]) => [caller, ...all]));
}

function figure(value: number): string {
  return String(Number(value.toPrecision(4)));
}

function trafficAnomalies({ view, symptom, settings }: Case): Anomaly[] {
  const cutAt = symptom.at - settings.lookbackMs;
  const windows = windowsOf(view.of("traffic"));
  const [past, now] = [
    windows.filter(({ at }) => at < cutAt),
    windows.filter(({ at }) => at >= cutAt),
  ];
  const logs = windows.map((window) =>
    logWindow(
      window.at,
      view.of("log").filter(({ at }) => at === window.at),
      window.runs,
    ),
  );
  const spoken = logChanges(
    logs.filter(({ at }) => at < cutAt),
    logs.filter(({ at }) => at >= cutAt),
  );
  const activity = windows.map(({ at }) => ({
    at,
    activity: activityOf(
      view.of("traffic").filter((each) => each.at === at),
      view.of("log").filter((each) => each.at === at),
    ),
  }));
  const broken = brokenProportions(
    activity.filter(({ at }) => at < cutAt),
    activity.filter(({ at }) => at >= cutAt),
  );
  return [
    ...broken,
    ...slowOperations(past, now),
    ...slowWays(past, now),
    ...changedCalls(past, now),
    ...spoken,
  ];
}

function findingOf(
  { node, strength, anomalies }: Explained,
  { symptom }: Case,
  callees: Callees,
): Finding {
  const evidence = anomalies.slice(0, 5).map(
    ({ says, strength: weight, onsetAt, origin }): Evidence => ({
      node,
      says,
      weight,
      origin,
      ...(onsetAt === null ? {} : { onsetAt }),
    }),
  );
  const onsets = anomalies.flatMap(({ onsetAt }) => onsetAt ?? []);
  return {
    node,
    kind: anomalies[0]?.kind ?? "code.result",
    weight: strength,
    onsetAt: onsets.length === 0 ? null : Math.min(...onsets),
    path: symptom.node === undefined ? [] : pathOf(callees, symptom.node, node),
    evidence,
  };
}

function pathOf(callees: Callees, symptom: NodeId, cause: NodeId): Step[] {
  const way = wayTo(callees, symptom, cause)?.toReversed() ?? [];
  return way.slice(1).map((to, at) => ({
    from: way[at] ?? cause,
    to,
    edge: "calls",
    because: "a caller waits for its callee and gets its errors",
  }));
}
