/**
 * Mutation testing of the pure rooms: changes the code in small ways, one at a time, and runs the room's own unit tests.
 * A change that no test notices is a promise that no test keeps.
 *
 *   npm run mutation                       every room, then the table in docs/testing.md
 *   npm run mutation -- kernel --jobs 2    one room, two at a time
 *   npm run mutation -- audit --force      all mutants again, not only those whose code or tests changed
 *   npm run mutation -- policy --every 20  a twentieth of the code, for an estimate; writes no table
 *   npm run mutation -- policy --file cel  the files of that name only; remembered for the whole, writes no table
 *
 * Prints the mutants that survived. Exits 1 when a room scores below `scoreMin`. Runs at the lowest priority.
 */
import { globSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { constants, setPriority } from "node:os";
import { env, exit } from "node:process";
import { parseArgs } from "node:util";
import { Stryker } from "@stryker-mutator/core";

/** Percent of a room's mutants that its tests must notice. */
const scoreMin = 85;
const rooms = ["kernel", "audit", "policy"];
const page = "docs/testing.md";
/** Large enough for whole blocks, which are mutants too. */
const windowLines = 15;

interface Mutant {
  readonly mutatorName: string;
  readonly replacement?: string;
  readonly status: string;
  readonly location: { readonly start: Place; readonly end: Place };
}
interface Place {
  readonly line: number;
  readonly column: number;
}
interface MutatedFile {
  readonly source: string;
  readonly mutants: readonly Mutant[];
}
interface Report {
  readonly files: Readonly<Record<string, MutatedFile>>;
}

const noticed = (mutant: Mutant): boolean => ["Killed", "Timeout"].includes(mutant.status);
const missed = (mutant: Mutant): boolean => ["Survived", "NoCoverage"].includes(mutant.status);
const reportPath = (room: string): string => `.cache/mutation/${room}.json`;

/** The files asked for, or one window of lines in so many, across the files of a room; all of it when `every` is 1. */
function scope(room: string, { every, files }: Run): string[] {
  if (files.length > 0) return files.map((name) => `src/${room}/**/${name}.ts`);
  if (every === 1) return [`src/${room}/**/*.ts`];
  let window = 0;
  return globSync(`src/${room}/**/*.ts`)
    .sort()
    .flatMap((path) => {
      const lines = readFileSync(path, "utf8").split("\n").length;
      const starts = Array.from(
        { length: Math.ceil(lines / windowLines) },
        (_, i) => i * windowLines,
      );
      return starts
        .filter(() => window++ % every === 0)
        .map((start) => `${path}:${start + 1}-${start + windowLines}`);
    });
}

interface Run {
  readonly jobs: number;
  readonly force: boolean;
  readonly every: number;
  /** Names without `.ts`; none is all. */
  readonly files: readonly string[];
}

async function mutate(room: string, run: Run): Promise<void> {
  const { jobs, force, every } = run;
  env["MUTATED_ROOM"] = room;
  await new Stryker({
    mutate: scope(room, run),
    testRunner: "vitest",
    plugins: ["@stryker-mutator/vitest-runner"],
    vitest: { configFile: "vitest.mutation.config.ts", related: false },
    coverageAnalysis: "perTest",
    // A mutant of a constant is alive before any test runs; each would cost a fresh run of all tests.
    ignoreStatic: true,
    incremental: every === 1,
    incrementalFile: `.cache/mutation/${room}.incremental.json`,
    force,
    concurrency: jobs,
    tempDirName: `.cache/mutation/${room}`,
    ignorePatterns: ["/.cache", "/dist", "/bench", "/docs"],
    disableTypeChecks: false,
    // Stryker reads a tsconfig with the API of TypeScript 5, which TypeScript 7 lacks; the tests need none.
    tsconfigFile: "no-tsconfig.json",
    // A machine under load is slow. Most mutants that never end are known by the lines they run, not by the clock.
    timeoutMS: 8_000,
    timeoutFactor: 3,
    reporters: ["json", "progress-append-only"],
    jsonReporter: { fileName: reportPath(room) },
    thresholds: { high: 95, low: scoreMin, break: scoreMin },
  }).runMutationTest();
}

function readReport(room: string): Report {
  return JSON.parse(readFileSync(reportPath(room), "utf8"));
}

/** `src/kernel/ids.ts:12:10 StringLiteral: before => after`, for every mutant that no test noticed. */
function survivors({ files }: Report): string[] {
  return Object.entries(files).flatMap(([path, { source, mutants }]) =>
    mutants.filter(missed).map(({ location: { start, end }, mutatorName, replacement }) => {
      const line = source.split("\n")[start.line - 1] ?? "";
      const before = line.slice(
        start.column - 1,
        start.line === end.line ? end.column - 1 : undefined,
      );
      const after = (replacement ?? "").replaceAll(/\s+/g, " ").slice(0, 80);
      return `${path}:${start.line}:${start.column} ${mutatorName}: ${before.slice(0, 80)} => ${after}`;
    }),
  );
}

function row(name: string, mutants: readonly Mutant[]): string {
  const killed = mutants.filter(noticed).length;
  const total = killed + mutants.filter(missed).length;
  const score = total === 0 ? "–" : `${((100 * killed) / total).toFixed(1)} %`;
  return `| ${name} | ${total} | ${total - killed} | ${score} |`;
}

/** A row for the room, then one for each file in which something could be changed. */
function roomTable(room: string): string {
  const files = Object.entries(readReport(room).files).sort(([a], [b]) => (a < b ? -1 : 1));
  const counted = files.filter(([, { mutants }]) => mutants.some((m) => noticed(m) || missed(m)));
  return [
    "| file | mutants | survived | score |",
    "|---|--:|--:|--:|",
    row(
      `**\`${room}\`**`,
      counted.flatMap(([, { mutants }]) => mutants),
    ),
    ...counted.map(([path, { mutants }]) => row(`\`${path.replace("src/", "")}\``, mutants)),
  ].join("\n");
}

function writeTable(room: string): void {
  const [begin, end] = [`<!-- mutation ${room}: begin -->`, `<!-- mutation ${room}: end -->`];
  const [before, rest] = readFileSync(page, "utf8").split(begin);
  const after = rest?.split(end)[1];
  if (after === undefined) throw new Error(`${page} needs the lines ${begin} and ${end}`);
  writeFileSync(page, `${before}${begin}\n${roomTable(room)}\n${end}${after}`);
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    jobs: { type: "string", default: "1" },
    force: { type: "boolean", default: false },
    every: { type: "string", default: "1" },
    file: { type: "string", multiple: true, default: [] },
  },
});
const strange = positionals.filter((name) => !rooms.includes(name));
if (strange.length > 0) {
  console.error(`no such room: ${strange.join(", ")}; there are ${rooms.join(", ")}`);
  exit(2);
}
setPriority(constants.priority.PRIORITY_LOW);
mkdirSync(".cache/mutation", { recursive: true });
for (const room of positionals.length === 0 ? rooms : positionals) {
  const run = {
    jobs: Number(values.jobs),
    force: values.force,
    every: Number(values.every),
    files: values.file,
  };
  await mutate(room, run);
  for (const line of survivors(readReport(room))) console.log(line);
  if (run.every === 1 && run.files.length === 0) writeTable(room);
}
