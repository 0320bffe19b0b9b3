/**
 * Measures this checkout on this machine: the gateway beside a direct call, the policy engine by number of rules,
 * durable calls a second. Each comparison is with a baseline of the same run.
 *
 *   node bench/run.ts [--trials 5] [--only gateway|policy|durable] [--json]
 */
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { benchDurable } from "./durable.ts";
import { benchGateway } from "./gateway.ts";
import { figure, machineFacts } from "./machine.ts";
import type { Measured } from "./measure.ts";
import { benchPolicy } from "./policy.ts";

interface Report {
  readonly machine: Readonly<Record<string, string | number>>;
  readonly sections: Readonly<Record<string, readonly Measured[]>>;
}

const { values } = parseArgs({
  options: {
    trials: { type: "string", default: "5" },
    only: { type: "string" },
    json: { type: "boolean", default: false },
  },
});
const trials = Number(values.trials);
const folder = await mkdtemp(join(tmpdir(), "holdfast-bench-"));
try {
  const report = await measureAll();
  process.stdout.write(values.json ? `${JSON.stringify(report, null, 2)}\n` : table(report));
} finally {
  await rm(folder, { recursive: true, force: true });
}

async function measureAll(): Promise<Report> {
  const machine = { ...machineFacts(), trials };
  const benches: Readonly<Record<string, () => Promise<readonly Measured[]>>> = {
    gateway: async () => benchGateway(await subfolder("gateway"), trials),
    policy: async () => benchPolicy(trials),
    durable: async () => benchDurable(await subfolder("durable"), trials),
  };
  const sections: Record<string, readonly Measured[]> = {};
  for (const [name, bench] of Object.entries(benches))
    if (values.only === undefined || values.only === name) sections[name] = await bench();
  return { machine, sections };
}

async function subfolder(name: string): Promise<string> {
  const path = join(folder, name);
  await mkdir(path);
  return path;
}

function table({ machine, sections }: Report): string {
  const head = Object.entries(machine).map(([name, value]) => `${name}: ${value}`);
  const lines = [head.join("\n"), ""];
  for (const [name, rows] of Object.entries(sections)) {
    lines.push(
      `## ${name}`,
      "",
      "| what | median | unit | against the baseline of this run | all trials |",
      "|---|--:|---|---|---|",
    );
    for (const { what, median, unit, ratio, baseline, trials: all } of rows) {
      const compared = ratio === undefined ? "" : `${figure(ratio)} × ${baseline}`;
      lines.push(
        `| ${what} | ${figure(median)} | ${unit} | ${compared} | ${all.map(figure).join(" ")} |`,
      );
    }
    lines.push("");
  }
  return `${lines.join("\n")}\n`;
}
