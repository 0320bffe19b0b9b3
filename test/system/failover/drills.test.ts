/**
 * AG-403 4.7, 8.7 (our reading of AG-403): every scenario of the library runs unattended among real processes, one after
 * another in the same town, so that each finds what the one before restored. Where a guard opens whatever it sees, every one of them fails.
 */
import { rmSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openDisk } from "../../../src/adapters/disk/index.ts";
import { failoverCommand } from "../../unit/cli/failover-command.ts";
import { DrillSite } from "./drill-site.ts";

const scenarios = [
  ...["process-kill", "freeze", "partition", "lost-slot", "missing-sidecar", "stale-bundle"],
  ...["wrong-jurisdiction", "revoked-key", "audit-sink-full", "clock-skew", "double-failure"],
  ...["failback", "flapping", "gate-death"],
];

const opened: { sound?: DrillSite; planted?: DrillSite } = {};

beforeAll(async () => {
  process.env["HOLDFAST_GUARD_TOKEN"] = "t0wn";
  opened.sound = await DrillSite.open(false);
  opened.planted = await DrillSite.open(true);
});

afterAll(async () => {
  await opened.sound?.close();
  await opened.planted?.close();
});

async function drilled(site: DrillSite | undefined, scenario: string) {
  if (site === undefined) throw new Error("the town did not open");
  const said = await failoverCommand(
    ...["drill", "run", scenario, "--manifest", site.at("manifest.yaml")],
    ...[
      "--folder",
      site.at("drills"),
      "--vars",
      site.variables(scenario),
      "--allow-ready",
      "--json",
    ],
  );
  const result = said.out === "" ? {} : (JSON.parse(said.out) as Record<string, unknown>);
  return { ...said, result };
}

describe("AG-403 4.7, 8.7: a town that is governed", () => {
  test.each(scenarios)("%s passes, and the state is what it was", async (scenario) => {
    const { code, err, result } = await drilled(opened.sound, scenario);
    expect({ code, ...result }, err).toMatchObject({ code: 0, verdict: "pass", restored: true });
  });

  test("all are held and recorded; none is open; status says so", async () => {
    const site = opened.sound;
    if (site === undefined) throw new Error("the town did not open");
    const options = ["--manifest", site.at("manifest.yaml"), "--folder", site.at("drills")];
    const { code, out } = await failoverCommand("drill", "status", ...options, "--json");
    const status = JSON.parse(out) as { open: unknown; due: { scenario: string }[] };
    expect({ code, open: status.open }).toEqual({ code: 0, open: null });
    expect(status.due.map(({ scenario }) => scenario).sort()).toEqual([...scenarios].sort());
    const journals = await openDisk(site.at("drills")).list("journals");
    expect(journals.ok && journals.value.length).toBe(scenarios.length);
  });
});

describe("AG-403 4.7, 8.7: a town whose guard opens whatever it sees", () => {
  test.each(scenarios)("%s fails, and the state is what it was", async (scenario) => {
    // What was done ungoverned in the drill before is not this one's.
    rmSync(opened.planted?.at("actions") ?? "", { force: true });
    const { code, err, result } = await drilled(opened.planted, scenario);
    expect({ code, ...result }, err).toMatchObject({ code: 1, verdict: "fail", restored: true });
  });
});
