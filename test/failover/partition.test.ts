/**
 * A site that is cut off from the arbiter, and from nobody else (AG-403 4.2, 4.3): its guard runs on a host of its own whose network is
 * cut. What it was let do ends with its permit, another site takes over with a higher epoch, and they never act both.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { attempt, attempts } from "../fixtures/attempts.ts";
import { EtcdServer } from "../fixtures/etcd.ts";
import { NetworkNamespace } from "../fixtures/network-namespace.ts";
import { until } from "../fixtures/patroni.ts";
import { TwoSites } from "../fixtures/two-sites.ts";

const ttlSeconds = 10;
let host: NetworkNamespace;
let arbiter: EtcdServer;
let world: TwoSites;
beforeAll(async () => {
  host = NetworkNamespace.create();
  arbiter = await EtcdServer.start([], host.ours);
  world = await TwoSites.prepare(mkdtempSync(join(tmpdir(), "holdfast-partition-")), {
    ...{ ttlSeconds, hosts: { fra: host.address, answers: host.ours } },
    arbiter: `{ etcd: "etcd://${host.ours}:${arbiter.port}/arbiter" }`,
    extra: (site) =>
      `  automatic: true\nstore: { sqlite: ../store.db }\ninstance: ${site}-gateway\n`,
  });
  await world.startGuard("fra", {}, host.under);
  await world.reaches("fra", "ready");
  await world.startGuard("dub");
  for (const site of ["fra", "dub"] as const) await world.startGateway(site);
  await world.compares("dub");
});
afterAll(async () => {
  await world?.close();
  await arbiter?.remove();
  host?.remove();
  rmSync(world.folder, { recursive: true, force: true });
});

test("the isolated site executes nothing after its permit, and never together with the other", async () => {
  const [fra, dub] = [world.gateway("fra").url, world.gateway("dub").url];
  await until("Frankfurt to act", async () => (await attempt(fra)) === 200);
  host.cut(arbiter.port);
  const cutMs = performance.now();
  // Both are asked all the time, each from its own clients: what each executed, and when.
  const acted = { fra: [] as number[], dub: [] as number[] };
  let isOver = false;
  const lane = async (site: "fra" | "dub", url: string): Promise<void> => {
    while (!isOver) {
      const askedMs = performance.now();
      if ((await attempt(url)) === 200) acted[site].push(askedMs);
      await new Promise((wake) => setTimeout(wake, 5));
    }
  };
  const lanes = [lane("fra", fra), lane("dub", dub)];
  await until("Dublin to act", async () => acted.dub.length > 100);
  isOver = true;
  await Promise.all(lanes);
  const [lastOfFra = 0, firstOfDub = 0] = [acted.fra.at(-1), acted.dub[0]];
  expect(acted.fra.length).toBeGreaterThan(0);
  expect(lastOfFra).toBeLessThan(firstOfDub);
  // A permit lasts no longer than the verdict it rests on.
  expect(lastOfFra - cutMs).toBeLessThan(ttlSeconds * 1_000);
  const before = world.received().length;
  const { executed } = await attempts(fra, 1_000);
  expect([executed, world.received().length - before]).toEqual([0, 0]);
});

test("healed, the site that was cut off stands by, under the epoch of the other", async () => {
  host.heal();
  await world.reaches("fra", "standby", 60_000);
  const { executed } = await attempts(world.gateway("fra").url, 200);
  expect(executed).toBe(0);
  expect(await attempt(world.gateway("dub").url)).toBe(200);
  expect((await world.status("dub"))["epoch"]).toBe(2);
});
