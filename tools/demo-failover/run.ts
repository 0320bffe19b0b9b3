/**
 * What mainstream failover machinery does with governance when it fails over, measured on the real programs: each scenario with the
 * configuration that its vendors document, and with Holdfast's guard. Prints a table; `--json` prints everything that was measured.
 * Exits 0 only when every governed figure is zero and every stock one is not.
 */
import { complaints, type Run, tableOf } from "./figures.ts";
import { governedScenarioA, stockScenarioA } from "./scenario-a.ts";
import { governedBind, stockBind, stockPowerDns } from "./scenario-b.ts";
import { governedScenarioC, stockScenarioC } from "./scenario-c.ts";

const scenarios: readonly (() => Promise<Run>)[] = [
  ...[stockScenarioA, governedScenarioA],
  ...[stockPowerDns, stockBind, governedBind],
  ...[stockScenarioC, governedScenarioC],
];

const isJson = process.argv.includes("--json");
const runs: Run[] = [];
for (const scenario of scenarios) {
  const run = await scenario();
  runs.push(run);
  if (!isJson) process.stderr.write(`${run.scenario}, ${run.variant}: ${run.title} … done\n`);
}
const wrong = complaints(runs);
if (isJson) console.log(JSON.stringify({ runs, complaints: wrong }, undefined, 2));
else {
  console.log(tableOf(runs));
  for (const configuration of new Set(runs.flatMap((run) => run.configurations)))
    console.log(`  ${configuration}`);
}
for (const complaint of wrong) console.error(complaint);
process.exitCode = wrong.length === 0 ? 0 : 1;
