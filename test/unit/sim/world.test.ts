/** The simulated world itself, in small: `test/system/sim-spine.test.ts` lives many. */
import { expect, test } from "vitest";
import { plants, simulate } from "../../../src/sim/index.ts";

test("a few worlds keep every promise and forward something", async () => {
  let received = 0;
  for (let seed = 1_001; seed <= 1_010; seed++) {
    const report = await simulate({ seed });
    expect(report.violations, `node tools/sim.ts --seed ${seed}`).toEqual([]);
    received += report.events.of("received by the upstream");
  }
  expect(received).toBeGreaterThan(10);
});

test("the same seed is the same world, told line by line", async () => {
  const told: string[][] = [[], []];
  for (const lines of told) await simulate({ seed: 7, trace: (line) => lines.push(line) });
  expect(told[0]).toEqual(told[1]);
  expect(told[0]?.length).toBeGreaterThan(20);
});

test("a planted forward-before-sync is found", async () => {
  const plant = plants.get("forward-before-sync");
  const report = await simulate({ seed: 2, ...(plant && { plant }) });
  expect(report.violations.map(({ promise }) => promise)).toContain("durable_before_forward");
});
