/** OTLP in JSON and protobuf: traffic, series, templates; what is broken is refused, what is odd is bounded and reported. */
import fc from "fast-check";
import protobuf from "protobufjs";
import { describe, expect, test } from "vitest";
import "../../../fixtures/fixed-seed.ts";
import { OtlpDecoder } from "../../../../src/adapters/otlp/index.ts";
import { batchesOf } from "../../../../src/adapters/sources/index.ts";
import { runsOf } from "../../../fixtures/effort.ts";
import { eventsOf, file, of, refusal, ties } from "./telling.ts";

const at = Date.parse("2026-05-04T10:00:00Z");
const nano = (ms: number): string => `${at + ms}000000`;
const hex = (digit: string, length: number): string => digit.repeat(length);
const attribute = (key: string, value: string) => ({ key, value: { stringValue: value } });

interface SpanGiven {
  readonly id: string;
  readonly parent?: string;
  readonly name: string;
  readonly kind?: number;
  readonly from: number;
  readonly to: number;
  readonly code?: number;
  readonly attributes?: readonly object[];
}

const span = ({ id, parent, name, kind = 2, from, to, code, attributes = [] }: SpanGiven) => ({
  traceId: hex("a", 32),
  spanId: hex(id, 16),
  parentSpanId: parent === undefined ? "" : hex(parent, 16),
  ...{ name, kind, attributes, startTimeUnixNano: nano(from), endTimeUnixNano: nano(to) },
  ...(code !== undefined && { status: { code } }),
});

const resource = (service: string, ...more: readonly object[]) => ({
  attributes: [attribute("service.name", service), ...more],
});

const traces = (...groups: readonly (readonly [string, ...SpanGiven[]])[]) => ({
  resourceSpans: groups.map(([service, ...spans]) => ({
    resource: resource(
      service,
      attribute("service.version", "1"),
      attribute("k8s.deployment.name", service),
      attribute("k8s.node.name", "n1"),
    ),
    scopeSpans: [{ spans: spans.map(span) }],
  })),
});

const shop = traces(
  [
    "web",
    { id: "1", name: "GET /", from: 0, to: 100 },
    { id: "2", parent: "1", name: "GET", kind: 3, from: 10, to: 60 },
  ],
  [
    "cart",
    { id: "3", parent: "2", name: "GET /cart", from: 15, to: 55, code: 2 },
    {
      id: "4",
      parent: "3",
      name: "SELECT",
      kind: 3,
      from: 20,
      to: 30,
      attributes: [attribute("db.system", "postgresql"), attribute("server.address", "orders-db")],
    },
    {
      id: "5",
      parent: "3",
      name: "POST",
      kind: 3,
      from: 31,
      to: 35,
      attributes: [attribute("server.address", "api.bank.example")],
    },
    {
      id: "6",
      parent: "3",
      name: "send",
      kind: 4,
      from: 36,
      to: 37,
      attributes: [
        attribute("messaging.system", "kafka"),
        attribute("messaging.destination.name", "orders"),
      ],
    },
  ],
);

test.each([
  ["ledger.shop.svc.cluster.local", "service:ledger", "database:ledger"],
  ["ledger.shop.svc", "service:ledger", "database:ledger"],
  ["ledger", "service:ledger", "database:ledger"],
  ["10.0.3.7", "service:10.0.3.7", "database:10.0.3.7"],
  ["db.orders.internal", "service:db.orders.internal", "database:db.orders.internal"],
  ["db.vendor.example", "external:db.vendor.example", "database:db.vendor.example"],
])("what answers at %s is %s, or %s", (address, called, asked) => {
  const to = (...more: readonly object[]) => {
    const attributes = [attribute("server.address", address), ...more];
    const told = { id: "1", name: "GET", kind: 3, from: 0, to: 9, attributes };
    const calls = of("traffic", eventsOf(file("t.json", traces(["web", told]))));
    return calls.find(({ caller }) => caller === "service:web")?.callee;
  };
  expect([to(), to(attribute("db.system", "mysql"))]).toEqual([called, asked]);
});

