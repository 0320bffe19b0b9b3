/** AG-403 4.1 to 4.3, 4.6, 4.9: two sites of real processes; our reading of AG-403 8.2. */
import { globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
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

  await world.compares("dub");
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

test("AG-403 4.3: whatever a component answers but a PASS blocks, by name; a guard that is frozen or dead lets nobody act", async () => {
  const names = ["mandate-gateway", "audit-pipeline"];
  const world = await prepared({ names });
  world.set("fra", "audit-pipeline", "fail");
  await world.startGuard("fra");
  await world.startGateway("fra");
  for (const answering of ["fail", "garbage", "silent", "other_site"] as const) {
    world.set("fra", "audit-pipeline", answering);
    await world.reaches("fra", "blocked");
    const refused = await world.call("fra", answering);
    expect(refused.status).toBe(503);
    expect(refused.body).toContain("no_permit");
    const { failing } = await world.status("fra");
    expect(JSON.stringify(failing)).toContain("audit-pipeline");
    expect(JSON.stringify(failing)).not.toContain("mandate-gateway");
  }
  expect(world.received()).toEqual([]);

  world.set("fra", "audit-pipeline", "fine");
  await until(async () => (await world.call("fra", "good")).status === 200, 20_000);
  world.guard("fra").kill("SIGSTOP");
  const stoppedMs = Date.now();
  // A permit is good for ten seconds at most, counted from before it was asked for.
  await until(async () => Date.now() - stoppedMs > 10_200, 15_000);
  const before = world.received().length;
  const attempts = await Promise.all(
    Array.from({ length: 500 }, (_, i) => world.call("fra", `frozen-${i}`)),
  );
  // Some find no room at once.
  expect([...new Set(attempts.map(({ status }) => status))].sort()).not.toContain(200);
  expect(world.received().length).toBe(before);

  // It goes on with an epoch of its own, after a validation of its own.
  world.guard("fra").kill("SIGCONT");
  await until(async () => (await world.call("fra", "again")).status === 200, 30_000);
  const { epoch, records } = await recordsOf(world, "fra");
  expect(epoch).toBeGreaterThanOrEqual(2);
  for (const record of records) {
    expect(record["closed"], JSON.stringify(record)).not.toBeNull();
    expect(record["outcome"]).toBe("resumed");
    expect(record["traffic_resumed"]).not.toBeNull();
  }
});

test("AG-403 4.8: a standby that has drifted leaves the race before it is needed; clocks that are set change nothing", async () => {
  const world = await prepared();
  // Wall clocks two minutes apart: lifetimes are counted on the monotonic one.
  await world.startGuard("fra", faked("-60s"));
  await world.startGuard("dub", faked("+60s"));
  await world.reaches("fra", "ready");
  const drifted = async (): Promise<string> =>
    JSON.stringify((await world.status("dub"))["parity"]);
  await until(async () => (await drifted()).includes('"drifts":[]'), 10_000, drifted);
  writeFileSync(join(world.folder, "dub/service.env"), "# the limit\nLIMIT=5000\n");
  writeFileSync(join(world.folder, "dub/haproxy.cfg"), "server own 10.0.0.1:444 check\n");
  await until(async () => (await drifted()).includes("haproxy.cfg"), 3_000, drifted);
  expect(await drifted()).not.toContain("service.env");
  world.guard("fra").kill();
  const refused = await world.failover("dub", "await", "--budget", "40", "--begin", "patroni");
  expect(refused.code).toBe(1);
  expect(refused.err).toContain("holdfast.parity");
  writeFileSync(join(world.folder, "dub/haproxy.cfg"), "server own 10.0.0.1:443 check\n");
});

test("AG-403 4.3: a gateway that was frozen past its permit writes nothing when it goes on; a zombie's store refuses it", async () => {
  const world = await prepared();
  await world.startGuard("fra");
  await world.startGuard("dub");
  await world.reaches("fra", "ready");
  await world.startGateway("fra");
  await until(async () => (await world.call("fra", "first")).status === 200, 10_000);
  await world.compares("dub");
  world.gateway("fra").kill("SIGSTOP");
  // What waits in the sockets of a frozen process is served when it goes on.
  const waiting = Array.from({ length: 250 }, (_, i) => world.call("fra", `frozen-${i}`));
  world.guard("fra").kill();
  const begun = await world.failover("dub", "await", "--budget", "40", "--begin", "manual");
  expect(begun.code, begun.err).toBe(0);
  const before = world.received().length;
  world.gateway("fra").kill("SIGCONT");
  const answers = await Promise.all(waiting);
  // A gateway whose configuration has lost its failover section is none of a deployment that has a manifest.
  const text = readFileSync(world.config("fra"), "utf8");
  writeFileSync(world.config("fra"), text.slice(0, text.indexOf("failover:")));
  world.gateway("fra").kill();
  await world.startGateway("fra");
  const without = await world.call("fra", "without");
  expect([without.status, without.body]).toEqual([
    503,
    expect.stringContaining("has adopted a manifest"),
  ]);
  expect(answers.map(({ status }) => status)).not.toContain(200);
  expect(world.received().length).toBe(before);
});

/** A wall clock that is off; the monotonic one is not. */
function faked(offset: string): Readonly<Record<string, string>> {
  const [library] = [".cache/tools/usr/lib", "/usr/lib"].flatMap((place) =>
    globSync(`${resolve(place)}/*/faketime/libfaketime.so.1`),
  );
  if (library === undefined) throw new Error("libfaketime is missing: run node tools/prepare.ts");
  return { LD_PRELOAD: library, FAKETIME: offset, DONT_FAKE_MONOTONIC: "1" };
}

async function recordsOf(world: TwoSites, site: "fra" | "dub") {
  const answer = await fetch(`${world.guardUrl(site)}/record`);
  const { records } = (await answer.json()) as { records: Record<string, unknown>[] };
  return { records, epoch: Number((await world.status(site))["epoch"]) };
}
