/**
 * Measures this checkout on this machine: the gateway beside a direct call, policy engines by number of rules, durable
 * calls a second, what telemetry, shared state and its fence cost. Each comparison is with a baseline of the same run. Needs a disk under the
 * folder for temporary files; a file system in memory would make every durable figure a fiction, and is refused.
 *
 *   npm run bench -- [--trials 5] [--only gateway|policy|durable|telemetry|state|fence|failover|model] [--json] [--out <file>]
 */
import { mkdir, mkdtemp, rm, statfs } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { pinSelf } from "./cores.ts";
import { benchDurable } from "./durable.ts";
import { benchFailover } from "./failover.ts";
import { benchFence } from "./fence.ts";
import { benchGateway } from "./gateway.ts";
import { endOnSignal, figure, machineFacts } from "./machine.ts";
import type { Measured } from "./measure.ts";
import { benchModel } from "./model-at-size/index.ts";
import { benchPolicy, policyNotes } from "./policy.ts";
import { writeReport } from "./report.ts";
import { benchState } from "./state.ts";
import { benchTelemetry } from "./telemetry.ts";

interface Report {
  readonly machine: Readonly<Record<string, string | number>>;
  readonly sections: Readonly<Record<string, readonly Measured[]>>;
}

const { values } = parseArgs({
  options: {
    trials: { type: "string", default: "5" },
    only: { type: "string" },
    json: { type: "boolean", default: false },
    out: { type: "string" },
  },
});
const trials = Number(values.trials);
endOnSignal();
const folder = await mkdtemp(join(tmpdir(), "holdfast-bench-"));
try {
  await refuseMemory();
  const report = await measureAll();
  const text = values.json ? `${JSON.stringify(report, null, 2)}\n` : table(report);
  process.stdout.write(text);
  if (values.out !== undefined) writeReport(values.out, "bench", text);
} finally {
  await rm(folder, { recursive: true, force: true });
}

async function measureAll(): Promise<Report> {
  const own = pinSelf()
    ? "gateway on core 0, all else on core 1"
    : "no: taskset or a second core is missing";
  const machine = { ...machineFacts(), pinned: own, trials };
  const benches: Readonly<Record<string, () => Promise<readonly Measured[]>>> = {
    gateway: async () => benchGateway(await subfolder("gateway"), trials),
    failover: async () => benchFailover(await subfolder("failover"), trials),
    state: async () => benchState(await subfolder("state"), trials),
    fence: () => benchFence(trials),
    durable: async () => benchDurable(await subfolder("durable"), trials),
    telemetry: () => benchTelemetry(trials),
    model: () => benchModel(trials),
    policy: async () => benchPolicy(await subfolder("policy"), trials),
  };
  const sections: Record<string, readonly Measured[]> = {};
  for (const [name, bench] of Object.entries(benches))
    if (values.only === undefined || values.only === name) sections[name] = await bench();
  return { machine, sections };
}

/** tmpfs and ramfs, by the magic numbers of statfs(2). */
async function refuseMemory(): Promise<void> {
  const { type } = await statfs(folder);
  if (type !== 0x01021994 && type !== 0x858458f6) return;
  throw new Error(`${folder} is in memory; set TMPDIR to a folder on a disk`);
}

async function subfolder(name: string): Promise<string> {
  const path = join(folder, name);
  await mkdir(path);
  return path;
}

function table({ machine, sections }: Report): string {
  const head = Object.entries(machine).map(([name, value]) => `${name}: ${value}`);
  const lines = [head.join("  \n"), ""];
  for (const [name, rows] of Object.entries(sections)) {
    lines.push(
      `### ${name}`,
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
    if (name === "policy") lines.push("", ...policyNotes.map((note) => `- ${note}`));
    lines.push("");
  }
  return `${lines.join("\n")}\n`;
}
