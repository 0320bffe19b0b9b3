/**
 * AG-403 8.2 and 4.3 (our reading): a gateway whose guard is killed, frozen, slow, answers garbage, something old or something forged
 * executes nothing once its permit has ended, counted at the tool server; and a guard that was stopped and goes on is a zombie.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { attempt, attempts } from "../fixtures/attempts.ts";
import { Meddler, type Meddling } from "../fixtures/meddler.ts";
import { until } from "../fixtures/patroni.ts";
import { TwoSites } from "../fixtures/two-sites.ts";

const faults = [
  ...["killed", "frozen", "slow", "garbage", "replayed", "other_site", "old_epoch", "longer"],
] as readonly Meddling[];
/** Of a verdict, and so the longest that a permit lasts. */
const ttlSeconds = 10;
const attemptsEach = 1_300;
/** What a gateway has acknowledged is known at both sites. */
const sharedStore = (site: string): string =>
  `store: { sqlite: ../store.db }\ninstance: ${site}-gateway\n`;

let world: TwoSites;
let meddler: Meddler;
let url: string;
let total = 0;
beforeAll(async () => {
  meddler = await Meddler.start(() => world.guardUrl("fra"));
  world = await TwoSites.prepare(mkdtempSync(join(tmpdir(), "holdfast-permits-")), {
    ttlSeconds,
    extra: (site) =>
      `  automatic: true\n${site === "fra" ? `  guard_url: http://127.0.0.1:${meddler.port}\n` : ""}${sharedStore(site)}`,
  });
  await world.startGuard("fra");
  await world.reaches("fra", "ready");
  url = (await world.startGateway("fra")).url;
});
afterAll(async () => {
  await meddler.close();
  await world.close();
  rmSync(world.folder, { recursive: true, force: true });
});

async function acts(): Promise<void> {
  await until("the gateway to act", async () => (await attempt(url)) === 200);
}

/** Refused for good, and not only between two permits. */
async function executesNothing(): Promise<void> {
  await new Promise((ended) => setTimeout(ended, ttlSeconds * 1_000 + 500));
  const before = world.received().length;
  const { made, executed } = await attempts(url, attemptsEach);
  total += made;
  expect(executed).toBe(0);
  expect(world.received().length - before).toBe(0);
}

for (const fault of faults)
  test(`a guard whose answers are ${fault}: nothing after the end of the permit; whole again, it goes on`, async () => {
    meddler.how = "pass";
    await acts();
    meddler.how = fault;
    await executesNothing();
    meddler.how = "pass";
    await acts();
  });

test("a guard that is stopped and continued is a zombie: another site acts, and this one never again by its old lease", async () => {
  meddler.how = "pass";
  await acts();
  const { epoch } = await world.status("fra");
  await world.startGuard("dub");
  await world.startGateway("dub");
  await world.compares("dub");
  world.guard("fra").kill("SIGSTOP");
  await world.reaches("dub", "ready", 60_000);
  await until(
    "the gateway at Dublin",
    async () => (await attempt(world.gateway("dub").url)) === 200,
  );
  world.guard("fra").kill("SIGCONT");
  const before = world.received().length;
  const { made, executed } = await attempts(url, attemptsEach);
  total += made;
  expect(executed).toBe(0);
  expect(world.received().length - before).toBe(0);
  expect((await world.status("dub"))["epoch"]).toBe(Number(epoch) + 1);
  expect(total).toBeGreaterThanOrEqual(10_000);
});
