/**
 * `holdfast model ingest`: files, folders and addresses become events of the model. Each file is taken whole or refused. Exit
 * codes: 0; 1 something was refused; 2 wrong usage, or nothing could be read or stored.
 */
import {
  batchesOf,
  type ReadBatches,
  type Source,
  type SourceBatch,
  type SourceFault,
  type SourceFile,
  sources,
  type Telling,
} from "../../adapters/sources/index.ts";
import { forget, isScattered, ModelLog } from "../../control/index.ts";
import { err, ok, type Result } from "../../kernel/index.ts";
import { type ModelEvent, type Remembrance, retained } from "../../model/index.ts";
import type { SharedState } from "../../state/index.ts";
import type { CommandOutput } from "../policy-knowledge.ts";
import { helmFault } from "./helm-template.ts";
import { fetchSource, pathsIn, readSourceFile } from "./read-files.ts";
import { visible } from "./visible.ts";

export interface IngestOptions {
  readonly as?: string;
  readonly json?: boolean;
  readonly dryRun?: boolean;
  /** Seconds by which calls and log lines of telemetry are counted. */
  readonly window?: string;
}

interface Ingested {
  files: number;
  taken: number;
  repeated: number;
  events: number;
  /** Of these, what is older than it is remembered, or not remembered at all. */
  over: number;
  readonly refused: SourceFault[];
  readonly skipped: string[];
  readonly notes: string[];
}

/** Files of which one hears when there are many. */
const progressFiles = 500;
/** And the size of which one hears before it is read. */
const progressBytes = 16 * 1024 * 1024;
const notesMax = 20;

export async function ingest(
  state: SharedState,
  addresses: readonly string[],
  options: IngestOptions,
  { io, rules }: { readonly io: CommandOutput; readonly rules: Remembrance },
): Promise<number> {
  const as = sources.find(({ name }) => name === options.as);
  if (options.as !== undefined && as === undefined) {
    const names = sources.map(({ name }) => name).join(", ");
    io.err(`error: no source ${JSON.stringify(options.as)}; there are ${names}`);
    return 2;
  }
  const sum: Ingested = {
    files: 0,
    taken: 0,
    repeated: 0,
    events: 0,
    over: 0,
    refused: [],
    skipped: [],
    notes: [],
  };
  const windowMs = Number(options.window ?? 60) * 1_000;
  if (!(windowMs > 0)) return complain(io, `--window: ${options.window} is no number of seconds`);
  const now = await state.now();
  if (!now.ok) return complain(io, `the store is ${now.error.kind}: ${now.error.detail}`);
  const overIn = (events: readonly ModelEvent[]): number =>
    events.length - retained(events, rules, now.value).length;
  const log = new ModelLog(state);
  for (const address of addresses) {
    const files = await filesOf(address, io);
    if (!files.ok) return complain(io, files.error);
    const took = await takeFiles(
      files.value,
      { as, telling: { windowMs }, overIn },
      sum,
      options.dryRun === true ? undefined : log,
      io,
    );
    if (!took.ok) return complain(io, took.error);
  }
  if (options.dryRun !== true) await mergeWhenScattered(state, log, rules, io);
  report(sum, options, io);
  if (sum.refused.length > 0) return 1;
  return sum.taken + sum.repeated > 0 ? 0 : 2;
}

interface Reading {
  readonly as: Source | undefined;
  readonly telling: Telling;
  /** How many of these are not kept. */
  readonly overIn: (events: readonly ModelEvent[]) => number;
}

/** Without a log everything is read and checked, and nothing stored. */
async function takeFiles(
  files: readonly SourceFile[],
  how: Reading,
  sum: Ingested,
  log: ModelLog | undefined,
  io: CommandOutput,
): Promise<Result<void, string>> {
  const faults = files.flatMap((file) => helmFault(file) ?? []);
  const rendered = files.filter((file) => helmFault(file) === undefined);
  const bytes = rendered.reduce((sum, file) => sum + file.bytes.length, 0);
  const isLarge = bytes >= progressBytes;
  if (isLarge) io.err(`read ${megabytes(bytes)}; parsing and counting`);
  const read = await readOnce(rendered, how, log);
  if (!read.ok) return read;
  const { batches, refused, skipped } = read.value;
  if (isLarge) io.err(`counted ${megabytes(bytes)}; ${batches.length} batches to store`);
  sum.files += files.length;
  sum.refused.push(...faults, ...refused);
  sum.skipped.push(...skipped);
  for (const batch of batches) {
    sum.notes.push(...batch.notes);
    const took = log === undefined ? ok("taken" as const) : await take(log, batch, io);
    if (!took.ok) return took;
    sum[took.value] += 1;
    if (took.value === "repeated") continue;
    sum.events += batch.events.length;
    sum.over += how.overIn(batch.events);
  }
  return ok(undefined);
}

