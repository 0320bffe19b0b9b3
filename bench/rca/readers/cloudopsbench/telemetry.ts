/** Who calls whom, what the logs say, what was probed, what alerted, and what was measured. */
import {
  isJsonArray,
  isJsonObject,
  type JsonObject,
  type JsonValue,
} from "../../../../src/kernel/index.ts";
import { type NodeId, nodeId, type Signal } from "../../../../src/model/index.ts";
import type { CloudOpsCase } from "./case.ts";
import type { Teller } from "./teller.ts";

export function tellTelemetry(given: CloudOpsCase, teller: Teller): void {
  tellCalls(given, teller);
  tellLogs(given, teller);
  tellProbes(given, teller);
  tellAlerts(given, teller);
  tellSeries(given, teller);
}

/** A tree of `├──` below `[Downstream (Calls)]:`; the depth of a name is its distance from the root. */
function tellCalls(given: CloudOpsCase, teller: Teller): void {
  const pairs = Object.entries(given.dependencies).flatMap(([name, text]) => [
    ...downstream(name, text),
    ...upstream(name, text),
  ]);
  for (const pair of new Set(pairs)) {
    const [from = "", to = ""] = pair.split(" ");
    teller.tell(`dependencies of ${from}`, {
      type: "edge",
      at: teller.now,
      from: nodeId("service", from),
      to: nodeId("service", to),
      kind: "calls",
      basis: "declared",
    });
  }
  for (const name of Object.keys(given.dependencies))
    teller.tell(`dependencies of ${name}`, {
      type: "edge",
      at: teller.now,
      from: nodeId("workload", `${given.namespace}/${name}`),
      to: nodeId("service", name),
      kind: "part_of",
      basis: "declared",
    });
}

/** `caller callee`, of the tree below a service. */
function downstream(name: string, text: string): readonly string[] {
  const [, tree = ""] = text.split(/\[Downstream \(Calls\)\]:\s*\n/);
  const above: string[] = [name];
  return tree.split("\n").flatMap((line) => {
    const match = /^([│├└─\s]*)[├└]──\s*([\w.-]+)/.exec(line);
    if (match === null) return [];
    const depth = Math.floor((match[1] ?? "").length / 4) + 1;
    const callee = match[2] ?? "";
    above[depth] = callee;
    return [`${above[depth - 1] ?? name} ${callee}`];
  });
}

function upstream(name: string, text: string): readonly string[] {
  const [, callers = ""] = /\[Upstream \(Called By\)\]:(.*)/.exec(text) ?? [];
  return callers
    .split(",")
    .map((part) => part.trim())
    .filter((caller) => /^[\w.-]+$/.test(caller))
    .map((caller) => `${caller} ${name}`);
}

/** What varies from line to line of a log: times, addresses, identifiers, numbers. */
const varying =
  /\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d\S*|\b[0-9a-f]{8}-[0-9a-f-]{27}\b|\b\d+\.\d+\.\d+\.\d+(?::\d+)?\b|\b[0-9a-f]{16,}\b|\b\d+\b/g;
const exampleCharactersMax = 4_000;

function tellLogs(given: CloudOpsCase, teller: Teller): void {
  for (const [service, value] of Object.entries(given.errorLogs)) {
    const counts = new Map<string, { count: number; example: string }>();
    for (const { text, count } of logSamples(value)) {
      const example = text.slice(0, exampleCharactersMax);
      const template = example.replace(varying, "<*>");
      const before = counts.get(template);
      counts.set(template, {
        count: (before?.count ?? 0) + count,
        example: before?.example ?? example,
      });
    }
    for (const [template, { count, example }] of counts)
      teller.tell(`logs of ${service}`, {
        type: "log",
        at: teller.now,
        untilAt: teller.now,
        node: nodeId("service", service),
        severity: "error",
        template,
        example,
        entry: "",
        count,
      });
  }
}

interface Sample {
  readonly text: string;
  readonly count: number;
}

/** Summaries are lists of lines, or of patterns with counts, now and then as text of JSON, by container and restart. */
function logSamples(value: unknown): readonly Sample[] {
  if (typeof value === "string") {
    const parsed = value.startsWith("[") || value.startsWith("{") ? parsedJson(value) : undefined;
    return parsed === undefined ? [{ text: value, count: 1 }] : logSamples(parsed);
  }
  if (Array.isArray(value)) return value.flatMap(logSamples);
  if (typeof value !== "object" || value === null) return [];
  const { sample, count } = value as { sample?: unknown; count?: unknown };
  if (typeof sample === "string") return [{ text: sample, count: Number(count ?? 1) }];
  return Object.values(value).flatMap(logSamples);
}

function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** `Reachable` is false when every place it was tried from failed; `Reaches` is of one of those places. */
function tellProbes(given: CloudOpsCase, teller: Teller): void {
  for (const [target, text] of Object.entries(given.connectivity)) {
    const [service = ""] = target.split(":");
    const failed = /Connection Failed/.test(text);
    const succeeded = /Connection Succeeded|\bopen\b/.test(text);
    teller.tell(`connection to ${target}`, {
      type: "condition",
      at: teller.now,
      node: nodeId("service", service),
      name: "Reachable",
      status: succeeded ? "true" : failed ? "false" : "unknown",
      message: `${target}: ${text.trim()}`.slice(0, 500),
    });
    for (const [, host = "", result = ""] of text.matchAll(
      /deployed on ([\w.-]+): (.*(?:\n(?!Debug).*)?)/g,
    ))
      teller.tell(`connection to ${target} from ${host}`, {
        type: "condition",
        at: teller.now,
        node: nodeId("host", host),
        name: "Reaches",
        status: /Succeeded|\bopen\b/.test(result)
          ? "true"
          : /Failed/.test(result)
            ? "false"
            : "unknown",
        message: target,
      });
  }
}

