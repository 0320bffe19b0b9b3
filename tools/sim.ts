/**
 * Lives simulated worlds.
 *
 *   node tools/sim.ts --seed 17            one world, each event printed
 *   node tools/sim.ts --from 1 --seeds 300 many, with the faults they met
 *   node tools/sim.ts --seed 3 --plant forward-before-sync   with a bug planted in the ledger
 *
 * Exits 1 when a promise was broken, and prints the seed and the command that replays it.
 */
import { parseArgs } from "node:util";
import { FaultCounts, type Plant, plants, simulate, type WorldReport } from "../src/sim/index.ts";

const { values } = parseArgs({
  options: {
    seed: { type: "string" },
    from: { type: "string", default: "1" },
    seeds: { type: "string", default: "100" },
    plant: { type: "string" },
    quiet: { type: "boolean", default: false },
  },
});

const plant = plantNamed(values.plant);
const single = values.seed !== undefined;
const first = Number(values.seed ?? values.from);
const count = single ? 1 : Number(values.seeds);
const trace = single && !values.quiet ? (line: string): void => console.log(line) : undefined;
const faults = new FaultCounts();
const events = new FaultCounts();
let broken = 0;

for (let seed = first; seed < first + count; seed++) {
  const report = await simulate({ seed, ...(plant && { plant }), ...(trace && { trace }) });
  faults.merge(report.faults);
  events.merge(report.events);
  if (report.violations.length > 0) complain(report);
  if (single) console.log(`\nlog: ${report.entries} entries, root ${report.rootHash}`);
}
print("events", events);
print("faults injected", faults);
console.log(`\n${count} worlds, ${broken} with a broken promise`);
process.exitCode = broken > 0 ? 1 : 0;

function complain({ seed, violations }: WorldReport): void {
  broken += 1;
  const planted = values.plant === undefined ? "" : ` --plant ${values.plant}`;
  console.log(
    `\nseed ${seed} broke ${violations.length} promises; replay: node tools/sim.ts --seed ${seed}${planted}`,
  );
  for (const { promise, detail } of violations.slice(0, 5)) console.log(`  ${promise}: ${detail}`);
}

function print(title: string, counts: FaultCounts): void {
  console.log(`\n${title}`);
  for (const [kind, count] of counts.entries())
    console.log(`  ${String(count).padStart(8)}  ${kind}`);
}

function plantNamed(name: string | undefined): Plant | undefined {
  if (name === undefined) return undefined;
  const found = plants.get(name);
  if (found === undefined)
    throw new Error(`no plant ${name}: one of ${[...plants.keys()].join(", ")}`);
  return found;
}
