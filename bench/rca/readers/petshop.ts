/** PetShop: latency, availability and requests of each node of a cloud's service map, in steps of five minutes. */
import { join } from "node:path";
import type { ModelEvent, NodeKind, Signal } from "../../../src/model/index.ts";
import { nodeId } from "../../../src/model/index.ts";
import { caseIds, readJson } from "../files.ts";
import type { Incident, OpenSet, Reader } from "../reader.ts";
import { byServiceName } from "./service-ranking.ts";

type Values = readonly (number | null)[];
type Measured = Readonly<Record<string, Readonly<Record<string, Values>>>>;

interface Recording {
  readonly t: readonly number[];
  readonly series: Readonly<Record<string, Measured>>;
}

interface Target {
  readonly node: string;
  readonly metric: "latency" | "availability";
}

interface Case {
  readonly target: Target;
  readonly alert_time: number;
  readonly incident: Recording;
}

interface ServiceMap {
  readonly nodes: readonly string[];
  readonly edges: readonly (readonly [string, string])[];
}

const source = "petshop";
const stepMs = 300_000;
/** So many steps an incident has. */
const windowSteps = 5;

export const petshop: Reader = (folder) => {
  const map = readJson<ServiceMap>(join(folder, "graph.json"));
  const normal = readJson<Recording>(join(folder, "normal.json"));
  const ids = caseIds(folder);
  const fileOf = (id: string) => readJson<Case>(join(folder, "cases", `${id}.json`));
  return {
    ids,
    read: (id) => {
      const { target, alert_time, incident } = fileOf(id);
      return incidentOf(id, { map, normal, incident, target, at: alert_time * 1000 });
    },
    ...byServiceName(({ name }) => name),
    healthy: healthyWindows(map, normal, targetsOf(ids.map((id) => fileOf(id).target))),
  };
};

/** The front is watched: its latency and its availability, wherever cases name others too. */
function targetsOf(targets: readonly Target[]): Target[] {
  const byName = new Map(targets.map((target) => [`${target.node} ${target.metric}`, target]));
  return [...byName].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, target]) => target);
}

/** Each stretch of the normal recording, compared with the rest of it, for each target in turn. */
function healthyWindows(
  map: ServiceMap,
  normal: Recording,
  targets: readonly Target[],
): NonNullable<OpenSet["healthy"]> {
  const starts = Array.from(
    { length: Math.floor(normal.t.length / windowSteps) },
    (_, at) => at * windowSteps,
  );
  const windows = new Map<string, { start: number; target: Target }>(
    starts.flatMap((start) =>
      targets.map((target) => [`healthy-${start}-${target.metric}`, { start, target }] as const),
    ),
  );
  const cut = (keep: (at: number) => boolean): Recording => ({
    t: normal.t.filter((_, at) => keep(at)),
    series: mapValues(normal.series, (metrics) =>
      mapValues(metrics, (aggregations) =>
        mapValues(aggregations, (values) => values.filter((_, at) => keep(at))),
      ),
    ),
  });
  return {
    ids: [...windows.keys()],
    read: (id) => {
      const { start, target } = windows.get(id) ?? { start: 0, target: targets[0] as Target };
      const inside = (at: number) => at >= start && at < start + windowSteps;
      const incident = cut(inside);
      // As in the incidents, the question is asked within the second or third step.
      const at = (incident.t[1] ?? 0) * 1000 + stepMs * 0.75;
      return incidentOf(id, { map, normal: cut((step) => !inside(step)), incident, target, at });
    },
  };
}

function mapValues<V, W>(
  record: Readonly<Record<string, V>>,
  of: (value: V) => W,
): Record<string, W> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, of(value)]));
}

interface Told {
  readonly map: ServiceMap;
  readonly normal: Recording;
  readonly incident: Recording;
  readonly target: Target;
  readonly at: number;
}

function incidentOf(id: string, { map, normal, incident, target, at }: Told): Incident {
  const firstAt = (incident.t[0] ?? 0) * 1000;
  // The normal days were recorded at another time than the incidents; they are told as the past of each.
  const shift = firstAt - stepMs - (normal.t.at(-1) ?? 0) * 1000;
  const past = { ...normal, t: normal.t.map((second) => second * 1000 + shift) };
  const now = { ...incident, t: incident.t.map((second) => second * 1000) };
  return {
    id,
    symptom: { at, node: nodeOf(target.node), signal: target.metric },
    events: [...edgesOf(map, past.t[0] ?? 0), ...seriesOf(id, past, now)],
    settings: { lookbackMs: at - firstAt },
  };
}

function seriesOf(id: string, past: Recording, now: Recording): ModelEvent[] {
  const nodes = [...new Set([...Object.keys(past.series), ...Object.keys(now.series)])];
  return nodes.flatMap((node) => {
    const metrics = now.series[node] ?? past.series[node] ?? {};
    return Object.entries(metrics).flatMap(([metric, aggregations]) =>
      Object.keys(aggregations).map((aggregation): ModelEvent => {
        const name = `${metric} ${aggregation}`;
        const of = ({ t, series }: Recording) =>
          pointsOf(t, series[node]?.[metric]?.[aggregation] ?? [], metric as Signal);
        return {
          type: "series",
          id: `${id} ${node} ${name}`,
          at: past.t[0] ?? 0,
          knownAt: past.t[0] ?? 0,
          origin: { source, reference: `${id}#${node}.${metric}.${aggregation}` },
          node: nodeOf(node),
          signal: metric as Signal,
          name,
          points: [...of(past), ...of(now)],
        };
      }),
    );
  });
}

/** Seconds become milliseconds, and percent a ratio. */
const unitOf: Partial<Record<Signal, number>> = {
  latency: 1000,
  availability: 0.01,
  requests: 1000 / stepMs,
};

function pointsOf(times: readonly number[], values: Values, signal: Signal): [number, number][] {
  return values.flatMap((value, at): [number, number][] =>
    value === null ? [] : [[times[at] ?? 0, value * (unitOf[signal] ?? 1)]],
  );
}

function edgesOf({ edges }: ServiceMap, at: number): ModelEvent[] {
  return edges.map(([from, to]) => ({
    type: "edge",
    id: `${from} calls ${to}`,
    at,
    knownAt: at,
    origin: { source, reference: "graph.json" },
    from: nodeOf(from),
    to: nodeOf(to),
    kind: kindOf(from) === "observer" && kindOf(to) !== "observer" ? "observes" : "calls",
    basis: "observed",
  }));
}

/**
 * The map has several views of one thing: `_client` and `_remote` are what the other side of a call saw, a stage of an
 * API gateway and `AWS::Lambda` stand before the function that they invoke.
 */
function kindOf(name: string): NodeKind {
  if (/_(?:client|remote)$|_AWS::(?:Lambda|ApiGateway::Stage)$/.test(name)) return "observer";
  if (/::(?:Table|SQL)$/.test(name)) return "database";
  if (/::Queue$/.test(name)) return "queue";
  return /^(\w+)_AWS::\1$/.test(name) ? "external" : "service";
}

function nodeOf(name: string): string {
  return nodeId(kindOf(name), name);
}
