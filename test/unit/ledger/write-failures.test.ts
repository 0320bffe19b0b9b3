/**
 * Every operation of a run fails in turn, three times over: nothing happened; it happened and was reported lost; the
 * disk was full half way. Each time the ledger stops, never retries, and the next start finds a log that verifies and
 * holds everything acknowledged.
 */
import { expect, test } from "vitest";
import type { Ledger } from "../../../src/ledger/index.ts";
import type { DiskFault, FaultPlan } from "../../../src/sim/index.ts";
import { policyEntry } from "./entries.ts";
import { World } from "./world.ts";

interface Run {
  readonly world: World;
  readonly ledger: Ledger | undefined;
  readonly failedAt: { readonly operation: string; readonly path: string } | undefined;
}

async function run(number: number, fault: DiskFault): Promise<Run> {
  let failedAt: Run["failedAt"];
  const plan: FaultPlan = (operation, path, at) => {
    if (at !== number) return undefined;
    failedAt = { operation, path };
    return fault;
  };
  const world = new World(7, plan);
  const opened = await world.clock.run(world.open());
  if (!opened.ok) return { world, ledger: undefined, failedAt };
  const callers = [1, 2, 3].map(() => world.caller(opened.value, 12));
  await world.clock.run(Promise.all(callers));
  await world.clock.advance(200);
  return { world, ledger: opened.value, failedAt };
}

async function operationsOfRun(): Promise<number> {
  const { world } = await run(-1, "lost");
  return world.disk.operations;
}

const faults: readonly DiskFault[] = ["lost", "saved", "full"];

for (const fault of faults) {
  test(`each operation ${fault}: stops, and the next start loses nothing`, async () => {
    const operations = await operationsOfRun();
    expect(operations).toBeGreaterThan(60);
    let stopped = 0;
    for (let number = 0; number < operations; number++) {
      const { world, ledger, failedAt } = await run(number, fault);
      expect(failedAt, `operation ${number} happened`).toBeDefined();
      if (ledger && !ledger.healthy()) {
        stopped += 1;
        const before = world.disk.operations;
        const refused = await ledger.append(policyEntry("late"));
        expect(refused).toMatchObject({ ok: false, error: { kind: "stopped" } });
        expect(world.disk.operations).toBe(before);
      }
      // The process dies with the machine, or alone; the disk keeps what it has.
      if (number % 2 === 0) world.disk.crash();
      else if (ledger) await world.clock.run(ledger.close());
      const report = await world.settle();
      expect({ number, failedAt, findings: report.findings, lost: report.lost }).toEqual({
        ...{ number, failedAt, findings: [], lost: [] },
      });
    }
    expect(stopped).toBeGreaterThan(30);
  });
}

test("one failed sync: what it covered failed, what waited was never written, nothing follows", async () => {
  let syncs = 0;
  // The sync of the name at the opening, the start entry, the first group; then the disk fails once and recovers.
  const plan: FaultPlan = (operation, path) =>
    operation === "sync" && path.startsWith("journal/") && ++syncs === 4 ? "lost" : undefined;
  const world = new World(3, plan);
  const opened = await world.clock.run(world.open());
  if (!opened.ok) throw new Error(opened.error.detail);
  const results = await world.clock.run(
    Promise.all(Array.from({ length: 40 }, (_, i) => opened.value.append(policyEntry(`a${i}`)))),
  );
  const kinds = results.map((result) => (result.ok ? "ok" : result.error.kind));
  expect(kinds).toEqual([
    ...Array.from({ length: 16 }, () => "ok"),
    ...Array.from({ length: 16 }, () => "failed"),
    ...Array.from({ length: 8 }, () => "stopped"),
  ]);
  expect(opened.value.healthy()).toBe(false);
  const later = await opened.value.append(policyEntry("later"));
  expect(later).toMatchObject({ ok: false, error: { kind: "stopped" } });
});
