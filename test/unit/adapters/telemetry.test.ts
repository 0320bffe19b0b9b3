/** What the real telemetry and log say. */
import { expect, test } from "vitest";
import { pinoLog } from "../../../src/adapters/log/index.ts";
import { openTelemetry } from "../../../src/adapters/telemetry/index.ts";
import type { CallObservation } from "../../../src/ports.ts";

const observation: CallObservation = {
  callId: "c",
  face: "http",
  method: "POST",
  agentId: "a",
  server: "pay",
  tool: "POST /payments",
  decision: "allow",
  reason: "r",
  policyVersion: "p",
  costMicroUsd: 5,
  wallStartMs: 0,
  decideMs: 0.06,
  recordMs: 2,
  forwardMs: 20,
  totalMs: 23,
  outcome: "ok",
};

test("metrics: calls by decision and outcome, seconds, in flight, counters and gauges by name", async () => {
  const telemetry = openTelemetry({
    serviceName: "h",
    serviceVersion: "1.2.3",
    instance: "i",
    servers: ["pay"],
  });
  const call = telemetry.startCall(undefined);
  telemetry.startCall(undefined).end(observation);
  const refused = { ...observation, decision: "deny", outcome: "refused" };
  telemetry.startCall(undefined).end({ ...refused, server: "from-outside" });
  telemetry.count("refusals", { code: "no_policy" }, 2);
  telemetry.gauge("ledger_entries", {}, 7);
  const { text, contentType } = await telemetry.metrics();
  expect(contentType).toMatch(/^text\/plain; version=0\.0\.4/);
  for (const line of [
    'holdfast_calls_total{face="http",server="pay",decision="allow",outcome="ok"} 1',
    'holdfast_calls_total{face="http",server="",decision="deny",outcome="refused"} 1',
    "holdfast_calls_in_flight 1",
    'holdfast_decide_duration_seconds_bucket{le="0.0001",face="http"} 2',
    'holdfast_decide_duration_seconds_bucket{le="0.00005",face="http"} 0',
    'holdfast_call_duration_seconds_count{face="http"} 2',
    'holdfast_forward_duration_seconds_count{face="http"} 1',
    'holdfast_refusals_total{code="no_policy"} 2',
    "holdfast_ledger_entries 7",
    'holdfast_build_info{version="1.2.3"} 1',
  ]) {
    expect(text.split("\n")).toContain(line);
  }
  expect(text).toMatch(/^holdfast_event_loop_lag_p99_seconds \d/m);
  call.end(observation);
  expect((await telemetry.metrics()).text).toContain("holdfast_calls_in_flight 0");
});

test("without export the caller's own span stays the parent; a new trace is not marked as sampled", () => {
  const telemetry = openTelemetry({
    serviceName: "h",
    serviceVersion: "1",
    instance: "i",
    servers: ["pay"],
  });
  const caller = `00-${"1".repeat(32)}-${"2".repeat(16)}-01`;
  expect(telemetry.startCall(caller).traceparent).toBe(caller);
  expect(telemetry.startCall(undefined).traceparent).toMatch(/-00$/);
});

test("the log is one JSON object a line, above its level, with secrets covered", () => {
  const lines: string[] = [];
  const log = pinoLog({
    level: "info",
    fields: { instance: "i", servers: ["pay"] },
    destination: { write: (line) => void lines.push(line) },
  });
  log.write("debug", "unseen");
  log.write("warn", "refused", { code: 5, token: "s3cret", headers: { authorization: "s3cret" } });
  expect(lines.length).toBe(1);
  expect(JSON.parse(lines[0] ?? "")).toMatchObject({
    level: "warn",
    event: "refused",
    instance: "i",
    servers: ["pay"],
    code: 5,
    token: "[secret]",
    headers: { authorization: "[secret]" },
    time: expect.stringMatching(/^\d{4}-.*Z$/),
  });
});
