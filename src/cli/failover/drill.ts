/** `holdfast failover drill`: failures, simulated on purpose, to see that governance holds (AG-403 4.7). */
import type { Command } from "commander";
import type { CommandOutput } from "../policy-knowledge.ts";
import { registerFaultCommands } from "./drill-faults.ts";
import {
  type FolderOptions,
  type OpenDrills,
  type RunOptions,
  rollBack,
  runDrills,
} from "./drill-run.ts";
import { drillStatus, listScenarios, type StatusOptions } from "./drill-status.ts";

const manifest = ["--manifest <file>", "the manifest, YAML or signed"] as const;
const folder = [
  "--folder <folder>",
  "key, log and journals of drills",
  ".holdfast/drills",
] as const;
const json = ["--json", "one JSON value instead of text"] as const;
const append = (value: string, list: readonly string[]): readonly string[] => [...list, value];

export function registerDrillCommands(
  failover: Command,
  open: OpenDrills,
  io: CommandOutput,
  exit: (code: number) => void,
): Command {
  const drill = failover
    .command("drill")
    .description("simulate failures; see that governance holds");
  const run = (name: string, text: string): Command =>
    drill
      .command(name)
      .description(text)
      .argument("[experiment]", "a file in Chaos Toolkit's format, or the name of a scenario")
      .requiredOption(...manifest)
      .option(...folder)
      .option("--var <name=value>", "a variable of the experiment; may be repeated", append, [])
      .option("--vars <file>", "a map of variables, YAML or JSON")
      .option("--schedule <file>", "the drills that are held regularly")
      .option("--allow-ready", "touch a site where agents act, if the experiment allows it too")
      .option(...json);
  run(
    "run",
    "run one drill, or with --schedule several: 0 passed, 1 failed, 2 not run, 3 inconclusive",
  )
    .option("--due", "of the schedule, only those that are due")
    .option("--dry-run", "print what would be done, and do nothing")
    .action(async (given: string | undefined, options: RunOptions) =>
      exit(await runDrills(given, options, open, io)),
    );
  run("plan", "print what a drill would do").action(
    async (given: string | undefined, options: RunOptions) =>
      exit(await runDrills(given, { ...options, dryRun: true }, open, io)),
  );
  drill
    .command("list")
    .description("the scenarios that come with the package")
    .option(...json)
    .action(async (options: { json?: boolean }) =>
      exit(await listScenarios(options.json === true, io)),
    );
  drill
    .command("status")
    .description("when each drill was held, and which is overdue; exit 1 when one is")
    .requiredOption(...manifest)
    .option(...folder)
    .option("--schedule <file>", "the drills that are held regularly")
    .option("--metrics", "in the text format of Prometheus")
    .option(...json)
    .action(async (options: StatusOptions) => exit(await drillStatus(options, io)));
  drill
    .command("rollback")
    .description("roll back the drill that a dead engine left open")
    .requiredOption(...manifest)
    .option(...folder)
    .option(...json)
    .action(async (options: FolderOptions) => exit(await rollBack(options, open, io)));
  registerFaultCommands(drill, io, exit);
  return drill;
}
