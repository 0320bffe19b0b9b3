/** The contract of `Telemetry` and `Log`, the same for the real ones and their recording twins. */
import { describe, expect, test } from "vitest";
import { pinoLog } from "../../src/adapters/log/index.ts";
import { openTelemetry } from "../../src/adapters/telemetry/index.ts";
import type { CallObservation, Log, Telemetry } from "../../src/ports.ts";
import { recordingLog, recordingTelemetry } from "../../src/sim/index.ts";

const settings = {
  serviceName: "holdfast",
  serviceVersion: "0",
  instance: "i",
  servers: ["payments", "files", "srv"],
};
/** Nobody listens there; nothing may notice. */
const exporting = { ...settings, otlpEndpoint: "http://127.0.0.1:9" };

const observation: CallObservation = {
  callId: "c",
  face: "mcp",
  method: "tools/call",
  agentId: "a",
  server: "s",
  tool: "t",
  decision: "allow",
  reason: "r",
  policyVersion: "p",
  costMicroUsd: 0,
  wallStartMs: 0,
  decideMs: 0,
  recordMs: 0,
  forwardMs: 0,
  totalMs: 0,
  outcome: "ok",
};

const telemetries: readonly (readonly [string, () => Telemetry])[] = [
  ["recording", recordingTelemetry],
  ["prometheus only", () => openTelemetry(settings)],
  ["exporting", () => openTelemetry(exporting)],
];

describe.each(telemetries)("telemetry: %s", (_, make) => {
  const form = /^00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-0[01]$/;
  const caller = `00-${"1".repeat(32)}-${"2".repeat(16)}-01`;

  test("a call continues its caller's trace", () => {
    const { traceparent } = make().startCall(caller);
    expect(traceparent).toMatch(form);
    expect(traceparent.split("-")[1]).toBe("1".repeat(32));
  });

  test.each([
    undefined,
    "",
    "garbage",
    `00-${"0".repeat(32)}-${"2".repeat(16)}-01`.replace(/^00/, "ff"),
    `00-${"A".repeat(32)}-${"2".repeat(16)}-01`,
  ])("a call without a usable caller (%s) begins a trace of its own", (header) => {
    const telemetry = make();
    const [one, two] = [telemetry.startCall(header), telemetry.startCall(header)];
    expect(one.traceparent).toMatch(form);
    expect(two.traceparent).toMatch(form);
    expect(one.traceparent.split("-")[1]).not.toBe(two.traceparent.split("-")[1]);
  });

  test("nothing it is told makes it throw", () => {
    const telemetry = make();
    telemetry.startCall(undefined).end(observation);
    telemetry.count("refusals", { code: "x" });
    telemetry.count("refusals", { other: "label" }, 2);
    telemetry.gauge("ledger_entries", {}, 3);
    telemetry.gauge("bad name!", {}, Number.NaN);
  });
});

const logs: readonly (readonly [string, () => Log])[] = [
  ["recording", recordingLog],
  ["pino", () => pinoLog({ level: "debug", destination: { write: () => undefined } })],
];

test.each(logs)("log: %s takes every level and any fields", (_, make) => {
  const log = make();
  const circular: Record<string, unknown> = {};
  circular["self"] = circular;
  for (const level of ["debug", "info", "warn", "error"] as const) {
    log.write(level, "event");
    log.write(level, "event", { n: 1, circular, error: new Error("x") });
  }
});
