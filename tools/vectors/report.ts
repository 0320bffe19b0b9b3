/** Runs sets and says what came of them. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Case, VectorSet } from "./case.ts";
import { type ReviewedList, type Tally, tally } from "./review.ts";

export interface SetReport extends Tally {
  readonly set: string;
  readonly source: string;
}

/** One report for each set, in order. What a set cannot read or throws on is a failure of that set. */
export async function runSets(
  sets: readonly VectorSet[],
  folder: string,
  reviewed: ReviewedList,
): Promise<readonly SetReport[]> {
  const reports: SetReport[] = [];
  for (const { name, path, source, run } of sets) {
    const where = join(folder, path);
    const result = existsSync(where)
      ? await runSet(run, where, reviewed[name] ?? [])
      : broken(`${where} is not there; it holds ${source}`);
    reports.push({ set: name, source, ...result });
  }
  return reports;
}

async function runSet(
  run: VectorSet["run"],
  where: string,
  reviewed: ReviewedList[string],
): Promise<Tally> {
  let cases: readonly Case[];
  try {
    cases = await run(where);
  } catch (thrown) {
    return broken(`${where}: ${thrown instanceof Error ? thrown.stack : String(thrown)}`);
  }
  return tally(cases, reviewed);
}

function broken(failure: string): Tally {
  const none = { cases: 0, passed: 0, refused: 0, notApplicable: 0, notes: [] };
  return { ...none, failed: 1, failures: [failure] };
}

const columns = ["cases", "passed", "refused", "not applicable", "failed"] as const;

/** The table, in Markdown that also reads well on a terminal. */
export function renderTable(reports: readonly SetReport[]): string {
  const rows = reports.map((report) => [report.set, ...numbers(report).map(String)]);
  const total = columns.map((_, i) =>
    String(reports.reduce((sum, report) => sum + (numbers(report)[i] ?? 0), 0)),
  );
  const table = [["set", ...columns], ...rows, ["all", ...total]];
  const widths = table[0]?.map((_, i) => Math.max(...table.map((row) => (row[i] ?? "").length)));
  const line = (row: readonly string[]): string =>
    `| ${row.map((cell, i) => (i === 0 ? cell.padEnd(widths?.[i] ?? 0) : cell.padStart(widths?.[i] ?? 0))).join(" | ")} |`;
  const [head = [], ...rest] = table;
  const rule = (widths ?? []).map((width, i) =>
    i === 0 ? "-".repeat(width) : `${"-".repeat(width - 1)}:`,
  );
  return [line(head), line(rule), ...rest.map(line)].join("\n");
}

function numbers({ cases, passed, refused, notApplicable, failed }: SetReport): number[] {
  return [cases, passed, refused, notApplicable, failed];
}
