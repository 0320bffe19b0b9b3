/**
 * What was acknowledged on the losing side of an asynchronous cut is missing at the other (AG-403 4.4): the candidate's store is behind what
 * was witnessed at the arbiter, and its site stays blocked until people decide. Real PostgreSQL, replicated asynchronously.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { attempt, attempts } from "../fixtures/attempts.ts";
import { until } from "../fixtures/patroni.ts";
import { PostgresServer } from "../fixtures/postgres.ts";
import { TwoSites } from "../fixtures/two-sites.ts";

let primary: PostgresServer;
let standby: PostgresServer;
let world: TwoSites;
beforeAll(async () => {
  primary = await PostgresServer.primary();
  standby = await primary.standby();
  const urls = { fra: primary.url, dub: standby.url };
  world = await TwoSites.prepare(mkdtempSync(join(tmpdir(), "holdfast-watermark-")), {
    extra: (site) =>
      `  automatic: true\nstore: { postgres: "${urls[site]}" }\ninstance: ${site}-gateway\n`,
  });
  await world.startGuard("fra");
  await world.reaches("fra", "ready");
  await world.startGateway("fra");
});
afterAll(async () => {
  await world.close();
  await standby.remove();
  await primary.remove();
  rmSync(world.folder, { recursive: true, force: true });
});

test("writes were acknowledged after the cut: the other site is blocked by its watermark, and executes nothing", async () => {
  const url = world.gateway("fra").url;
  await until("Frankfurt to act", async () => (await attempt(url)) === 200);
  // The cut: the standby receives nothing more, and the primary goes on acknowledging.
  await standby.kill();
  expect((await attempts(url, 85, 1)).executed).toBe(85);
  // Long enough for the arbiter to have witnessed what was acknowledged: two renewals.
  await new Promise((witnessed) => setTimeout(witnessed, 12_000));
  world.gateway("fra").kill();
  world.guard("fra").kill();
  await primary.kill();
  await standby.start();
  await standby.promote();
  await world.startGuard("dub");
  await world.reaches("dub", "blocked", 60_000);
  const { failing } = (await world.status("dub")) as { failing: Failing[] };
  const lost = failing.find(({ component }) => component === "holdfast.watermark");
  expect(lost?.because).toMatch(/was witnessed.*acknowledged records are lost/);
  await world.startGateway("dub");
  const before = world.received().length;
  expect((await attempts(world.gateway("dub").url, 1_000)).executed).toBe(0);
  expect(world.received().length - before).toBe(0);
});

interface Failing {
  readonly component: string;
  readonly because: string;
}
