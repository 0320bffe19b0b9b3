/**
 * Asks the model why, for each incident of a set, and writes one prediction a line. Where the split has `labels.json`,
 * prints what was right, with intervals; without it (cases kept aside), prints n and the time a case takes.
 *
 *   npm run bench:rca -- --set <name> --dir <folder of a split> --out <predictions.jsonl>
 *     [--learn <memory>] [--memory <memory>] [--without types|topology|changes|time]... [--ablation] [--healthy]
 *     [--drop log|series|traffic]... [--perturb <kind>|all]... [--seeds n] [--replay] [--limit n]
 *     [--cross-validate]: how far to believe what memory adds
 */
import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { type Memory, type Part, parts } from "../../src/model/index.ts";
import { type Asked, type Asking, askAll, loadLabels } from "./ask.ts";
import { crossValidation } from "./cross-validate.ts";
import { learn, loadMemory } from "./memory-file.ts";
import { openPerturbed, perturbationNames } from "./perturb/index.ts";
import type { OpenSet, Reader } from "./reader.ts";
import { readers } from "./readers/index.ts";
import { replayAll, replayText } from "./replay.ts";
import { comparison, scoreTable } from "./table.ts";

const { values } = parseArgs({
  options: {
    set: { type: "string" },
    dir: { type: "string" },
    out: { type: "string" },
    learn: { type: "string" },
    memory: { type: "string" },
    without: { type: "string", multiple: true, default: [] },
    ablation: { type: "boolean", default: false },
    drop: { type: "string", multiple: true, default: [] },
    healthy: { type: "boolean", default: false },
    perturb: { type: "string", multiple: true, default: [] },
    seeds: { type: "string", default: "3" },
    replay: { type: "boolean", default: false },
    "cross-validate": { type: "boolean", default: false },
    limit: { type: "string" },
  },
});

function fail(message: string): never {
  process.stderr.write(`bench:rca: ${message}\n`);
  process.exit(2);
}

const without = values.without.map((part) =>
  parts.includes(part as Part)
    ? (part as Part)
    : fail(`--without ${part}: there is ${parts.join(", ")}`),
);
const reader = readers[values.set ?? ""];
if (reader === undefined)
  fail(`--set ${values.set ?? "is missing"}: there is ${Object.keys(readers).join(", ")}`);
if (values.dir === undefined) fail("--dir is missing: the folder of a split, with cases/ in it");
const limit = values.limit === undefined ? Number.POSITIVE_INFINITY : Number(values.limit);
if (!(limit >= 1)) fail(`--limit ${values.limit}: a number from 1`);
const seeds = Number(values.seeds);
if (!(seeds >= 1)) fail(`--seeds ${values.seeds}: a number from 1`);
for (const kind of values.perturb)
  if (kind !== "all" && !perturbationNames.includes(kind))
    fail(`--perturb ${kind}: there is all, ${perturbationNames.join(", ")}`);

try {
  run(values.dir, reader);
} catch (error) {
  fail((error as Error).message);
}

function run(folder: string, open: Reader): void {
  const set = open(folder);
  if (values.learn !== undefined) {
    learnFrom(values.learn, folder, set);
    return;
  }
  if (values["cross-validate"]) {
    crossValidate(folder, set);
    return;
  }
  const memory = loadMemory(values.memory);
  if (values.replay) {
    replay(folder, set, memory);
    return;
  }
  const drop = new Set(values.drop);
  const settings = { set, healthy: values.healthy, limit, drop, memory: () => memory };
  const asked = askAll({ ...settings, without });
  if (values.out !== undefined) writePredictions(values.out, asked);
  const labels = values.healthy ? undefined : loadLabels(folder);
  console.log(`${values.set}, ${folder}: ${scoreTable(asked, set, labels)}`);
  if (values.ablation) {
    if (labels === undefined) fail("--ablation compares with labels, and there are none");
    const runs = parts.map((part) => ({
      name: `without ${part}`,
      asked: askAll({ ...settings, without: [part] }),
    }));
    console.log(comparison([{ name: "without nothing", asked }, ...runs], set, labels));
  }
  if (values.perturb.length > 0) {
    const runs = perturbedRuns(folder, open, settings);
    console.log(comparison([{ name: "as told", asked }, ...runs], set, labels));
  }
}

/** Each kind over all seeds, as one run. */
function perturbedRuns(folder: string, open: Reader, settings: Omit<Asking, "without">) {
  const kinds = values.perturb.includes("all") ? perturbationNames : values.perturb;
  return kinds.map((name) => ({
    name,
    asked: Array.from({ length: seeds }, (_, at) => {
      const set = openPerturbed(open, folder, name, at + 1);
      return askAll({ ...settings, set, without });
    }).flat(),
  }));
}

function learnFrom(path: string, folder: string, set: OpenSet): void {
  const labels = loadLabels(folder);
  if (labels === undefined) fail("--learn needs labels.json, and there is none");
  console.log(`${path}: ${learn(path, set, labels, limit)} confirmed incidents`);
}

function crossValidate(folder: string, set: OpenSet): void {
  const labels = loadLabels(folder);
  if (labels === undefined) fail("--cross-validate compares with labels, and there are none");
  console.log(`${values.set}, ${folder}: ${crossValidation(set, labels, limit)}`);
}

function replay(folder: string, set: OpenSet, memory: Memory): void {
  const labels = loadLabels(folder);
  if (labels === undefined) fail("--replay compares with labels, and there are none");
  console.log(`${values.set}: ${replayText(replayAll(set, labels, memory, limit))}`);
}

function writePredictions(path: string, asked: readonly Asked[]): void {
  writeFileSync(path, asked.map(({ line }) => `${JSON.stringify(line)}\n`).join(""));
}
