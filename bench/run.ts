/**
 * Measures this checkout on this machine: the gateway beside a direct call, the policy engine by number of rules,
 * durable calls a second. Each comparison is with a baseline of the same run.
 *
 *   node bench/run.ts [--trials 5] [--only gateway|policy|durable] [--json]
 */
import { execFileSync } from "node:child_process";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { availableParallelism, cpus, loadavg, release, tmpdir, totalmem } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { benchDurable } from "./durable.ts";
import { benchGateway } from "./gateway.ts";
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

function machineFacts(): Readonly<Record<string, string | number>> {
  const git = (...args: string[]): string => execFileSync("git", args, { encoding: "utf8" }).trim();
  const changed = git("status", "--porcelain") === "" ? "" : ", with changes";
  return {
    commit: git("rev-parse", "--short=12", "HEAD") + changed,
    node: process.version,
    cpu: cpus()[0]?.model ?? "unknown",
    cores: availableParallelism(),
    memory_gib: Math.round(totalmem() / 2 ** 30),
    kernel: `${process.platform} ${release()}`,
    load_1_min: loadavg()[0]?.toFixed(2) ?? "",
    folder: tmpdir(),
    date: new Date().toISOString(),
  };
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

/** Three significant figures, no exponent. */
function figure(value: number): string {
  return Math.abs(value) >= 1_000
    ? Math.round(value).toString()
    : String(Number(value.toPrecision(3)));
}
