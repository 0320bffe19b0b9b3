/**
 * Metrics of OTLP as series in the model's signals. Histograms of durations become mean latency, rate and share of errors;
 * what only ever grows becomes a rate, from one export to the next; a gauge is what it says.
 */
import type { JsonObject, JsonValue } from "../../kernel/index.ts";
import type { Signal } from "../../model/index.ts";
import { at, listAt, textAt } from "./members.ts";
import {
  type Attributes,
  attributesOf,
  firstOf,
  microsecondsAt,
  resourcesOf,
  serviceOf,
} from "./otlp-resource.ts";
import { nameOf } from "./source.ts";

export interface MetricSeries {
  readonly service: string;
  readonly signal: Signal;
  readonly name: string;
  readonly operation?: string;
  readonly points: readonly (readonly [at: number, value: number])[];
}

export interface Sample {
  readonly at: number;
  readonly startAt: number;
  readonly value: number;
  readonly count: number;
}

/** One stream of samples: one metric of one replica of a service with one set of attributes. */
interface Stream {
  readonly service: string;
  readonly name: string;
  readonly unit: string;
  readonly operation: string | undefined;
  readonly isError: boolean;
  readonly hasStatus: boolean;
  readonly kind: "gauge" | "delta" | "cumulative";
  readonly isHistogram: boolean;
  readonly samples: Sample[];
}

const delta = new Set<JsonValue>([1, "AGGREGATION_TEMPORALITY_DELTA"]);
const streamsMax = 50_000;
/** Namespaces of the semantic conventions for what a process runs in (opentelemetry.io/docs/specs/semconv/runtime). */
const ofRuntime =
  /^(?:process|jvm|nodejs|v8js|dotnet|go|cpython|system|container|k8s|hw)\.|\bgc\b|garbage/i;

const signalWords: readonly (readonly [RegExp, Signal])[] = [
  [/cpu/i, "cpu"],
  [/memory|heap|rss/i, "memory"],
  [/disk|filesystem/i, "disk"],
  [/network.*(?:receive|\.in)|receive.*bytes/i, "network_in"],
  [/network.*(?:transmit|\.out)|transmit.*bytes/i, "network_out"],
  [/restart/i, "restarts"],
  [/lag|queue|backlog/i, "lag"],
  [/error|fail/i, "errors"],
];

/** By stream, the last sample of what was read before: what a counter has come to says nothing without it. */
export type LastSamples = Map<string, Sample>;

export interface ReadMetrics {
  readonly series: readonly MetricSeries[];
  /** Streams beyond what one batch tells apart; left out. */
  readonly leftOut: number;
}

/** `last` is read, and kept up for the next. */
export function seriesIn(values: readonly JsonObject[], last: LastSamples): ReadMetrics {
  const streams = new Map<string, Stream>();
  let leftOut = 0;
  for (const value of values)
    for (const [resource, metric] of resourcesOf(value, [
      "resourceMetrics",
      "scopeMetrics",
      "metrics",
    ]))
      leftOut += addMetric(streams, resource, metric);
  const groups = new Map<string, Stream[]>();
  for (const [name, stream] of streams) {
    stream.samples.sort((a, b) => a.at - b.at);
    if (stream.kind === "cumulative") goOn(stream.samples, name, last);
    const key = JSON.stringify([stream.service, stream.name, stream.operation ?? ""]);
    groups.set(key, [...(groups.get(key) ?? []), stream]);
  }
  return {
    series: [...groups.values()].flatMap(seriesOf).filter(({ points }) => points.length > 0),
    leftOut,
  };
}

/** Exporters tell what a counter has come to, one sample an export: the first of these goes on where the last ended. */
function goOn(samples: Sample[], name: string, last: LastSamples): void {
  const [first, newest] = [samples[0], samples.at(-1)];
  const before = last.get(name);
  if (newest !== undefined && newest.at > (before?.at ?? Number.NEGATIVE_INFINITY))
    if (last.has(name) || last.size < streamsMax) last.set(name, newest);
  if (before !== undefined && first !== undefined && before.at < first.at) samples.unshift(before);
}

/** How many points were left out. */
function addMetric(streams: Map<string, Stream>, resource: Attributes, metric: JsonValue): number {
  const service = serviceOf(resource);
  // Each replica counts for itself.
  const replica = [...resource].sort();
  const name = nameOf(textAt(metric, "name") ?? "");
  const unit = textAt(metric, "unit") ?? "";
  let leftOut = 0;
  for (const form of ["gauge", "sum", "histogram"] as const) {
    const told = at(metric, form);
    const kind = kindOf(form, told);
    for (const point of listAt(told, "dataPoints")) {
      const attributes = attributesOf(point);
      const sample = sampleOf(point, form === "histogram");
      if (sample === undefined) continue;
      const key = JSON.stringify([replica, name, form, [...attributes].sort()]);
      const stream = streams.get(key) ?? {
        ...{ service, name, unit, operation: operationOf(attributes), kind },
        ...{
          isError: isError(attributes),
          hasStatus: statuses.some((name) => attributes.has(name)),
        },
        ...{ isHistogram: form === "histogram", samples: [] },
      };
      const hasRoom = streams.has(key) || streams.size < streamsMax;
      if (hasRoom) streams.set(key, stream).get(key)?.samples.push(sample);
      else leftOut += 1;
    }
  }
  return leftOut;
}

function kindOf(form: "gauge" | "sum" | "histogram", told: JsonValue | undefined): Stream["kind"] {
  if (form === "gauge" || (form === "sum" && at(told, "isMonotonic") !== true)) return "gauge";
  return delta.has(at(told, "aggregationTemporality") ?? 0) ? "delta" : "cumulative";
}

