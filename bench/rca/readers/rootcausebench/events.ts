/** One incident's folder as events: alert, logs, metrics, spans, commits, deploys, flags, and a feed of a provider's state. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { DiffPart, ModelEvent, NodeId, Signal } from "../../../../src/model/index.ts";
import { nodeId } from "../../../../src/model/index.ts";
import { readJson } from "../../files.ts";

type Untold<E> = E extends ModelEvent ? Omit<E, "id" | "knownAt" | "origin"> : never;
type Tell = (file: string, event: Untold<ModelEvent>) => void;

export interface AlertFile {
  readonly service: string;
  readonly metric: string;
  readonly fired_at: string;
  readonly summary: string;
}

/** Parts of the platform report about services; they are none of ours. */
const component =
  /^(?:coredns|kubelet|kernel|systemd|dmesg|containerd|etcd|kube-[\w-]+|cloud-[\w-]+|node-[\w-]+)$/;

export function serviceNode(name: string, isHost = false): NodeId {
  if (isHost) return nodeId("host", name);
  return component.test(name) ? nodeId("object", `Component/${name}`) : nodeId("service", name);
}

export function eventsOf(folder: string, id: string): { events: ModelEvent[]; alert: AlertFile } {
  const events: ModelEvent[] = [];
  const tell: Tell = (file, event) => {
    const told = { id: `${id}/${events.length}`, knownAt: event.at };
    events.push({ ...event, ...told, origin: { source: file, reference: id } } as ModelEvent);
  };
  const file = (name: string): string => join(folder, name);
  const alert = readJson<AlertFile>(file("alert.json"));
  tell("alert.json", {
    type: "alert",
    at: Date.parse(alert.fired_at),
    node: serviceNode(alert.service),
    signal: signalOf(alert.metric),
    title: `${alert.metric} ${alert.summary}`,
  });
  tellLogs(readFileSync(file("logs.ndjson"), "utf8"), tell);
  tellMetrics(readFileSync(file("metrics.csv"), "utf8"), tell);
  tellCalls(readJson<readonly SpanLine[]>(file("traces.json")), tell);
  tellChanges(file("context"), tell);
  const feed = file("status_feed.json");
  if (existsSync(feed)) tellFeed(readJson<FeedFile>(feed), tell);
  return { events, alert };
}

interface LogFileLine {
  readonly timestamp: string;
  readonly service: string;
  readonly severity_text: string;
  readonly msg: string;
}

const severities: Readonly<Record<string, "debug" | "info" | "warn" | "error">> = {
  DEBUG: "debug",
  TRACE: "debug",
  WARN: "warn",
  WARNING: "warn",
  ERROR: "error",
  FATAL: "error",
  CRITICAL: "error",
};
const minuteMs = 60_000;

/** By service, words and minute; numbers and quoted texts vary. */
function tellLogs(text: string, tell: Tell): void {
  const windows = new Map<string, { line: LogFileLine; at: number; count: number }>();
  for (const raw of text.split("\n").filter((each) => each.trim() !== "")) {
    const line = JSON.parse(raw) as LogFileLine;
    const at = Math.floor(Date.parse(line.timestamp) / minuteMs) * minuteMs;
    const key = JSON.stringify([at, line.service, line.severity_text, templateOf(line.msg)]);
    const before = windows.get(key);
    windows.set(key, { line, at, count: (before?.count ?? 0) + 1 });
  }
  for (const { line, at, count } of windows.values())
    tell("logs.ndjson", {
      type: "log",
      at,
      untilAt: at + minuteMs,
      node: serviceNode(line.service),
      severity: severities[line.severity_text] ?? "info",
      template: templateOf(line.msg),
      example: line.msg,
      entry: "",
      count,
    });
}

const templateOf = (line: string): string => line.replace(/[\w.-]*\d[\w.-]*/g, "<*>");

const signalWords: readonly (readonly [RegExp, Signal])[] = [
  [/error|(?:^|_)[45](?:xx|\d\d)(?:_|$)|fail|killed|servfail|reject/, "errors"],
  [/requests?_per|_rps|request_rate|flushed/, "requests"],
  [/duration|latency/, "latency"],
  [/age_seconds|lag|backlog/, "lag"],
  [/restart/, "restarts"],
  [/ready|availability/, "availability"],
  [/disk|buffer_used/, "disk"],
  [/cpu/, "cpu"],
  [/memory|heap|rss/, "memory"],
];

/** Named after a machine, or measured by its exporter. */
const isOfHost = (name: string, metric: string): boolean =>
  metric.startsWith("node_") || /^(?:ip-\d|node-(?!exporter|local|problem))/.test(name);

const signalOf = (metric: string): Signal =>
  signalWords.find(([pattern]) => pattern.test(metric))?.[1] ?? "other";

