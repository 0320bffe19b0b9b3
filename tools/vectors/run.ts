/**
 * Runs public test vectors through the code of Holdfast and prints what came of each set.
 *
 *   npm run vectors -- <folder>                     every set; docs/vectors.md says where they come from
 *   npm run vectors -- <folder> --set json          one set, or several
 *   npm run vectors -- <folder> --json              the same as JSON, with the reasons
 *
 * Exit 0: nothing failed, and every case that is not applicable is on the reviewed list, which has no entry too many.
 * Exit 1: otherwise. Exit 2: wrong usage. The vectors are not ours to ship, so the tests bring small ones of their own.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { nearestWord } from "../../src/policy/index.ts";
import { renderTable, runSets, type SetReport } from "./report.ts";
import { readList } from "./review.ts";
import { vectorSets } from "./sets.ts";

const usage = "usage: npm run vectors -- <folder> [--set NAME]... [--list FILE] [--json]";
const failuresShown = 20;

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      set: { type: "string", multiple: true },
      list: { type: "string", default: join(import.meta.dirname, "not-applicable.json") },
      json: { type: "boolean", default: false },
    },
  });
  const [folder, ...more] = positionals;
  if (folder === undefined || more.length > 0) return complain(`name one folder\n${usage}`);
  if (!existsSync(folder)) return complain(`there is no folder ${folder}\n${usage}`);
  const names = vectorSets.map(({ name }) => name);
  const chosen = values.set ?? names;
  const unknown = chosen.find((name) => !names.includes(name));
  if (unknown !== undefined) {
    const near = nearestWord(unknown, names);
    return complain(
      `there is no set ${unknown}${near === undefined ? "" : `; did you mean ${near}?`}\nsets: ${names.join(", ")}`,
    );
  }
  const reviewed = readList(values.list);
  const orphan = Object.keys(reviewed).find((name) => !names.includes(name));
  if (orphan !== undefined) return complain(`${values.list} names a set ${orphan} that is not one`);
  const sets = vectorSets.filter(({ name }) => chosen.includes(name));
  const reports = await runSets(sets, folder, reviewed);
  console.log(values.json ? JSON.stringify(reports, null, 2) : render(reports));
  return reports.every(({ failed }) => failed === 0) ? 0 : 1;
}

function render(reports: readonly SetReport[]): string {
  const failures = reports.flatMap(({ set, failures: all }) => [
    ...all.slice(0, failuresShown).map((failure) => `failed: ${set}: ${failure}`),
    ...(all.length > failuresShown ? [`failed: ${set}: ${all.length - failuresShown} more`] : []),
  ]);
  return [renderTable(reports), ...failures].join("\n");
}

function complain(message: string): number {
  console.error(`error: ${message}`);
  return 2;
}

process.exitCode = await main();
