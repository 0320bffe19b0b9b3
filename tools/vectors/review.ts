/** Holds what a set declined against the reviewed list. */
import { readFileSync } from "node:fs";
import { type Case, failed } from "./case.ts";

interface Reviewed {
  /** The word of the cases that it excuses. */
  readonly because: string;
  /** Ids of cases; `*` stands for any characters. */
  readonly cases: readonly string[];
  /** How many cases it excuses: another number means that it was not reviewed for this. */
  readonly count: number;
  readonly reason: string;
}

/** By name of the set. */
export type ReviewedList = Readonly<Record<string, readonly Reviewed[]>>;

export interface Tally {
  readonly cases: number;
  readonly passed: number;
  readonly refused: number;
  readonly notApplicable: number;
  readonly failed: number;
  /** One sentence for each failed case and each stale entry of the list. */
  readonly failures: readonly string[];
  readonly notes: readonly Note[];
}

/** Why cases were not applicable, for people who read the report. */
interface Note {
  readonly count: number;
  readonly because: string;
  readonly reason: string;
}

export function readList(file: string): ReviewedList {
  return JSON.parse(readFileSync(file, "utf8")) as ReviewedList;
}

/** Counts the cases of one set. No case at all is a failure, and so is every entry of the list that is out of date. */
export function tally(cases: readonly Case[], reviewed: readonly Reviewed[]): Tally {
  const covered = new Map<Reviewed, number>(reviewed.map((entry) => [entry, 0]));
  const settled = cases.map((each) => settle(each, covered));
  const count = (verdict: Case["verdict"]): number =>
    settled.filter((each) => each.verdict === verdict).length;
  const failures = settled.flatMap((each) =>
    each.verdict === "failed" ? [`${each.id}: ${each.detail}`] : [],
  );
  for (const [entry, found] of covered) {
    if (found !== entry.count)
      failures.push(
        `stale entry of the reviewed list: ${entry.because} (${entry.cases.join(", ")}) covers ${found} cases, not ${entry.count}`,
      );
  }
  if (cases.length === 0) failures.push("it has no cases");
  return {
    cases: cases.length,
    passed: count("passed"),
    refused: count("refused"),
    notApplicable: count("declined"),
    failed: failures.length,
    failures,
    notes: reviewed.map(({ count: many, because, reason }) => ({ count: many, because, reason })),
  };
}

function settle(each: Case, covered: Map<Reviewed, number>): Case {
  if (each.verdict !== "declined") return each;
  for (const [entry, found] of covered) {
    if (entry.because !== each.because || !entry.cases.some((glob) => fits(glob, each.id)))
      continue;
    covered.set(entry, found + 1);
    return each;
  }
  return failed(each.id, `${each.because}: not run or not taken, and no reviewed reason says why`);
}

function fits(glob: string, id: string): boolean {
  const pattern = glob.split("*").map((part) => part.replace(/[.+?^${}()|[\]\\]/g, "\\$&"));
  return new RegExp(`^${pattern.join(".*")}$`, "s").test(id);
}
