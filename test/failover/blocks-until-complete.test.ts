/**
 * AG-403 8.2 (our reading), on real Patroni, HAProxy and PostgreSQL: the leader is killed under load while a component of the target
 * is broken. Nothing is executed, counted at the tool server, until all of them are intact.
 */
import { afterAll, beforeAll, expect, test } from "vitest";
import { attempts } from "../fixtures/attempts.ts";
import { GovernedCluster } from "../fixtures/governed-cluster.ts";
import { until } from "../fixtures/patroni.ts";
import type { Answering } from "../fixtures/two-sites.ts";

const names = ["mandate-gateway", "audit-log", "identity-provider", "data-boundary"] as const;
/** What the last of them keeps. */
const residency = "residency:\n  - { data_class: orders, jurisdictions: [EU] }";
const attemptsEach = 1_000;

/** Each component in each way, and a sample of pairs. The first is what is broken when the leader dies. */
const broken: readonly (readonly [string, Answering])[][] = [
  ...names.map((name): [string, Answering][] => [[name, "fail"]]),
  ...(["garbage", "silent", "other_site"] as const).map((how): [string, Answering][] => [
    ["audit-log", how],
  ]),
  [
    ["mandate-gateway", "fail"],
    ["audit-log", "silent"],
  ],
  [
    ["identity-provider", "garbage"],
    ["data-boundary", "fail"],
  ],
  [
    ["audit-log", "other_site"],
    ["data-boundary", "silent"],
  ],
];

let cluster: GovernedCluster;
let total = 0;
beforeAll(async () => {
  cluster = await GovernedCluster.start({ names, components: residency });
  const { world } = cluster;
  const url = `http://127.0.0.1:${cluster.agentsPort}`;
  await until("traffic at Frankfurt", async () => (await attempts(url, 1)).executed === 1);
  breakAt(broken[0] ?? []);
  // Under load, all through the death of the site.
  const load = attempts(url, 400, 4);
  await cluster.killSite("fra");
  await load;
  await until(
    "the target to have tried",
    async () => (await world.status("dub"))["phase"] === "blocked",
  );
});
afterAll(() => cluster.remove());

/** Exactly these are broken from now on; those that were are repaired after. */
function breakAt(which: readonly (readonly [string, Answering])[]): void {
  for (const [name, how] of which) cluster.world.set("dub", name, how);
  for (const name of names)
    if (!which.some(([each]) => each === name)) cluster.world.set("dub", name, "fine");
}

for (const which of broken)
  test(`nothing is executed while ${which.map(([name, how]) => `${name} is ${how}`).join(" and ")}`, async () => {
    const { world, patroni } = cluster;
    breakAt(which);
    await until("a validation that names them", async () => {
      const { failing } = (await world.status("dub")) as { failing: { component: string }[] };
      return which.every(([name]) => failing.some(({ component }) => component === name));
    });
    const before = world.received().length;
    const ways = [`http://127.0.0.1:${cluster.agentsPort}`, world.gateway("dub").url];
    for (const url of ways) {
      const { made, executed } = await attempts(url, attemptsEach / 2);
      total += made;
      expect(executed, url).toBe(0);
    }
    expect(world.received().length - before).toBe(0);
    expect(await patroni.node("dub").takesWrites()).toBe(false);
  });

test("in all at least 10,000 attempts; repaired, the target is promoted and acts", async () => {
  expect(total).toBeGreaterThanOrEqual(10_000);
  breakAt([]);
  const url = `http://127.0.0.1:${cluster.agentsPort}`;
  await until("a promotion", () => cluster.patroni.node("dub").takesWrites());
  await until("traffic at Dublin", async () => (await attempts(url, 1)).executed === 1);
});