test("traces become traffic by operation and entry, also to what tells no spans", () => {
  const events = eventsOf(file("t.json", shop));
  const calls = of("traffic", events)
    .filter(({ caller, callee }) => caller !== callee)
    .map(
      ({ caller, callee, operation, entry, errors, totalMs }) =>
        `${caller} ${callee} ${operation} [${entry}] ${errors} ${totalMs?.max}`,
    );
  expect(calls).toEqual([
    "null service:web GET / [cart GET /cart] 0 100",
    "service:web service:cart GET /cart [cart GET /cart] 1 40",
    "service:cart database:orders-db SELECT [cart GET /cart] 0 10",
    "service:cart external:api.bank.example POST [cart GET /cart] 0 4",
    "service:cart queue:orders send [cart GET /cart] 0 1",
  ]);
  expect(ties(events)).toContain("workload:default/cart part_of service:cart");
  expect(ties(events)).toContain("workload:default/web runs_on host:n1");
  expect(of("node", events).map(({ node, value }) => [node, value])).toContainEqual([
    "service:cart",
    { version: "1" },
  ]);
});

test("each says from which file it is: traffic from spans, templates from lines", () => {
  const line = { timeUnixNano: nano(1), body: { stringValue: "hello" } };
  const lines = { resource: resource("cart"), scopeLogs: [{ logRecords: [line] }] };
  const files = [file("a-logs.json", { resourceLogs: [lines] }), file("b-traces.json", shop)];
  const events = eventsOf(...files);
  const from = (type: "traffic" | "log") =>
    new Set(of(type, events).map(({ origin }) => origin.reference));
  expect([from("traffic"), from("log")]).toEqual([
    new Set(["b-traces.json"]),
    new Set(["a-logs.json"]),
  ]);
});

test("services that tell their spans in files of their own are folded together", () => {
  const files = shop.resourceSpans.map((sender, index) =>
    file(`${index}-traces.json`, { resourceSpans: [sender] }),
  );
  const calls = of("traffic", eventsOf(...files)).map(
    ({ caller, callee }) => `${caller} ${callee}`,
  );
  expect(calls).toContain("service:web service:cart");
});

test("the same requests in another order, and twice, are the same events", () => {
  const [a, b] = [
    { resourceSpans: [shop.resourceSpans[0]] },
    { resourceSpans: [shop.resourceSpans[1]] },
  ];
  const lines = (...each: readonly object[]) => each.map((line) => JSON.stringify(line)).join("\n");
  const ids = (text: string) =>
    eventsOf(file("t.jsonl", text))
      .map(({ id }) => id)
      .toSorted();
  expect(ids(lines(a, b))).toEqual(ids(lines(b, a)));
  expect(of("traffic", eventsOf(file("t.jsonl", lines(a, b)))).length).toBe(
    of("traffic", eventsOf(file("t.json", shop))).length,
  );
});

/** Written by the public field numbers, by another encoder than ours decodes with. */
const wire = protobuf
  .parse(`syntax = "proto3";
message T { repeated R resource_spans = 1; } message R { Rs resource = 1; repeated S scope_spans = 2; }
message Rs { repeated Kv attributes = 1; } message S { repeated Sp spans = 2; }
message Sp { bytes trace_id = 1; bytes span_id = 2; string trace_state = 3; bytes parent_span_id = 4; string name = 5; int32 kind = 6;
  fixed64 start_time_unix_nano = 7; fixed64 end_time_unix_nano = 8; repeated Kv attributes = 9; St status = 15; fixed32 flags = 16; }
message St { string message = 2; int32 code = 3; } message Kv { string key = 1; Av value = 2; }
message Av { string string_value = 1; }`)
  .root.lookupType("T");

function binary(): Uint8Array {
  const bytes = (text: string) => Buffer.from(text, "hex");
  const resourceSpans = shop.resourceSpans.map(({ resource: sender, scopeSpans }) => ({
    resource: sender,
    scopeSpans: scopeSpans.map(({ spans }) => ({
      spans: spans.map((each) => ({
        ...each,
        flags: 1,
        traceId: bytes(each.traceId),
        spanId: bytes(each.spanId),
        parentSpanId: bytes(each.parentSpanId),
      })),
    })),
  }));
  return wire.encode(wire.fromObject({ resourceSpans })).finish();
}

