/**
 * The runtime model, live: an example shop under load, a fault drawn by seed, an innocent deploy beside it. The model is fed
 * by the shop's own OpenTelemetry and by its pipeline's announcements; then `holdfast why` is asked about what customers see,
 * and `holdfast impact` about the fix, before the fix is made and the traffic shows. Exits 0 only when the injected cause was
 * named and the prediction held.
 *
 *   npm run demo:model -- [--seed n] [--json] [--baseline-seconds 20] [--fault-seconds 12]
 */
import { parseArgs } from "node:util";
import { type Observed, observe } from "./observe.ts";
import { reportText } from "./report.ts";

const { values } = parseArgs({
  options: {
    seed: { type: "string", default: "0" },
    json: { type: "boolean", default: false },
    "baseline-seconds": { type: "string", default: "20" },
    "fault-seconds": { type: "string", default: "12" },
  },
});

function number(name: "seed" | "baseline-seconds" | "fault-seconds", least: number): number {
  const value = Number(values[name]);
  if (Number.isSafeInteger(value) && value >= least) return value;
  process.stderr.write(`error: --${name}: ${values[name]} is no whole number from ${least}\n`);
  process.exit(2);
}

const plan = {
  seed: number("seed", 0),
  baselineMs: number("baseline-seconds", 5) * 1_000,
  faultMs: number("fault-seconds", 5) * 1_000,
};
const say = (line: string): void =>
  void (values.json ? process.stderr : process.stdout).write(`${line}\n`);
const observed: Observed = await observe(plan, say);
process.stdout.write(
  values.json ? `${JSON.stringify(observed, undefined, 2)}\n` : reportText(observed),
);
process.exitCode = observed.isNamed && observed.isPredicted ? 0 : 1;
