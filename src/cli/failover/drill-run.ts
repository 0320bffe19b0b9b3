/** `holdfast failover drill run|rollback`: exit 0 passed, 1 failed, 2 not run, 3 inconclusive; of several, the worst. */

import { noteVerifier } from "../../audit/index.ts";
import {
  type ClosedDrill,
  type DrillParts,
  type DrillRefusal,
  drill,
  pastOf,
  readJournals,
  rollBackOpenDrill,
} from "../../control/index.ts";
import {
  drillsDue,
  type Experiment,
  type FindsPattern,
  manifestDigest,
} from "../../failover/index.ts";
import type { Result } from "../../kernel/index.ts";
import { compileRegex } from "../../policy/index.ts";
import type { CommandOutput } from "../policy-knowledge.ts";
import { loadExperiment, loadSchedule, type Scheduled, variablesOf } from "./drill-files.ts";
import { type OpenedManifest, openManifest } from "./open-manifest.ts";

export interface DrillsGiven {
  /** Holds key, log and journals of the drills of one site. */
  readonly folder: string;
  readonly tenant: string;
  readonly site: string;
  readonly finds: FindsPattern;
  tell(line: string): void;
}

export interface OpenedDrills {
  readonly parts: DrillParts;
  close(): Promise<void>;
}

/** Only `main.ts` can build it. */
export type OpenDrills = (given: DrillsGiven) => Promise<Result<OpenedDrills, string>>;

export interface FolderOptions {
  readonly manifest: string;
  readonly folder: string;
  readonly json?: boolean;
}

export interface RunOptions extends FolderOptions {
  readonly var: readonly string[];
  readonly vars?: string;
  readonly schedule?: string;
  readonly due?: boolean;
  readonly allowReady?: boolean;
  readonly dryRun?: boolean;
}

export const exitOf = { pass: 0, fail: 1, not_run: 2, inconclusive: 3 } as const;

/** A pattern of an experiment in RE2 syntax, in linear time; one that is none finds nothing. */
export const findsPattern: FindsPattern = (pattern, text) => {
  const search = compileRegex(pattern);
  return search.ok && text.length <= search.value.charactersMax && search.value.test(text);
};

export async function runDrills(
  given: string | undefined,
  options: RunOptions,
  open: OpenDrills,
  io: CommandOutput,
): Promise<number> {
  const manifest = await openManifest(options.manifest, io);
  if (manifest === undefined) return exitOf.not_run;
  const scheduled = await wanted(given, options);
  if (!scheduled.ok) return complain(io, scheduled.error);
  const loaded: [Scheduled, Experiment][] = [];
  for (const each of scheduled.value) {
    const experiment = await loadExperiment(each.experiment, each.variables);
    if (!experiment.ok) return complain(io, experiment.error);
    loaded.push([each, experiment.value]);
  }
  if (options.dryRun === true) {
    for (const [, experiment] of loaded) for (const line of planLines(experiment)) io.out(line);
    return 0;
  }
  return withDrills(manifest, options, open, io, async (parts) => {
    const left = options.due === true ? await dueOf(parts, manifest, loaded) : loaded;
    if (left.length === 0) io.out("no drill is due");
    let worst = 0;
    for (const [each, experiment] of left)
      worst = worse(worst, await runOne(parts, manifest, each, experiment, options, io));
    return worst;
  });
}

async function wanted(
  given: string | undefined,
  options: RunOptions,
): Promise<Result<readonly Scheduled[], readonly string[]>> {
  if (options.schedule !== undefined) return loadSchedule(options.schedule);
  if (given === undefined)
    return { ok: false, error: ["name an experiment, or give --schedule with --due"] };
  const variables = await variablesOf(options.var, options.vars);
  if (!variables.ok) return variables;
  const allowReady = options.allowReady === true;
  return { ok: true, value: [{ experiment: given, variables: variables.value, allowReady }] };
}

async function dueOf(
  parts: DrillParts,
  { manifest }: OpenedManifest,
  loaded: readonly [Scheduled, Experiment][],
): Promise<readonly [Scheduled, Experiment][]> {
  const own = noteVerifier(parts.signer.name, parts.signer.publicKey);
  const read = await readJournals(parts.disk, [own]);
  // Journals that cannot be read make every drill due: better one too many.
  const past = read.ok ? read.value.journals.map(pastOf) : [];
  const names = loaded.map(([, { governance }]) => governance.scenario);
  const due = drillsDue(names, past, manifest.objectives.drill_days, parts.clock.wallMs());
  const overdue = due.filter((each) => each.overdue).map(({ scenario }) => scenario);
  return loaded.filter(([, { governance }]) => overdue.includes(governance.scenario));
}

