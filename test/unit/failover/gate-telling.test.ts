/** What the metrics of a guard say of its gate, against what the gate did. */
import { afterEach, expect, test } from "vitest";
import { failoverMetrics, gatePhases } from "../../../src/failover/index.ts";
import type { RecordingTelemetry } from "../../../src/sim/index.ts";
import { component, GuardTown } from "./guard-town.ts";

const towns: GuardTown[] = [];
afterEach(async () => {
  for (const town of towns.splice(0)) await town.end();
});

function townOf(...components: string[]): GuardTown {
  const town = new GuardTown({ components: components.map((name) => component(name)) });
  towns.push(town);
  return town;
}

/** By phase, as they stand now: what was set last. */
function phases({ gauges }: RecordingTelemetry): Readonly<Record<string, number>> {
  const set = gauges.filter(({ name }) => name === "failover_phase");
  return Object.fromEntries(
    set.map(({ labels, value }) => [labels["holdfast_failover_phase"] ?? "", value]),
  );
}

function total({ counts }: RecordingTelemetry, metric: string, of?: string): number {
  const own = counts.filter(
    ({ name, labels }) =>
      name === metric && (of === undefined || labels["phase"] === of || labels["component"] === of),
  );
  return own.reduce((sum, { value }) => sum + value, 0);
}

const open = ({ gauges }: RecordingTelemetry): number | undefined =>
  gauges.findLast(({ name }) => name === "failover_gate_open")?.value;

test("AG-403 4.3: exactly one phase is 1, and it is the one that the gate is in", async () => {
  const town = townOf("gateway", "audit");
  town.script = (_, name) =>
    name === "audit" && town.clock.wallMs() % 7_000 < 3_500 ? "fail" : "pass";
  const { telemetry, guard } = await town.start("fra");
  const seen = new Set<string>();
  for (let ms = 0; ms < 60_000; ms += 20) {
    const now = phases(telemetry);
    expect(Object.keys(now).sort()).toEqual([...gatePhases].sort());
    expect(Object.entries(now).filter(([, value]) => value === 1)).toEqual([
      [guard.state.phase, 1],
    ]);
    expect(open(telemetry)).toBe(guard.state.phase === "ready" ? 1 : 0);
    seen.add(guard.state.phase);
    await town.clock.advance(20);
  }
  expect([...seen]).toEqual(expect.arrayContaining(["fenced", "validating", "ready", "blocked"]));
});

test("the time in all phases is the time that has passed, and every phase and component has a series", async () => {
  const town = townOf("gateway", "audit");
  const { telemetry, guard } = await town.start("fra");
  expect(total(telemetry, "failover_phase_seconds")).toBe(0);
  const startMs = town.clock.monotonicMs();
  await town.reaches("fra", "ready");
  await town.clock.advance(10_000);
  guard.tellTimes();
  const seconds = (town.clock.monotonicMs() - startMs) / 1_000;
  expect(total(telemetry, "failover_phase_seconds")).toBeCloseTo(seconds, 6);
  expect(total(telemetry, "failover_phase_seconds", "ready")).toBeGreaterThan(9.9);
  const series = (metric: string, label: string): readonly (string | undefined)[] => [
    ...new Set(
      telemetry.counts.flatMap(({ name, labels }) => (name === metric ? [labels[label]] : [])),
    ),
  ];
  expect(series("failover_phase_seconds", "phase")).toEqual([...gatePhases]);
  expect(series("failover_blocked_seconds", "component")).toEqual(
    expect.arrayContaining(["gateway", "audit", "holdfast.parity"]),
  );
  for (const name of ["failover_phase", "failover_phase_seconds", "failover_blocked_seconds"])
    expect(failoverMetrics[name]).toBeDefined();
});

test("a component that blocks is counted from tries to tries; one that passes and a site that stands by are not", async () => {
  const town = townOf("gateway", "audit");
  town.script = (_, name) => (name === "audit" ? "fail" : "pass");
  const { telemetry, guard } = await town.start("fra");
  const standby = await town.start("dub");
  await town.reaches("fra", "blocked");
  await town.clock.advance(30_000);
  guard.tellTimes();
  standby.guard.tellTimes();
  expect(total(telemetry, "failover_blocked_seconds", "audit")).toBeGreaterThan(29.9);
  expect(total(telemetry, "failover_blocked_seconds", "gateway")).toBe(0);
  expect(total(standby.telemetry, "failover_blocked_seconds")).toBe(0);
  expect(total(standby.telemetry, "failover_phase_seconds", "standby")).toBeGreaterThan(29.9);
});

test("a guard that cannot record any more says that nobody acts", async () => {
  let full = false;
  const town = new GuardTown({
    components: [component("gateway")],
    beforeDisk: () => (full ? "full" : undefined),
  });
  towns.push(town);
  const { telemetry, guard } = await town.start("fra");
  await town.reaches("fra", "ready");
  expect(open(telemetry)).toBe(1);
  full = true;
  await town.clock.run(guard.standDown("a person says so"));
  expect(guard.failed).toBe(true);
  expect(open(telemetry)).toBe(0);
  expect(phases(telemetry)).toMatchObject({ revoked: 1, ready: 0 });
});