/** Spans that an earlier batch counted are not counted again: they only explain those that are new. */
async function readOnce(
  files: readonly SourceFile[],
  { as, telling }: Pick<Reading, "as" | "telling">,
  log: ModelLog | undefined,
): Promise<Result<ReadBatches, string>> {
  const read = batchesOf(files, as, telling);
  const spans = read.batches.flatMap((batch) => batch.spans ?? []);
  if (spans.length === 0 || log === undefined) return ok(read);
  const fromAt = Math.min(...spans.map((each) => each.fromAt));
  const toAt = Math.max(...spans.map((each) => each.toAt));
  const counted = await log.countedSpans(fromAt, toAt);
  if (!counted.ok) return counted;
  if (!spans.some(({ keys }) => keys.some((key) => counted.value.has(key)))) return ok(read);
  return ok(batchesOf(files, as, { ...telling, isCounted: (key) => counted.value.has(key) }));
}

const megabytes = (bytes: number): string => `${Math.round(bytes / 1024 / 1024)} MB`;

async function filesOf(
  address: string,
  io: CommandOutput,
): Promise<Result<readonly SourceFile[], string>> {
  if (/^https?:\/\//.test(address)) {
    const fetched = await fetchSource(address);
    return fetched.ok ? ok([fetched.value]) : fetched;
  }
  const paths = await pathsIn(address);
  if (!paths.ok) return paths;
  const files: SourceFile[] = [];
  for (const [at, path] of paths.value.entries()) {
    const file = await readSourceFile(path, (bytes) => {
      if (bytes >= progressBytes) io.err(`reading ${visible(path)}, ${megabytes(bytes)}`);
    });
    if (!file.ok) return file;
    files.push(file.value);
    if ((at + 1) % progressFiles === 0)
      io.err(`read ${at + 1} of ${paths.value.length} files of ${visible(address)}`);
  }
  return ok(files);
}

/** An event that cannot be kept refuses its batch; the error of the store ends the command. */
async function take(
  log: ModelLog,
  { id, names, reference, events, spans }: SourceBatch,
  io: CommandOutput,
): Promise<Result<"taken" | "repeated", string>> {
  let told = 0;
  const written = await log.write(
    { id, source: `${names.join("+")} ${reference}`, events, ...(spans && { spans }) },
    (done, of) => {
      const tenth = Math.floor((done / of) * 10);
      if (of < 20 || tenth === told) return;
      told = tenth;
      io.err(`stored ${done} of ${of} parts of ${visible(reference)}`);
    },
  );
  return written.ok ? written : err(`${reference}: ${written.error}`);
}

async function mergeWhenScattered(
  state: SharedState,
  log: ModelLog,
  rules: Remembrance,
  io: CommandOutput,
): Promise<void> {
  const [batches, now] = [await log.batches(), await state.now()];
  if (!batches.ok || !now.ok || !isScattered(batches.value)) return;
  const merged = await forget(log, rules, now.value);
  // What was ingested is stored all the same; the next ingest tries again.
  if (!merged.ok) io.err(`warning: the stored batches were not merged: ${merged.error}`);
}

function report(sum: Ingested, { json, dryRun }: IngestOptions, io: CommandOutput): void {
  if (json === true) {
    io.out(JSON.stringify({ ...sum, dry_run: dryRun === true }));
    return;
  }
  for (const { reference, path, message } of sum.refused)
    io.err(
      `refused ${visible(reference)}${path === "" ? "" : ` ${visible(path)}`}: ${visible(message)}`,
    );
  for (const note of sum.notes.slice(0, notesMax)) io.err(`note: ${visible(note)}`);
  if (sum.notes.length > notesMax) io.err(`note: and ${sum.notes.length - notesMax} more (--json)`);
  const known = sources.map(({ name }) => name).join(", ");
  if (sum.skipped.length > 0)
    io.err(
      `skipped ${sum.skipped.length} files that no source knows (${visible(sum.skipped[0] ?? "")} …); known: ${known}`,
    );
  if (sum.over > 0)
    io.err(
      `note: ${sum.over} of these events are older than they are remembered, or of a kind that is not; they are not kept (model.keep_days, model.kinds)`,
    );
  const would = dryRun === true ? "would take" : "took";
  io.out(
    `${would} ${sum.events} events in ${sum.taken} batches of ${sum.files} files; ${sum.repeated} known before, ${sum.refused.length} refused`,
  );
}

function complain(io: CommandOutput, why: string): number {
  io.err(`error: ${visible(why)}`);
  return 2;
}
