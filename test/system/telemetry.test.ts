/** What really leaves: OTLP as a collector receives it, and metrics as Prometheus' own checker reads them. */
import { afterEach, expect, test } from "vitest";
import { openTelemetry } from "../../src/adapters/telemetry/index.ts";
import type { CallObservation } from "../../src/ports.ts";
import { type Collector, startCollector } from "../fixtures/otlp-collector.ts";
import { checkMetrics } from "../fixtures/promtool.ts";

const observation: CallObservation = {
  callId: "call-1",
  face: "mcp",
  method: "tools/call",
  agentId: "spiffe://acme/buyer",
  model: "model-x",
  server: "pay",
  tool: "create_payment",
  decision: "allow",
  reason: "within the limit",
  policyVersion: "rev-1",
  costMicroUsd: 250,
  wallStartMs: 1_700_000_000_000,
  decideMs: 1,
  recordMs: 2,
  forwardMs: 30,
  totalMs: 40,
  outcome: "tool_error",
  answeredError: "tool_error",
  requestId: "req-1",
};

const settings = {
  serviceName: "holdfast",
  serviceVersion: "1.2.3",
  instance: "gw-1",
  servers: ["payments", "files", "srv"],
};
const running: Collector[] = [];
afterEach(() => {
  for (const collector of running.splice(0)) collector.close();
});

async function exported(
  callers: readonly (string | undefined)[],
  ended: CallObservation,
  sampleRatio = 1,
): Promise<{ readonly collector: Collector; readonly sent: readonly string[] }> {
  const collector = await startCollector();
  running.push(collector);
  const telemetry = openTelemetry({ ...settings, otlpEndpoint: collector.endpoint, sampleRatio });
  const sent = callers.map((caller) => {
    const call = telemetry.startCall(caller);
    call.end(ended);
    return call.traceparent;
  });
  await telemetry.close();
  return { collector, sent };
}

test("a call is a SERVER span under its caller and a CLIENT span that the upstream continues", async () => {
  const caller = `00-${"1".repeat(32)}-${"2".repeat(16)}-01`;
  const { collector, sent } = await exported([caller], observation);
  expect([...collector.requests].sort()).toEqual([
    "POST /v1/metrics application/x-protobuf",
    "POST /v1/traces application/x-protobuf",
  ]);
  const server = collector.spans.find(({ kind }) => kind === 2);
  const client = collector.spans.find(({ kind }) => kind === 3);
  expect(collector.spans.length).toBe(2);
  expect(server).toMatchObject({
    name: "tools/call create_payment",
    traceId: "1".repeat(32),
    parentSpanId: "2".repeat(16),
    statusCode: 2,
    startNanoseconds: 1_700_000_000_000_000_000n,
    endNanoseconds: 1_700_000_000_040_000_000n,
    resource: {
      "service.name": "holdfast",
      "service.version": "1.2.3",
      "service.instance.id": "gw-1",
    },
    attributes: {
      "mcp.method.name": "tools/call",
      "gen_ai.operation.name": "execute_tool",
      "gen_ai.tool.name": "create_payment",
      "holdfast.call_id": "call-1",
      "jsonrpc.request.id": "req-1",
      "gen_ai.agent.id": "spiffe://acme/buyer",
      "error.type": "tool_error",
      "holdfast.agent_id": "spiffe://acme/buyer",
      "holdfast.tool": "pay:create_payment",
      "holdfast.decision": "allow",
      "holdfast.decision_reason": "within the limit",
      "holdfast.policy_version": "rev-1",
      "holdfast.cost_estimate_micro_usd": 250,
    },
  });
  expect(client).toMatchObject({
    traceId: "1".repeat(32),
    parentSpanId: server?.spanId,
    startNanoseconds: 1_700_000_000_003_000_000n,
    endNanoseconds: 1_700_000_000_033_000_000n,
  });
  expect(sent[0]).toBe(`00-${client?.traceId}-${client?.spanId}-01`);
});

test("metrics over OTLP carry the names of the MCP conventions, and decisions under holdfast", async () => {
  const { collector } = await exported([undefined, undefined], observation);
  const named = (name: string) => collector.points.filter((point) => point.name === name);
  const operation = {
    "mcp.method.name": "tools/call",
    "gen_ai.operation.name": "execute_tool",
    "gen_ai.tool.name": "create_payment",
    "error.type": "tool_error",
  };
  expect(named("mcp.server.operation.duration")).toMatchObject([
    { unit: "s", attributes: operation },
  ]);
  expect(named("mcp.server.operation.duration")[0]?.sum).toBeCloseTo(0.08);
  expect(named("mcp.client.operation.duration")[0]?.sum).toBeCloseTo(0.06);
  expect(named("holdfast.calls")).toMatchObject([
    {
      sum: 2,
      attributes: {
        "holdfast.agent_id": "spiffe://acme/buyer",
        "holdfast.decision": "allow",
        "holdfast.tool": "pay:create_payment",
        "holdfast.policy_version": "rev-1",
      },
    },
  ]);
  expect(named("holdfast.cost_estimate")).toMatchObject([{ sum: 500 }]);
});

test("a refused call has no CLIENT span; HTTP 403 is no error of the server", async () => {
  const { collector } = await exported([undefined], {
    ...observation,
    face: "http",
    method: "POST",
    tool: "POST /payments",
    decision: "deny",
    outcome: "refused",
  });
  expect(collector.spans.length).toBe(1);
  expect(collector.spans[0]).toMatchObject({
    name: "POST /payments",
    kind: 2,
    parentSpanId: "",
    statusCode: 0,
    attributes: {
      "http.request.method": "POST",
      "http.route": "/payments",
      "holdfast.decision": "deny",
    },
  });
  expect(collector.spans[0]?.attributes).not.toHaveProperty("error.type");
});

test("a caller that is not sampled is not exported; of new traces only the share that is configured", async () => {
  const unsampled = `00-${"1".repeat(32)}-${"2".repeat(16)}-00`;
  const first = await exported([unsampled], observation);
  expect([first.collector.spans.length, first.sent[0]?.slice(-2)]).toEqual([0, "00"]);
  expect((await exported(Array(50).fill(undefined), observation, 0)).collector.spans.length).toBe(
    0,
  );
  const { collector } = await exported(Array(400).fill(undefined), observation, 0.5);
  expect(collector.spans.length / 2).toBeGreaterThan(120);
  expect(collector.spans.length / 2).toBeLessThan(280);
});

test("promtool finds nothing wrong with /metrics, and would", async () => {
  const telemetry = openTelemetry(settings);
  telemetry.startCall(undefined).end(observation);
  telemetry.count("refusals", { code: "no_policy" });
  telemetry.count("policy_bundle_refused", {});
  telemetry.count("something_new", {});
  telemetry.gauge("ledger_entries", {}, 4);
  const { text } = await telemetry.metrics();
  expect(text).toMatch(/holdfast_calls_total\{/);
  expect(checkMetrics(text)).toEqual({ status: 0, said: "" });
  const broken = text.replaceAll("holdfast_calls_in_flight", "holdfast_callsInFlight");
  expect(checkMetrics(broken).said).toMatch(/camelCase/);
});