describe("protobuf", () => {
  const pb = (bytes: Uint8Array) => ({ path: "x.traces.pb", bytes, modifiedAtMs: at });
  const strip = (events: ReturnType<typeof eventsOf>) =>
    of("traffic", events).map(({ id, origin, ...rest }) => rest);

  test("says the same as JSON", () => {
    expect(strip(eventsOf(pb(binary())))).toEqual(strip(eventsOf(file("t.json", shop))));
  });

  test("cut off anywhere, or with any byte changed, is refused or read, and never half", () => {
    const whole = binary();
    const decoder = new OtlpDecoder();
    fc.assert(
      fc.property(fc.nat(whole.length - 1), fc.nat(255), fc.boolean(), (index, byte, isCut) => {
        const bytes = isCut
          ? whole.slice(0, index)
          : Uint8Array.from(whole).fill(byte, index, index + 1);
        const { batches, refused } = batchesOf([pb(bytes)]);
        expect(batches.length + refused.length).toBeLessThanOrEqual(1);
        const decoded = decoder.decode("traces", bytes);
        if (!decoded.ok) expect(refused[0]?.message).toContain("no OTLP traces in protobuf");
      }),
      { numRuns: runsOf(300) },
    );
  });

  test("groups nested without end are refused, not followed", () => {
    const decoded = new OtlpDecoder().decode("traces", Buffer.alloc(2_000_000, 0x13));
    expect(decoded).toMatchObject({ ok: false });
    expect(refusal({ ...pb(binary()), path: "x.pb" })).toContain(
      "has traces, metrics or logs in its file's name",
    );
  });
});

describe("what is broken is refused by its path", () => {
  const [first] = shop.resourceSpans;
  const good = first?.scopeSpans[0]?.spans[0];
  test.each([
    [{ traceId: hex("0", 32) }, "span 0.traceId: a trace id is 32 hexadecimal digits, not all 0"],
    [{ spanId: "xyz" }, "span 0.spanId: a span id is 16"],
    [{ startTimeUnixNano: "yesterday" }, "span 0.startTimeUnixNano: a time is nanoseconds"],
    [{ endTimeUnixNano: -1 }, "span 0.endTimeUnixNano: a time is nanoseconds"],
  ])("%j", (member, says) => {
    const broken = {
      resourceSpans: [{ resource: {}, scopeSpans: [{ spans: [{ ...good, ...member }] }] }],
    };
    expect(refusal(file("b.json", broken))).toContain(`b.json ${says}`);
  });
});

test("hostile names are bounded, a span that ends before it begins takes no time, and both are told", () => {
  const names = [
    "__proto__",
    "a\u0000\u001b[31m",
    "\u202egnp",
    "x".repeat(1_000_000),
    "constructor",
  ];
  const given = names.map((name, index) => ({
    id: String(index + 1),
    name,
    from: 10,
    to: index === 0 ? 5 : 20,
  }));
  const { batches } = batchesOf([file("h.json", traces(["__proto__", ...given]))]);
  const traffic = of("traffic", batches[0]?.events ?? []);
  expect(
    traffic.map(({ operation }) => operation.length > 300 || /[\p{Cc}\u202e]/u.test(operation)),
  ).toEqual(names.map(() => false));
  expect(traffic[0]).toMatchObject({
    callee: "service:__proto__",
    operation: "__proto__",
    totalMs: { max: 0 },
  });
  expect(batches[0]?.notes).toContainEqual(
    expect.stringContaining("1 spans ended before they began"),
  );
});