async function runOne(
  parts: DrillParts,
  { manifest }: OpenedManifest,
  scheduled: Scheduled,
  experiment: Experiment,
  options: RunOptions,
  io: CommandOutput,
): Promise<number> {
  const stop = new AbortController();
  const onSignal = (): void => stop.abort();
  process.once("SIGINT", onSignal).once("SIGTERM", onSignal);
  try {
    const request = {
      ...{ experiment, manifest, signal: stop.signal },
      manifestDigest: manifestDigest(manifest),
      variables: scheduled.variables,
      allowReady: scheduled.allowReady || options.allowReady === true,
    };
    const ended = await drill(parts, request, { manifest, environment: process.env });
    return report(ended, options, io);
  } finally {
    process.off("SIGINT", onSignal).off("SIGTERM", onSignal);
  }
}

/** Rolls back what a dead engine left, or what could not be restored. 0 nothing is open any more. */
export async function rollBack(
  options: FolderOptions,
  open: OpenDrills,
  io: CommandOutput,
): Promise<number> {
  const manifest = await openManifest(options.manifest, io);
  if (manifest === undefined) return exitOf.not_run;
  return withDrills(manifest, options, open, io, async (parts) => {
    const recovery = { manifest: manifest.manifest, environment: process.env };
    const ended = await rollBackOpenDrill(parts, recovery);
    if (ended.ok && ended.value === undefined) {
      io.out("no drill is open");
      return 0;
    }
    if (ended.ok && ended.value?.journal.holdfast.state.restored === true) {
      io.out(`rolled back: ${ended.value.path}`);
      return 0;
    }
    return ended.ok ? exitOf.fail : complain(io, ended.error.because);
  });
}

async function withDrills(
  { manifest }: OpenedManifest,
  { folder, json }: FolderOptions,
  open: OpenDrills,
  io: CommandOutput,
  act: (parts: DrillParts) => Promise<number>,
): Promise<number> {
  const opened = await open({
    ...{ folder, tenant: manifest.tenant, site: "drills", finds: findsPattern },
    // With --json standard output is for the result alone.
    tell: (line) => (json === true ? io.err(line) : io.out(line)),
  });
  if (!opened.ok) return complain(io, [opened.error]);
  try {
    return await act(opened.value.parts);
  } finally {
    await opened.value.close();
  }
}

function report(
  ended: Result<ClosedDrill, DrillRefusal>,
  { json, folder }: FolderOptions,
  io: CommandOutput,
): number {
  if (!ended.ok) {
    if (json === true) io.out(JSON.stringify({ verdict: "not_run", ...ended.error }));
    return complain(io, ended.error.because);
  }
  const { journal, path } = ended.value;
  const { drill, scenario, verdict, score, because, state } = journal.holdfast;
  if (json === true)
    io.out(
      JSON.stringify({
        ...{ drill, scenario, verdict, score, because, status: journal.status },
        ...{ restored: state.restored, journal: `${folder}/${path}` },
      }),
    );
  else io.out(`journal: ${folder}/${path}`);
  return exitOf[verdict];
}

/** What would be done, in its order. */
export function planLines({
  title,
  governance,
  method,
  rollbacks,
  steadyState,
}: Experiment): string[] {
  const named = (word: string, names: readonly { readonly name: string }[]): string[] =>
    names.map(({ name }) => `  ${word}: ${name}`);
  const controls = (list: Experiment["governance"]["expect"]): { name: string }[] =>
    list.map(({ probe, withinMs, blocking }) => ({
      name: `${probe.name} (within ${withinMs / 1_000} s${blocking ? "" : ", advisory"})`,
    }));
  return [
    `${governance.scenario}: ${title}`,
    ...governance.targets.map(
      ({ site, components, paths }) =>
        `  touches: ${site}${components.length > 0 ? `, ${components.join(", ")}` : ""}${paths.length > 0 ? `, ${paths.join(", ")}` : ""}`,
    ),
    ...named("must hold before and under the fault", steadyState.probes),
    ...method.map(({ kind, name }) => `  ${kind}: ${name}`),
    ...named("proves the fault", controls(governance.faultProof)),
    ...named("must hold under the fault", controls(governance.expect)),
    ...named("rollback", rollbacks),
    ...named("must hold again", controls(governance.recovery)),
    ...named("state that must be as before", governance.state),
  ];
}

function complain(io: CommandOutput, lines: readonly string[]): number {
  for (const line of lines) io.err(`error: ${line}`);
  return exitOf.not_run;
}

function worse(a: number, b: number): number {
  const order = [exitOf.pass, exitOf.inconclusive, exitOf.not_run, exitOf.fail];
  return order.indexOf(a as 0) >= order.indexOf(b as 0) ? a : b;
}
