/** Power loss at any moment, from seeds: nothing acknowledged is lost, the log verifies, the same seed is the same log. */
import { expect, test } from "vitest";
import { ok } from "../../../src/kernel/index.ts";
import type { Disk } from "../../../src/ports.ts";
import { World } from "./world.ts";

const seeds = 320;

async function livesAndCrashes(seed: number, mount?: (disk: Disk) => Disk) {
  const world = new World(seed);
  for (let life = 0; life < 3; life++) await world.life(mount);
  return { world, report: await world.settle() };
}

test(`${seeds} seeds of crashes: no acknowledged entry is lost and the log verifies`, async () => {
  const injected: Record<string, number> = {};
  let [acknowledged, evidence] = [0, 0];
  for (let seed = 1; seed <= seeds; seed++) {
    const { world, report } = await livesAndCrashes(seed);
    expect({ seed, findings: report.findings, lost: report.lost }).toEqual({
      ...{ seed, findings: [], lost: [] },
    });
    acknowledged += world.acknowledged.length;
    evidence += world.checkpoints.length + world.receipts.length;
    for (const [kind, count] of Object.entries(world.disk.injected))
      injected[kind] = (injected[kind] ?? 0) + count;
  }
  expect(acknowledged).toBeGreaterThan(seeds * 20);
  expect(evidence).toBeGreaterThan(seeds);
  expect(Object.keys(injected).sort()).toEqual(
    ["crash", "name undone", "removal undone", "torn append"].sort(),
  );
}, 120_000);

test("the same seed gives the same root", async () => {
  for (const seed of [1, 7, 42]) {
    const roots = [await livesAndCrashes(seed), await livesAndCrashes(seed)].map(({ report }) =>
      Buffer.from(report.rootHash).toString("hex"),
    );
    expect(roots[0]).toBe(roots[1]);
  }
});

test("an acknowledgement before the sync is found within 50 seeds", async () => {
  const lying = (disk: Disk): Disk => ({
    ...disk,
    openAppend: async (path, keepBytes) => {
      const file = await disk.openAppend(path, keepBytes);
      if (!file.ok) return file;
      const { value } = file;
      return ok({
        get sizeBytes() {
          return value.sizeBytes;
        },
        append: (bytes: Uint8Array) => value.append(bytes),
        sync: async () => ok(undefined),
        close: () => value.close(),
      });
    },
  });
  let caught = 0;
  for (let seed = 1; seed <= 50; seed++) {
    const found = await livesAndCrashes(seed, lying).then(
      ({ report }) => report.lost.length > 0 || !report.ok,
      () => true,
    );
    if (found) caught += 1;
  }
  expect(caught).toBeGreaterThan(0);
});
