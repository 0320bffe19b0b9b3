/** The spine in simulated worlds: the promises hold under faults, and the checks find a spine that breaks them. */
import { expect, test } from "vitest";
import {
  FaultCounts,
  type Plant,
  plants,
  simulate,
  type WorldReport,
} from "../../src/sim/index.ts";

const seeds = 300;
const plantedSeedsMax = 50;

/** What is printed for a person: what broke, and how to see it again. */
function complaint({ seed, violations }: WorldReport): string {
  const what = violations.map(({ promise, detail }) => `  ${promise}: ${detail}`).join("\n");
  return `seed ${seed}; replay: node tools/sim.ts --seed ${seed}\n${what}`;
}

function table(title: string, counts: FaultCounts): string {
  const rows = counts.entries().map(([kind, count]) => `${String(count).padStart(8)}  ${kind}`);
  return [`${title}`, ...rows].join("\n");
}

test(`${seeds} seeds with crashes, torn writes and lost messages break no promise`, async () => {
  const [faults, events] = [new FaultCounts(), new FaultCounts()];
  const complaints: string[] = [];
  for (let seed = 1; seed <= seeds; seed++) {
    const report = await simulate({ seed });
    if (report.violations.length > 0) complaints.push(complaint(report));
    faults.merge(report.faults);
    events.merge(report.events);
  }
  process.stdout.write(`${table("events", events)}\n${table("faults injected", faults)}\n`);
  expect(complaints).toEqual([]);
  // A simulator that met no fault, or forwarded nothing, would show nothing.
  const kinds = ["disk.torn append", "disk.sync lost", "disk.sync saved", "disk.append full"];
  const lost = [
    "network.requestLost",
    "network.answerLost",
    "network.delivered2",
    "client.doubled",
  ];
  for (const kind of [
    ...kinds,
    ...lost,
    "crash.sync.after",
    "crash.send.before",
    "crash.send.after",
  ])
    expect(faults.of(kind), kind).toBeGreaterThan(0);
  expect(events.of("received by the upstream")).toBeGreaterThan(seeds);
  expect(events.of("audits")).toBeGreaterThan(seeds);
});

test("the same seed gives the same log root and the same story", async () => {
  for (const seed of [1, 2, 3, 5, 8, 13, 21, 34, 55, 89]) {
    const [first, second] = [await simulate({ seed }), await simulate({ seed })];
    expect(second.rootHash).toBe(first.rootHash);
    expect(second.digest).toBe(first.digest);
    expect(second.faults.entries()).toEqual(first.faults.entries());
  }
  const [one, other] = [await simulate({ seed: 1 }), await simulate({ seed: 2 })];
  expect(one.rootHash).not.toBe(other.rootHash);
});

for (const [name, plant] of plants)
  test(`a planted ${name} is found within ${plantedSeedsMax} seeds`, async () => {
    const found = await firstFinding(plant);
    process.stdout.write(
      `${name}: found by seed ${found?.seed} as ${found?.violations[0]?.promise}\n`,
    );
    expect(found).toBeDefined();
  });

async function firstFinding(plant: Plant): Promise<WorldReport | undefined> {
  for (let seed = 1; seed <= plantedSeedsMax; seed++) {
    const report = await simulate({ seed, plant });
    if (report.violations.length > 0) return report;
  }
  return undefined;
}