const alertSignals: readonly (readonly [RegExp, Signal])[] = [
  [/LATENCY/, "latency"],
  [/cpu/i, "cpu"],
  [/memory|\bmem\b/i, "memory"],
  [/Retransmission|NETWORK_QUALITY/, "errors"],
  [/ERROR_SPIKE|raw_error/, "errors"],
  [/THROUGHPUT|RPS/, "requests"],
  [/TRAFFIC|Network/, "network_in"],
];

function tellAlerts(given: CloudOpsCase, teller: Teller): void {
  const list = objectsOf((given.alerts as { alerts?: JsonValue } | undefined)?.alerts);
  for (const alert of list) {
    const entry = alert["entry_service"];
    if (typeof entry === "string") {
      tellAlert(teller, nodeId("service", entry), {
        operation: `${alert["request_method"]} ${alert["url"]}`,
        title: `raw_error ${alert["raw_error"]}, ${alert["occurrences"]} times`,
      });
      continue;
    }
    const kind = alert["type"] === "Node" ? "host" : "service";
    const node = nodeId(kind, String(alert["name"] ?? alert["entity_name"]));
    const evidence = isJsonArray(alert["evidence"] ?? null)
      ? (alert["evidence"] as JsonValue[])
      : [];
    for (const title of evidence) {
      tellAlert(teller, node, { title: String(title) });
      tellSummaries(teller, node, String(title), String(alert["time_range"] ?? ""));
    }
  }
}

const objectsOf = (value: JsonValue | undefined): readonly JsonObject[] =>
  isJsonArray(value) ? value.filter(isJsonObject) : [];

function tellAlert(
  teller: Teller,
  node: NodeId,
  { title, operation }: { title: string; operation?: string },
): void {
  const signal = alertSignals.find(([pattern]) => pattern.test(title))?.[1] ?? "other";
  teller.tell(`alert about ${node}`, {
    type: "alert",
    at: teller.now,
    node,
    signal,
    title,
    ...(operation === undefined ? {} : { operation }),
  });
}

/** `p90latency: Normal=7.86ms -> Current=2112.50ms`: what was usual, and what is, as a series of two points. */
function tellSummaries(teller: Teller, node: NodeId, title: string, range: string): void {
  const [fromAt = teller.now, toAt = teller.now] = range
    .split(" ~ ")
    .map((text) => Date.parse(`${text.replace(" ", "T")}Z`))
    .filter((ms) => !Number.isNaN(ms));
  const label = /\[([^\]]+)\]/.exec(title)?.[1] ?? "";
  const signal = alertSignals.find(([pattern]) => pattern.test(title))?.[1] ?? "other";
  const changes = title.matchAll(/(?:([\w-]+): )?Normal=([\d.]+)[^>|]*-> Cur(?:rent)?=([\d.]+)/g);
  const values = [...changes].map(
    ([, name, before, after]) => [name ?? label, before, after] as const,
  );
  const throttled = /Val: ([\d.]+)s/.exec(title)?.[1];
  if (throttled !== undefined) values.push([label, "0", throttled]);
  for (const [name, before, after] of values)
    teller.tell(`alert about ${node}`, {
      type: "series",
      at: fromAt,
      node,
      signal,
      name: `${name}, by its alert`,
      points: [
        [fromAt, Number(before)],
        [toAt, Number(after)],
      ],
    });
}

const columnSignals: Readonly<Record<string, Signal>> = {
  cpu: "cpu",
  cpu_cfs: "cpu",
  mem: "memory",
  rps: "requests",
  success_rate: "availability",
  network_receive: "network_in",
  network_transmit: "network_out",
  p50latency: "latency",
  p90latency: "latency",
  p95latency: "latency",
  tcp_retans: "errors",
};

function tellSeries(given: CloudOpsCase, teller: Teller): void {
  const [header = "", ...lines] = (given.metricsCsv ?? "").trim().split("\n");
  const rows = lines.map((line) => line.split(","));
  const hosts = new Set(Object.keys(given.nodeServices));
  header.split(",").forEach((column, i) => {
    const [, name = "", measure = ""] = /^(.*)-(\w+)$/.exec(column) ?? [];
    const signal = columnSignals[measure];
    if (signal === undefined) return;
    const points = rows.flatMap((row): [number, number][] => {
      const at = Date.parse(`${(row[0] ?? "").replace(" ", "T")}Z`);
      const value = row[i] === undefined || row[i] === "" ? Number.NaN : Number(row[i]);
      return Number.isNaN(at) || Number.isNaN(value) ? [] : [[at, value]];
    });
    teller.tell(`metrics.csv ${column}`, {
      type: "series",
      at: points[0]?.[0] ?? teller.now,
      node: nodeId(hosts.has(name) ? "host" : "service", name),
      signal,
      name: measure,
      points,
    });
  });
}