function tellMetrics(text: string, tell: Tell): void {
  const series = new Map<string, [number, number][]>();
  for (const row of text.trim().split("\n").slice(1)) {
    const [timestamp = "", service = "", metric = "", value = ""] = row.split(",");
    const key = JSON.stringify([service, metric]);
    const points = series.get(key) ?? [];
    points.push([Date.parse(timestamp), Number(value)]);
    series.set(key, points);
  }
  for (const [key, points] of series) {
    const [service = "", metric = ""] = JSON.parse(key) as string[];
    tell("metrics.csv", {
      type: "series",
      at: points[0]?.[0] ?? 0,
      node: serviceNode(service, isOfHost(service, metric)),
      signal: signalOf(metric),
      name: metric,
      points: points.toSorted(([a], [b]) => a - b),
    });
  }
}

interface SpanLine {
  readonly span_id: string;
  readonly parent_id: string | null;
  readonly service: string;
  readonly start: string;
}

function tellCalls(spans: readonly SpanLine[], tell: Tell): void {
  const serviceOf = new Map(spans.map(({ span_id, service }) => [span_id, service]));
  const calls = new Map<string, SpanLine>();
  for (const span of spans) {
    const caller = serviceOf.get(span.parent_id ?? "");
    if (caller !== undefined && caller !== span.service)
      calls.set(JSON.stringify([caller, span.service]), span);
  }
  for (const [key, { start }] of calls) {
    const [from = "", to = ""] = JSON.parse(key) as string[];
    tell("traces.json", {
      type: "edge",
      at: Date.parse(start),
      from: serviceNode(from),
      to: serviceNode(to),
      kind: "calls",
      basis: "observed",
    });
  }
}

interface CommitLine {
  readonly sha: string;
  readonly author: string;
  readonly timestamp: string;
  readonly message: string;
  readonly files_changed: readonly string[];
  readonly diff: string | null;
}

interface DeployLine {
  readonly timestamp: string;
  readonly service: string;
  readonly commit_sha: string;
  readonly version?: string;
}

interface FlagLine {
  readonly timestamp: string;
  readonly flag: string;
  readonly service: string;
  readonly change: string;
}

function tellChanges(folder: string, tell: Tell): void {
  for (const commit of readJson<readonly CommitLine[]>(join(folder, "commits.json")))
    tell("commits.json", {
      type: "change",
      at: Date.parse(commit.timestamp),
      change: nodeId("commit", commit.sha),
      kind: "commit",
      targets: [],
      title: commit.message,
      actor: commit.author,
      diff: diffOf(commit),
    });
  for (const deploy of readJson<readonly DeployLine[]>(join(folder, "deploys.json")))
    tell("deploys.json", {
      type: "change",
      at: Date.parse(deploy.timestamp),
      change: nodeId("deploy", `${deploy.service}@${deploy.timestamp}@${deploy.commit_sha}`),
      kind: "deploy",
      targets: [serviceNode(deploy.service)],
      title: `${deploy.service} ${deploy.version ?? deploy.commit_sha}`,
      causedBy: [nodeId("commit", deploy.commit_sha)],
    });
  const flags = join(folder, "flags.json");
  if (!existsSync(flags)) return;
  for (const flag of readJson<readonly FlagLine[]>(flags))
    tell("flags.json", {
      type: "change",
      at: Date.parse(flag.timestamp),
      change: nodeId("flag", flag.flag),
      kind: "flag",
      targets: [serviceNode(flag.service)],
      title: `${flag.flag} ${flag.change}`,
      diff: [{ path: flag.flag, removed: [], added: [flag.flag] }],
    });
}

/** Hunks of `@@ path @@`, or of `+++ b/path`; where a hunk names none, the one file that changed is meant. */
export function diffOf({ diff, files_changed }: CommitLine): DiffPart[] {
  const parts = new Map<string, { removed: string[]; added: string[] }>();
  let path = files_changed[0] ?? "";
  for (const line of (diff ?? "").split("\n")) {
    const named = files_changed.find(
      (file) => /^(?:@@|\+\+\+|diff)/.test(line) && line.includes(file),
    );
    path = named ?? path;
    if (/^(?:@@|\+\+\+|---|diff )/.test(line)) continue;
    const part = parts.get(path) ?? { removed: [], added: [] };
    if (line.startsWith("-")) part.removed.push(line.slice(1));
    if (line.startsWith("+")) part.added.push(line.slice(1));
    parts.set(path, part);
  }
  return files_changed.map((file) => ({ path: file, removed: [], added: [], ...parts.get(file) }));
}

interface FeedFile {
  readonly source?: string;
  readonly component?: string;
  readonly events?: readonly { timestamp: string; status: string; detail: string }[];
}

function tellFeed({ component: name = "provider", events = [] }: FeedFile, tell: Tell): void {
  for (const { timestamp, status, detail } of events)
    tell("status_feed.json", {
      type: "condition",
      at: Date.parse(timestamp),
      node: nodeId("external", name),
      name: status,
      status: /operational|resolved|ok/i.test(status) ? "false" : "true",
      message: detail,
    });
}
