/** The spine in simulated worlds: the promises hold under faults, and the checks find a spine that breaks them. */
import { expect, test } from "vitest";
import {
  FaultCounts,
  type Plant,
  plants,
  simulate,
  type Violation,
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
  const kinds = [
    "disk.crash",
    "disk.process death",
    "disk.torn append",
    "disk.sync lost",
    "disk.sync saved",
    "disk.append full",
  ];
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

/** Each planted bug, and the promise whose check must find it. */
const breaks: Readonly<Record<string, Violation["promise"]>> = {
  "forward-before-sync": "durable_before_forward",
  "sync-not-awaited": "acknowledged_is_kept",
  "sync-retried": "nothing_after_failed_sync",
  "rewritten-after-judging": "forwarded_as_judged",
  "send-retried": "forwarded_once",
};

test("every bug that can be planted is known here", () => {
  expect([...plants.keys()].sort()).toEqual(Object.keys(breaks).sort());
});

for (const [name, promise] of Object.entries(breaks))
  test(`a planted ${name} is found within ${plantedSeedsMax} seeds, as ${promise}`, async () => {
    const seed = await firstFinding(plants.get(name), promise);
    process.stdout.write(`${name}: node tools/sim.ts --plant ${name} --seed ${seed}\n`);
    expect(seed).toBeLessThanOrEqual(plantedSeedsMax);
  });

async function firstFinding(plant: Plant | undefined, promise: string): Promise<number> {
  for (let seed = 1; seed <= plantedSeedsMax; seed++) {
    const { violations } = await simulate({ seed, ...(plant && { plant }) });
    if (violations.some((each) => each.promise === promise)) return seed;
  }
  return Number.POSITIVE_INFINITY;
}
