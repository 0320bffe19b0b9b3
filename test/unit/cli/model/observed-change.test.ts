/**
 * Whoever has nothing but a cluster and telemetry: a pool is made small in a config map and rolled out, another service is
 * deployed beside it, and nobody tells either. What is asked afterwards names the change all the same.
 */
import { expect, test } from "vitest";
import { batchesOf, type SourceFile } from "../../../../src/adapters/sources/index.ts";
import { showWhy } from "../../../../src/cli/model/why.ts";
import { allKnown, Graph } from "../../../../src/model/index.ts";

const minute = 60_000;
const start = Date.UTC(2026, 4, 4, 10);
const changedAt = start + 18 * minute;
const end = start + 28 * minute;

const instant = (ms: number): string => new Date(ms).toISOString().replace(/\.\d+Z/, "Z");

/** As `kubectl get -o json` lists it. */
function cluster(pool: number, image: (name: string) => string): object {
  const metadata = (name: string, writtenAt: number) => ({
    ...{ name, namespace: "shop", uid: name, generation: 7 },
    creationTimestamp: instant(start - 864e5),
    managedFields: [{ time: instant(writtenAt) }],
  });
  const writtenAt = pool === 50 ? start - 36e5 : changedAt - 10_000;
  const items = ["front", "cart", "stock"].flatMap((name) => [
    {
      ...{ apiVersion: "apps/v1", kind: "Deployment", metadata: metadata(name, writtenAt + 5_000) },
      spec: {
        replicas: 2,
        selector: { matchLabels: { app: name } },
        template: {
          metadata: { labels: { app: name } },
          spec: {
            containers: [
              { name, image: image(name), envFrom: [{ configMapRef: { name: `${name}-config` } }] },
            ],
          },
        },
      },
      status: { replicas: 2, availableReplicas: 2 },
    },
    {
      ...{ apiVersion: "v1", kind: "Service", metadata: metadata(name, start - 36e5) },
      spec: { selector: { app: name } },
    },
    {
      ...{ apiVersion: "v1", kind: "ConfigMap" },
      metadata: metadata(`${name}-config`, name === "cart" ? writtenAt : start - 36e5),
      data: name === "cart" ? { LEDGER_POOL_SIZE: String(pool) } : { LOG_LEVEL: "info" },
    },
    {
      ...{ apiVersion: "v1", kind: "Secret", metadata: metadata(`${name}-key`, writtenAt) },
      data: { key: Buffer.from(`hunter-${pool}`).toString("base64") },
    },
  ]);
  return { kind: "List", apiVersion: "v1", items };
}

const attributes = (values: Readonly<Record<string, string>>) =>
  Object.entries(values).map(([key, stringValue]) => ({ key, value: { stringValue } }));
const nanoseconds = (ms: number): string => `${Math.round(ms * 1_000)}000`;
const hex = (value: number, length: number): string => value.toString(16).padStart(length, "0");

interface Call {
  readonly service: string;
  readonly parent?: number;
  readonly kind: 2 | 3;
  readonly fromMs: number;
  readonly tookMs: number;
  readonly fails: boolean;
}

/** A customer's call, twelve a minute; every third fails once the pool is small, and the others wait for a connection. */
function calls(nth: number, at: number): object {
  const fails = at > changedAt && nth % 3 === 0;
  const wait = at > changedAt ? 400 + (nth % 5) * 100 : 0;
  const cart = 20 + (nth % 7) + (fails ? 2_000 : wait);
  const all: readonly Call[] = [
    { service: "front", kind: 2, fromMs: 0, tookMs: cart + 12, fails },
    { service: "front", parent: 0, kind: 3, fromMs: 3, tookMs: cart + 4, fails },
    { service: "cart", parent: 1, kind: 2, fromMs: 5, tookMs: cart, fails },
    { service: "front", parent: 0, kind: 3, fromMs: cart + 8, tookMs: 3, fails: false },
    { service: "stock", parent: 3, kind: 2, fromMs: cart + 9, tookMs: 1.5, fails: false },
  ];
  const id = (place: number): string => hex(nth * 8 + place + 1, 16);
  const span = (call: Call, place: number) => ({
    ...{ traceId: hex(nth + 1, 32), spanId: id(place), kind: call.kind },
    ...(call.parent !== undefined && { parentSpanId: id(call.parent) }),
    name: call.service === "stock" ? "GET /stock" : "POST /cart",
    startTimeUnixNano: nanoseconds(at + call.fromMs),
    endTimeUnixNano: nanoseconds(at + call.fromMs + call.tookMs),
    status: call.fails ? { code: 2 } : {},
  });
  const resourceSpans = all.map((call, place) => ({
    resource: { attributes: attributes({ "service.name": call.service }) },
    scopeSpans: [{ spans: [span(call, place)] }],
  }));
  const line = {
    timeUnixNano: nanoseconds(at + cart),
    ...{ severityText: "ERROR", severityNumber: 17 },
    body: { stringValue: "ledger pool: connection is not available, timed out after 2000ms" },
  };
  const resource = { attributes: attributes({ "service.name": "cart" }) };
  const resourceLogs = [{ resource, scopeLogs: [{ logRecords: [line] }] }];
  return fails ? { resourceSpans, resourceLogs } : { resourceSpans };
}

