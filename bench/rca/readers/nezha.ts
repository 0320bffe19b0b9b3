/** Nezha's two systems: metrics a minute, traces, and logs in one of them, around an injected fault. */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import type { ModelEvent, Series, Signal } from "../../../src/model/index.ts";
import { foldLogs, foldSpans, nodeId } from "../../../src/model/index.ts";
import { caseIds, readJson } from "../files.ts";
import type { Incident, Reader } from "../reader.ts";
import { asTold, type Telling } from "../telling.ts";
import { byServiceName } from "./service-ranking.ts";

/** `[trace, span, parent or -1, service, operation, start in µs, duration in µs]` */
type SpanRow = readonly [number, number, number, string, string, number, number];
/** `[time in µs, service, trace or -1, span or -1, text]` */
type LogRow = readonly [number, string, number, number, string];

interface Window {
  readonly phase: "before" | "after";
  readonly minute: string;
  readonly spans: readonly SpanRow[];
  readonly logs?: readonly LogRow[];
}

interface Case {
  readonly day: string;
  readonly alert_time: string;
  readonly metrics: Readonly<Record<string, Readonly<Record<string, readonly (number | null)[]>>>>;
  readonly windows: readonly Window[];
}

const minuteMs = 60_000;
const source = "nezha";

/** Rates of success and connections are constant there, or not described: they stay `other`. */
const signalOf: Readonly<Record<string, Signal>> = {
  "CpuUsageRate(%)": "cpu",
  "MemoryUsageRate(%)": "memory",
  NetworkReceiveBytes: "network_in",
  NetworkTransmitBytes: "network_out",
  "PodClientLatencyP90(s)": "other",
  "PodServerLatencyP90(s)": "latency",
  "PodWorkload(Ops)": "requests",
};

/** Percent become a ratio, seconds milliseconds. */
const unitOf: Partial<Record<Signal, number>> = { cpu: 0.01, memory: 0.01, latency: 1000 };

const nodeOf = (service: string): string => nodeId("service", service);

export const nezha: Reader = (folder, telling = asTold) => {
  const normals = normalWindows(folder);
  return {
    ids: caseIds(folder),
    read: (id) => incidentOf(id, readJson(join(folder, "cases", `${id}.json`)), normals, telling),
    ...byServiceName(({ kind, name }) => (kind === "service" ? name : undefined)),
  };
};

function normalWindows(folder: string): (Window & { day: string })[] {
  return readdirSync(folder)
    .filter((name) => name.startsWith("normal_"))
    .sort()
    .map((name) => readJson(join(folder, name.replace(/\.gz$/, ""))));
}

function incidentOf(
  id: string,
  file: Case,
  normals: readonly (Window & { day: string })[],
  telling: Telling,
): Incident {
  const alertAt = Date.parse(file.alert_time);
  const before = file.windows.filter(({ phase }) => phase === "before");
  const after = file.windows.filter(({ phase }) => phase === "after");
  const events = [
    ...seriesOf(id, file, alertAt),
    ...normals.flatMap((window, at) =>
      windowEvents(`${id} normal ${at}`, window, alertAt - (60 + at) * minuteMs, telling),
    ),
    ...before.flatMap((window, at) =>
      windowEvents(
        `${id} before ${at}`,
        window,
        alertAt - (before.length - at) * minuteMs,
        telling,
      ),
    ),
    ...after.flatMap((window, at) =>
      windowEvents(`${id} after ${at}`, window, alertAt + at * minuteMs, telling),
    ),
  ];
  return { id, events, symptom: { at: alertAt }, settings: { lookbackMs: 30_000 } };
}

function windowEvents(
  id: string,
  { spans, logs }: Window,
  at: number,
  telling: Telling,
): ModelEvent[] {
  const folding = { id, source, window: { at, untilAt: at + minuteMs } };
  const told = spans.map(([trace, span, parent, service, operation, startUs, durationUs]) => ({
    trace: String(trace),
    id: String(span),
    parent: parent < 0 ? null : String(parent),
    ...{ service, operation, startUs, durationUs },
  }));
  const { traffic, entries } = foldSpans(telling.spans(id, told), folding);
  const lines = (logs ?? []).map(([timeUs, service, trace, , text]) => ({
    at: timeUs / 1000,
    ...{ service, text },
    ...(trace < 0 ? {} : { trace: String(trace) }),
  }));
  return [...traffic, ...foldLogs(telling.lines(id, lines), { ...folding, entries }).logs];
}

function seriesOf(id: string, { metrics }: Case, alertAt: number): Series[] {
  return Object.entries(metrics).flatMap(([service, columns]) =>
    Object.entries(columns).flatMap(([name, values]) => {
      const signal = signalOf[name];
      if (signal === undefined) return [];
      const points = values.flatMap((value, at) =>
        value === null
          ? []
          : [[alertAt + (columns["t"]?.[at] ?? 0) * 1000, value * (unitOf[signal] ?? 1)] as const],
      );
      const at = points[0]?.[0] ?? alertAt;
      const origin = { source, reference: `${id}#metrics.${service}.${name}` };
      const told = { id: `${id} ${service} ${name}`, at, knownAt: at, origin };
      return [{ type: "series", ...told, node: nodeOf(service), signal, name, points }];
    }),
  );
}
