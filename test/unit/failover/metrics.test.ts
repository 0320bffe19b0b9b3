/** AG-403 4.9: what a guard counts of its records. */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { failoverMetrics, recordGauges } from "../../../src/failover/index.ts";
import { manifest } from "./drill/experiments.ts";
import { record } from "./evidence/evidence.ts";

const now = Date.parse("2026-05-01T11:00:00.000Z");

const remediations = new Map([["audit done", 1]]);

function values(...records: ReturnType<typeof record>[]): Record<string, number> {
  const canary = {
    kind: "cdc_canary",
    connection: { env: "X" },
    warehouse: { file: "/w" },
  } as const;
  const [audit, ...rest] = manifest.components;
  const components = audit === undefined ? rest : [{ ...audit, verify: canary }, ...rest];
  const fold = { records, dropped: new Map([["resumed", 2]]), remediations };
  const gauges = recordGauges(fold, { ...manifest, components }, now);
  for (const { name, labels } of gauges) {
    expect(failoverMetrics[name], name).toBeDefined();
    expect(labels["deployment"]).toBe("trading-agents");
  }
  return Object.fromEntries(
    gauges.map(({ name, labels, value }) => {
      const { deployment: _, ...rest } = labels;
      return [[name, ...Object.values(rest)].join(" "), value];
    }),
  );
}

test("every metric is in the docs, and the docs name no other", () => {
  const page = readFileSync("docs/failover/metrics.md", "utf8");
  const rows = page.split("\n").filter((line) => /^\| `/.test(line));
  const named = rows.flatMap((row) => (row.split("|")[1] ?? "").match(/[a-z_]+/g) ?? []);
  expect(named.map((name) => name.replace(/_total$/, "")).sort()).toEqual(
    Object.keys(failoverMetrics).sort(),
  );
});

test("GRT beside RTO, the objective, canaries, remediations, outcomes", () => {
  expect(values(record())).toEqual({
    failover_grto_seconds: 60,
    failover_grt_seconds: 22,
    failover_rto_seconds: 21,
    failover_open_seconds: 0,
    "failover_records resumed": 3,
    "failover_component_blocked_seconds audit": 0,
    "failover_component_blocked_seconds identity": 0,
    "failover_remediations audit done": 1,
    "failover_canary_ms audit": 12,
    failover_lost_records: 0,
  });
});

test("what is open is as old as it began; what blocks is named with its time; what is lost is counted", () => {
  const answers = record().answers.map((each) => ({ ...each, verdict: "fail" as const }));
  const watermark = [{ of: "ledger/fra", witnessed: "10", observed: "9", lost: true }];
  const blocked = record({
    ...{ failover: "fo-2", phase: "blocked", answers, watermark },
    ...{ closed: null, outcome: null, grt_ms: null, rto_ms: null },
  });
  expect(values(record(), blocked)).toMatchObject({
    failover_grt_seconds: 22,
    failover_open_seconds: 3_600,
    "failover_records open": 1,
    "failover_component_blocked_seconds audit": 3_580,
    failover_lost_records: 1,
  });
});