function sampleOf(point: JsonValue, isHistogram: boolean): Sample | undefined {
  const us = microsecondsAt(point, "timeUnixNano");
  const value = Number(
    at(point, isHistogram ? "sum" : "asDouble") ?? at(point, "asInt") ?? Number.NaN,
  );
  const count = Number(at(point, "count") ?? 0);
  if (us === undefined || !Number.isFinite(value) || !Number.isFinite(count)) return undefined;
  // Left out or 0, it is not known.
  const startUs = microsecondsAt(point, "startTimeUnixNano") ?? Number.NEGATIVE_INFINITY;
  return { at: Math.floor(us / 1_000), startAt: Math.floor(startUs / 1_000), value, count };
}

function operationOf(attributes: Attributes): string | undefined {
  const route = firstOf(
    attributes,
    "http.route",
    "rpc.method",
    "messaging.destination.name",
    "url.template",
  );
  if (route === undefined) return undefined;
  const method = firstOf(attributes, "http.request.method", "http.method", "rpc.service");
  return nameOf(method === undefined ? route : `${method} ${route}`);
}

/** Codes of gRPC that a server is at fault for (opentelemetry.io/docs/specs/semconv/rpc/grpc, by number and name). */
const rpcFaults =
  /^(?:2|4|12|13|14|15|UNKNOWN|DEADLINE_EXCEEDED|UNIMPLEMENTED|INTERNAL|UNAVAILABLE|DATA_LOSS)$/;

function isError(attributes: Attributes): boolean {
  const status = Number(firstOf(attributes, "http.response.status_code", "http.status_code") ?? 0);
  const rpc = firstOf(attributes, "rpc.grpc.status_code", "rpc.response.status_code") ?? "";
  return attributes.has("error.type") || status >= 500 || rpcFaults.test(rpc);
}

/** By which a metric tells what failed. One that has none of these knows nothing of failures, which is not that there are none. */
const statuses = [
  "http.response.status_code",
  "http.status_code",
  "rpc.grpc.status_code",
  "rpc.response.status_code",
  "error.type",
];

/** Streams of one metric, service and operation, which differ in what else their attributes say. */
function seriesOf(streams: readonly Stream[]): readonly MetricSeries[] {
  const [first] = streams;
  if (first === undefined) return [];
  const { service, name, unit, operation } = first;
  const base = { service, ...(operation !== undefined && { operation }) };
  const signal = signalWords.find(([word]) => word.test(name))?.[1] ?? "other";
  if (first.kind === "gauge")
    return [{ ...base, name, signal, points: merged(streams, ({ value }) => value) }];
  const steps = streams.map((stream) => ({ ...stream, samples: stepsOf(stream) }));
  const rate = merged(steps, ({ value, at: until, startAt }) => perSecond(value, startAt, until));
  if (!first.isHistogram) return [{ ...base, name: `${name} (rate)`, signal, points: rate }];
  const counts = merged(steps, ({ count }) => count);
  const sums = new Map(merged(steps, ({ value }) => value));
  const failures = new Map(
    merged(
      steps.filter((each) => each.isError),
      ({ count }) => count,
    ),
  );
  // What a client measures is the time of others; what a runtime does (collecting garbage) is no request.
  const isTime =
    /duration|latency|time/i.test(name) && !/client/i.test(name) && !ofRuntime.test(name);
  const factor = unit === "s" ? 1_000 : 1;
  const mean = counts
    .filter(([, count]) => count > 0)
    .map(
      ([when, count]) => [when, ((sums.get(when) ?? 0) / count) * (isTime ? factor : 1)] as const,
    );
  if (!isTime) return [{ ...base, name: `${name} (mean)`, signal, points: mean }];
  const requests = merged(steps, ({ count, at: until, startAt }) =>
    perSecond(count, startAt, until),
  );
  const errors = counts
    .filter(([, count]) => count > 0)
    .map(([when, count]) => [when, (failures.get(when) ?? 0) / count] as const);
  return [
    { ...base, name: `${name} (mean)`, signal: "latency", points: mean },
    { ...base, name: `${name} (rate)`, signal: "requests", points: requests },
    ...(streams.some(({ hasStatus }) => hasStatus)
      ? [{ ...base, name: `${name} (errors)`, signal: "errors" as const, points: errors }]
      : []),
  ];
}

/** What was added between one sample and the next. A counter that begins anew begins at 0. */
function stepsOf({ kind, samples }: Stream): Sample[] {
  if (kind === "delta") return samples;
  return samples.slice(1).map((sample, index) => {
    const before = samples[index] ?? sample;
    const isAnew =
      sample.value < before.value || sample.count < before.count || sample.startAt > before.at;
    return {
      at: sample.at,
      startAt: isAnew ? Math.max(sample.startAt, before.at) : before.at,
      value: isAnew ? sample.value : sample.value - before.value,
      count: isAnew ? sample.count : sample.count - before.count,
    };
  });
}

/** Streams together, sample by sample of the same time. */
function merged(
  streams: readonly Pick<Stream, "samples">[],
  amountOf: (sample: Sample) => number,
): readonly (readonly [number, number])[] {
  const sums = new Map<number, number>();
  for (const { samples } of streams)
    for (const sample of samples)
      sums.set(sample.at, (sums.get(sample.at) ?? 0) + amountOf(sample));
  return [...sums].sort(([a], [b]) => a - b);
}

function perSecond(value: number, startAt: number, until: number): number {
  return until > startAt ? (value * 1_000) / (until - startAt) : 0;
}