/** What each service measures once a minute, counted from its start. */
function measured(minutes: number): object {
  const resourceMetrics = ["front", "cart", "stock"].map((service) => {
    const bad = service === "stock" ? 0 : Math.max(0, minutes - 18);
    const point = {
      ...{ startTimeUnixNano: nanoseconds(start - minute) },
      timeUnixNano: nanoseconds(start + minutes * minute),
      ...{ count: String(12 * minutes), sum: 0.36 * minutes + 12 * bad },
      bucketCounts: [String(12 * (minutes - bad)), "0", String(12 * bad)],
      explicitBounds: [0.1, 0.5],
    };
    const histogram = { aggregationTemporality: 2, dataPoints: [point] };
    const metric = { name: "http.server.request.duration", unit: "s", histogram };
    const resource = { attributes: attributes({ "service.name": service }) };
    return { resource, scopeMetrics: [{ metrics: [metric] }] };
  });
  return { resourceMetrics };
}

function world(...dumps: readonly (readonly [at: number, list: object])[]): Graph {
  const graph = new Graph();
  const times = Array.from({ length: (end - start) / 5_000 }, (_, nth) => start + nth * 5_000);
  const lines = [
    ...times.map((at, nth) => calls(nth, at)),
    ...Array.from({ length: 29 }, (_, minutes) => measured(minutes)),
  ].map((line) => JSON.stringify(line));
  const file = (path: string, text: string, modifiedAtMs: number): SourceFile => ({
    ...{ path, modifiedAtMs, bytes: Buffer.from(text) },
  });
  const telemetry = file("otlp.jsonl", lines.join("\n"), end);
  // One after another, as they come.
  for (const files of [
    ...dumps.map(([at, list], nth) => [file(`k${nth}.json`, JSON.stringify(list), at)]),
    [telemetry],
  ]) {
    const { batches, refused } = batchesOf(files);
    expect(refused).toEqual([]);
    for (const { events } of batches) graph.add(events);
  }
  return graph;
}

const before = cluster(50, (name) => `${name}:1`);
const after = cluster(5, (name) => `${name}:${name === "stock" ? 1 : 2}`);

async function asked(graph: Graph): Promise<{ code: number; out: string }> {
  const lines: string[] = [];
  const io = { out: (line: string) => void lines.push(line), err: () => {} };
  const options = { at: instant(start + 25 * minute), knownAt: "now", json: true };
  const code = await showWhy(graph, ["front", "slow"], options, { io, nowMs: end });
  return { code, out: lines.join("\n") };
}

test("the config map's change is the cause, and not the deploys beside it", async () => {
  const graph = world([start, before], [changedAt + minute, after]);
  const { code, out } = await asked(graph);
  const [cause, ...others] = JSON.parse(out).causes;
  expect(code).toBe(0);
  expect(cause).toMatchObject({
    node: "object:ConfigMap/shop/cart-config",
    kind: "change.config",
    change: "config:object:ConfigMap/shop/cart-config@2026-05-04T10:17:50.000Z",
  });
  expect(cause.confidence).toBeGreaterThan(0.8);
  expect(cause.path.map(({ to }: { to: string }) => to)).toEqual([
    ...["object:ConfigMap/shop/cart-config", "workload:shop/cart"],
    ...["service:cart", "service:front"],
  ]);
  // The innocent ones were looked at.
  expect(others.map(({ node }: { node: string }) => node)).toContain("workload:shop/front");
  const shown = JSON.stringify(graph.asOf(end, allKnown).changes());
  expect(shown).toContain("LEDGER_POOL_SIZE from 50 to 5");
  expect(out + shown).not.toMatch(/hunter|aHVudGVy/);
});

test("two dumps of the same are no change, and nothing is blamed on one", async () => {
  const graph = world([start, before], [changedAt + minute, before]);
  expect(graph.latest().changes()).toEqual([]);
  const { out } = await asked(graph);
  expect(JSON.parse(out).causes.map(({ kind }: { kind: string }) => kind)).not.toContain(
    "change.config",
  );
});
