/**
 * AG-403 8.7 (our reading of AG-403): a drill suite that cannot fail shows nothing. The guard of this town opens whatever it
 * sees, and each scenario of the library finds that, and restores what it found.
 */
import { rmSync } from "node:fs";
import { afterAll, beforeAll, expect, test } from "vitest";
import { DrillSite, scenarios } from "../system/failover/drill-site.ts";

const opened: { site?: DrillSite } = {};
const town = (): DrillSite => opened.site as DrillSite;

beforeAll(async () => {
  opened.site = await DrillSite.open(true);
});
afterAll(async () => opened.site?.close());

test.each(scenarios)(
  "AG-403 4.7, 8.7: %s fails where a guard (a stand-in) opens whatever it sees",
  async (scenario) => {
    // What was done ungoverned in the drill before is not this one's.
    rmSync(town().at("actions"), { force: true });
    const { code, err, result } = await town().drill(scenario);
    expect({ code, ...result }, err).toMatchObject({ code: 1, verdict: "fail", restored: true });
  },
);
