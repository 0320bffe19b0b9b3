/** AG-403 4.1 to 4.3, 4.6, 4.9: two sites of real processes; our reading of AG-403 8.2. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { TwoSites, type TwoSitesOptions, until } from "../../fixtures/two-sites.ts";

const worlds: TwoSites[] = [];
afterEach(async () => {
  for (const world of worlds.splice(0)) {
    await world.close();
    rmSync(world.folder, { recursive: true, force: true });
  }
});

async function prepared(options: TwoSitesOptions = {}): Promise<TwoSites> {
  const world = await TwoSites.prepare(mkdtempSync(join(tmpdir(), "holdfast-sites-")), options);
  worlds.push(world);
  return world;
}

test("AG-403 4.2: a site acts only with a permit; after its death another one does, and never both", async () => {
  const world = await prepared();
  await world.startGuard("fra");
  await world.startGuard("dub");
  await world.reaches("fra", "ready");
  await world.startGateway("fra");
  await world.startGateway("dub");
  await until(async () => (await world.call("fra", "first")).status === 200, 10_000);
  const refused = await world.call("dub", "standby");
  expect(refused.status).toBe(503);
  expect(refused.body).toContain("no_permit");

  world.guard("fra").kill();
  const begun = await world.failover(
    "dub",
    "await",
    "--budget",
    "40",
    "--begin",
    "manual",
    "--from",
    "fra",
  );
  expect(begun.code, begun.err).toBe(0);
  await until(async () => (await world.call("dub", "second")).status === 200, 10_000);
  expect((await world.call("fra", "zombie")).status).toBe(503);
  expect(JSON.stringify(world.received())).not.toContain("zombie");
  expect((await world.status("dub"))["epoch"]).toBe(2);
});
