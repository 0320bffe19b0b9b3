/** What an SRE is given to watch the gateway with speaks of metrics that exist, and fires when it should. */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { openTelemetry } from "../../src/adapters/telemetry/index.ts";
import { failoverMetrics } from "../../src/failover/index.ts";
import { runPromtool } from "../fixtures/promtool.ts";

const folder = "examples/observability";
const names = (text: string): readonly string[] => [
  ...new Set(text.match(/\bholdfast_[a-z_0-9]+\b/g)),
];

/** The names that a gateway serves, as it counts what happens. */
async function served(): Promise<string> {
  const telemetry = openTelemetry({
    serviceName: "h",
    serviceVersion: "1",
    instance: "i",
    servers: [],
  });
  telemetry.count("refusals", { code: "no_policy" });
  telemetry.count("policy_bundle_refused", {});
  telemetry.count("tool_definitions_changed", {});
  telemetry.count("limit_refusals", { limit: "l" });
  telemetry.gauge("limit_used_ratio", { limit: "l" }, 1);
  telemetry.gauge("breaker_state", { upstream: "u" }, 0);
  telemetry.gauge("escrow_unknown", { upstream: "u" }, 0);
  telemetry.gauge("notices_waiting", { channel: "c" }, 0);
  telemetry.count("approvals_declined_in_floods", {});
  telemetry.count("failover_blocked_seconds", {});
  for (const gauge of Object.keys(failoverMetrics)) telemetry.gauge(gauge, {}, 1);
  for (const gauge of ["ledger_entries", "ledger_healthy", "policy_loaded"])
    telemetry.gauge(gauge, {}, 1);
  telemetry.startCall(undefined).end({
    ...{ callId: "c", face: "mcp", method: "tools/call", agentId: "a", server: "s", tool: "t" },
    ...{ decision: "allow", reason: "r", policyVersion: "p", costMicroUsd: 0, wallStartMs: 0 },
    ...{ decideMs: 0, recordMs: 0, forwardMs: 0, totalMs: 0, outcome: "ok" },
  });
  return (await telemetry.metrics()).text;
}

const ruleFiles = ["alerts", "failover-alerts"];

test.each(ruleFiles)(
  "%s: each fires when it should and is quiet when all is well (promtool)",
  (name) => {
    const rules = runPromtool(["test", "rules", `${folder}/${name}.test.yaml`]);
    expect(rules.said).toContain("SUCCESS");
    expect(rules.status).toBe(0);
    expect(runPromtool(["check", "rules", "--lint-fatal", `${folder}/${name}.yaml`]).status).toBe(
      0,
    );
  },
);

test.each(ruleFiles)("%s: every one is tested, says what is wrong and what to do", (name) => {
  const rules = readFileSync(`${folder}/${name}.yaml`, "utf8");
  const tests = readFileSync(`${folder}/${name}.test.yaml`, "utf8");
  const alerts = [...rules.matchAll(/- alert: (\w+)/g)].map(([, name]) => name ?? "");
  expect(alerts.length).toBeGreaterThan(5);
  for (const alert of alerts) {
    expect(tests).toMatch(new RegExp(`alertname: ${alert}\\n\\s+exp_alerts:`));
    expect(tests).toMatch(new RegExp(`alertname: ${alert} \\}`));
  }
  expect(rules.match(/^ {10}summary: /gm)).toHaveLength(alerts.length);
  expect(rules.match(/^ {10}action: /gm)).toHaveLength(alerts.length);
});

test.each(["alerts.yaml", "failover-alerts.yaml", "dashboard.json"])(
  "%s asks only for metrics that exist",
  async (file) => {
    const text = await served();
    const asked = names(readFileSync(`${folder}/${file}`, "utf8"));
    expect(asked.length).toBeGreaterThan(5);
    expect(asked.filter((name) => !text.includes(`\n${name}`))).toEqual([]);
  },
);

test("the dashboard is one that Grafana can read: each panel has a title, a place and a query", () => {
  const { panels, ...dashboard } = JSON.parse(readFileSync(`${folder}/dashboard.json`, "utf8"));
  expect(dashboard).toMatchObject({ title: "Holdfast", schemaVersion: expect.any(Number) });
  const places = new Set<string>();
  for (const panel of panels) {
    expect(panel).toMatchObject({ title: /./, type: /timeseries|stat/, description: /./ });
    expect(panel.targets.every(({ expr }: { expr: string }) => expr !== "")).toBe(true);
    places.add(`${panel.gridPos.x},${panel.gridPos.y}`);
  }
  expect(places.size).toBe(panels.length);
});
