/**
 * AG-403 4.7, 8.7 (our reading of AG-403): every scenario of the library runs unattended among real processes, one after
 * another in the same town, so that each finds what the one before restored. Where a guard opens whatever it sees, each of
 * them fails: `drills-planted.test.ts`. Its guards are stand-ins; real ones are in `drills-real.test.ts`, `drills-flapping.test.ts` and
 * `test/system/failover/drills-guarded.test.ts`.
 */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openDisk } from "../../src/adapters/disk/index.ts";
import { DrillSite, scenarios } from "../system/failover/drill-site.ts";
import { failoverCommand } from "../unit/cli/failover-command.ts";

const opened: { site?: DrillSite } = {};
const town = (): DrillSite => opened.site as DrillSite;

beforeAll(async () => {
  opened.site = await DrillSite.open(false);
});
afterAll(async () => opened.site?.close());

describe("AG-403 4.7, 8.7: a town that is governed (stand-in guards)", () => {
  test.each(scenarios)("%s passes, and the state is what it was", async (scenario) => {
    const { code, err, result } = await town().drill(scenario);
    expect({ code, ...result }, err).toMatchObject({ code: 0, verdict: "pass", restored: true });
  });

  test("all are held and recorded; none is open; status says so", async () => {
    const options = ["--manifest", town().at("manifest.yaml"), "--folder", town().at("drills")];
    const { code, out } = await failoverCommand("drill", "status", ...options, "--json");
    const status = JSON.parse(out) as { open: unknown; due: { scenario: string }[] };
    expect({ code, open: status.open }).toEqual({ code: 0, open: null });
    expect(status.due.map(({ scenario }) => scenario).sort()).toEqual([...scenarios].sort());
    const journals = await openDisk(town().at("drills")).list("journals");
    expect(journals.ok && journals.value.length).toBe(scenarios.length);
  });
});