test("log records become templates with the entry of their trace", () => {
  const records = [1, 2, 3].map((number) => ({
    ...{ timeUnixNano: nano(number), severityNumber: 17, traceId: hex("A", 32) },
    body: { stringValue: `order ${number} failed` },
  }));
  const logs = {
    resourceLogs: [{ resource: resource("cart"), scopeLogs: [{ logRecords: records }] }],
  };
  const events = eventsOf(file("l.jsonl", `${JSON.stringify(shop)}\n${JSON.stringify(logs)}`));
  expect(of("log", events)).toMatchObject([
    {
      node: "service:cart",
      template: "order <*> failed",
      severity: "error",
      count: 3,
      entry: "cart GET /cart",
      at,
    },
  ]);
});

describe("metrics become series in the model's signals", () => {
  const point = (ms: number, more: object, ...attributes: readonly object[]) => ({
    ...{ startTimeUnixNano: nano(0), timeUnixNano: nano(ms), attributes },
    ...more,
  });
  const metrics = (metric: object) => ({
    resourceMetrics: [{ resource: resource("cart"), scopeMetrics: [{ metrics: [metric] }] }],
  });
  const seriesOf = (metric: object) => of("series", eventsOf(file("m.json", metrics(metric))));

  test("a histogram of durations: latency, rate and share of errors, from one export to the next", () => {
    const route = attribute("http.route", "/cart");
    const failed = attribute("error.type", "500");
    const dataPoints = [
      point(10_000, { count: "10", sum: 1 }, route),
      point(20_000, { count: "30", sum: 5 }, route),
      point(10_000, { count: "0", sum: 0 }, route, failed),
      point(20_000, { count: "10", sum: 1 }, route, failed),
      // The process began anew.
      { ...point(30_000, { count: "5", sum: 5 }, route), startTimeUnixNano: nano(25_000) },
    ];
    const histogram = { aggregationTemporality: 2, dataPoints };
    const series = seriesOf({ name: "http.server.request.duration", unit: "s", histogram });
    expect(
      Object.fromEntries(
        series.map(({ signal, operation, points }) => [
          `${signal} ${operation}`,
          points.map(([, value]) => Number(value.toFixed(3))),
        ]),
      ),
    ).toEqual({
      "latency /cart": [166.667, 1000],
      "requests /cart": [3, 1],
      "errors /cart": [0.333, 0],
    });
  });

  const served = (name: string, ...attributes: readonly object[]) =>
    seriesOf({
      ...{ name, unit: "s" },
      histogram: {
        aggregationTemporality: 1,
        dataPoints: [point(2_000, { count: "4", sum: 2, attributes })],
      },
    }).map(({ signal, points }) => [signal, points[0]?.[1]]);

  test("failures are what a status tells, of HTTP and gRPC; where there is none, nothing is known of them", () => {
    const code = (value: string) => ({ key: "rpc.grpc.status_code", value: { intValue: value } });
    expect(served("rpc.server.duration", code("13"))).toContainEqual(["errors", 1]);
    expect(served("rpc.server.duration", code("5"))).toContainEqual(["errors", 0]);
    const signals = served("shop.checkout.duration").map(([signal]) => signal);
    expect(signals).toEqual(["latency", "requests"]);
  });

  test("collecting garbage is no request", () => {
    expect(served("jvm.gc.duration")).toEqual([["other", 0.5]]);
    expect(served("nodejs.eventloop.time")).toEqual([["other", 0.5]]);
  });

  test("a gauge is what it says; what only grows is a rate; a number that is none is left out", () => {
    const gauge = { dataPoints: [point(1, { asDouble: 0.5 }), point(2, { asDouble: "NaN" })] };
    expect(seriesOf({ name: "process.cpu.utilization", gauge })).toMatchObject([
      { signal: "cpu", points: [[at + 1, 0.5]] },
    ]);
    const sum = {
      isMonotonic: true,
      aggregationTemporality: "AGGREGATION_TEMPORALITY_CUMULATIVE",
      dataPoints: [point(1_000, { asInt: "5" }), point(3_000, { asInt: "9" })],
    };
    expect(seriesOf({ name: "jobs", sum })).toMatchObject([
      { name: "jobs (rate)", signal: "other", points: [[at + 3_000, 2]] },
    ]);
  });
});
