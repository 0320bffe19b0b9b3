/** Power loss at any moment, from seeds. */
import { expect } from "vitest";
import type { Disk } from "../../../src/ports.ts";
import { World } from "./world.ts";

/** Three lives of a ledger, each ended by a crash, and what is left of them. */
export async function livesAndCrashes(
  seed: number,
  mount?: (disk: Disk) => Disk,
): Promise<{ world: World; report: Awaited<ReturnType<World["settle"]>> }> {
  const world = new World(seed);
  for (let life = 0; life < 3; life++) await world.life(mount);
  return { world, report: await world.settle() };
}

/** Fails when a seed loses an acknowledged entry or leaves a log that does not verify, or when the seeds tried too little. */
export async function expectNothingLost(seeds: number): Promise<void> {
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
}
