/** `holdfast failover drill list|status`: what there is, and what is overdue (AG-403 4.7). */
import { openDisk } from "../../adapters/disk/index.ts";
import { ownJournals, pastOf, readOpenDrill } from "../../control/index.ts";
import { type DrillDue, drillsDue, failoverMetrics } from "../../failover/index.ts";
import { isJsonObject } from "../../kernel/index.ts";
import type { CommandOutput } from "../policy-knowledge.ts";
import { tableLines } from "../table.ts";
import { libraryNames, loadValue, scheduledScenarios } from "./drill-files.ts";
import type { FolderOptions } from "./drill-run.ts";
import { openManifest } from "./open-manifest.ts";

export interface StatusOptions extends FolderOptions {
  readonly schedule?: string;
  /** In the text format of Prometheus, for a textfile collector. */
  readonly metrics?: boolean;
}

/** The scenarios of the package, with the variables that each needs. */
export async function listScenarios(json: boolean, io: CommandOutput): Promise<number> {
  const rows: { scenario: string; title: string; variables: readonly string[] }[] = [];
  for (const name of await libraryNames()) {
    const loaded = await loadValue(name);
    if (!loaded.ok || !isJsonObject(loaded.value.value)) continue;
    const { title, configuration } = loaded.value.value;
    const variables = isJsonObject(configuration) ? Object.keys(configuration) : [];
    rows.push({ scenario: name, title: String(title), variables });
  }
  if (json) io.out(JSON.stringify(rows));
  else
    for (const line of tableLines([
      ["SCENARIO", "WHAT", "VARIABLES"],
      ...rows.map(({ scenario, title, variables }) => [scenario, title, variables.join(" ")]),
    ]))
      io.out(line);
  return 0;
}

/** 0 all is well; 1 a drill is overdue, failed last, or is open; 2 it cannot be told. */
export async function drillStatus(options: StatusOptions, io: CommandOutput): Promise<number> {
  const manifest = await openManifest(options.manifest, io);
  if (manifest === undefined) return 2;
  const disk = openDisk(options.folder);
  const read = await ownJournals(disk);
  if (!read.ok) return complain(io, read.error);
  const open = await readOpenDrill(disk);
  if (!open.ok) return complain(io, open.error);
  const scenarios = await scenariosOf(options, read.value.journals);
  if (scenarios === undefined) return complain(io, `${options.schedule} cannot be read`);
  const { drill_days: days } = manifest.manifest.objectives;
  const due = drillsDue(scenarios, read.value.journals.map(pastOf), days, Date.now());
  for (const sentence of read.value.refused) io.err(`not counted: ${sentence}`);
  const isOpen = open.value !== undefined;
  if (options.metrics === true) io.out(metricsText(manifest.manifest.deployment, due, isOpen));
  else if (options.json === true) io.out(JSON.stringify({ open: open.value?.drill ?? null, due }));
  else tell(due, days, open.value?.drill, io);
  const bad = due.some(({ overdue, last }) => overdue || last?.verdict === "fail");
  return bad || isOpen || due.length === 0 ? 1 : 0;
}

async function scenariosOf(
  { schedule }: StatusOptions,
  journals: readonly { readonly holdfast: { readonly scenario: string } }[],
): Promise<readonly string[] | undefined> {
  if (schedule === undefined) return [...new Set(journals.map((each) => each.holdfast.scenario))];
  const loaded = await scheduledScenarios(schedule);
  return loaded.ok ? loaded.value : undefined;
}

function tell(
  due: readonly DrillDue[],
  days: number,
  open: string | undefined,
  io: CommandOutput,
): void {
  if (open !== undefined) io.out(`${open} is open: holdfast failover drill rollback`);
  if (due.length === 0) io.out(`no drill was ever held; one is due every ${days} days`);
  const rows = due.map(({ scenario, last, ageDays, overdue }) => [
    scenario,
    overdue ? "OVERDUE" : "held",
    last?.verdict ?? "never",
    ageDays === null ? "-" : `${ageDays.toFixed(1)} days ago`,
    last?.drill ?? "-",
  ]);
  if (rows.length === 0) return;
  for (const line of tableLines([["SCENARIO", "STATE", "VERDICT", "HELD", "DRILL"], ...rows]))
    io.out(line);
}

/** A drill that was never held has the age of infinity: every alert on its age fires. */
function metricsText(deployment: string, due: readonly DrillDue[], isOpen: boolean): string {
  const label = (text: string): string => JSON.stringify(text);
  const overdue = due.filter((each) => each.overdue).length;
  const own = `{deployment=${label(deployment)}}`;
  const samples: Readonly<Record<string, readonly string[]>> = {
    drill_age_days: due.map(({ scenario, ageDays }) => {
      const age = ageDays === null ? "+Inf" : `${ageDays}`;
      return `{deployment=${label(deployment)},scenario=${label(scenario)}} ${age}`;
    }),
    // None was ever held: that is one too few.
    drills_overdue: [`${own} ${due.length === 0 ? 1 : overdue}`],
    drill_open: [`${own} ${isOpen ? 1 : 0}`],
  };
  return Object.entries(samples)
    .flatMap(([name, lines]) => [
      `# HELP holdfast_${name} ${failoverMetrics[name]}`,
      `# TYPE holdfast_${name} gauge`,
      ...lines.map((sample) => `holdfast_${name}${sample}`),
    ])
    .join("\n");
}

function complain(io: CommandOutput, sentence: string): number {
  io.err(`error: ${sentence}`);
  return 2;
}
