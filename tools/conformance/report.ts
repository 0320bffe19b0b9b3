/** A run told to people: one line a comparison, then each thing that is wrong and what to do about it. */
import { type Check, differences } from "./check-list.ts";
import type { Leg } from "./legs.ts";
import { legName, type Problem } from "./verdict.ts";

/** Checks passed, of scenarios that the revision requires and of all that were run. */
export interface Tally {
  readonly scenarios: number;
  readonly passed: number;
  readonly failed: number;
}

export function tallyOf(checks: readonly Check[], scenarios?: readonly string[]): Tally {
  const counted = checks.filter(({ scenario }) => scenarios?.includes(scenario) ?? true);
  const withStatus = (...wanted: readonly string[]): number =>
    counted.filter(({ status }) => wanted.includes(status)).length;
  return {
    scenarios: new Set(counted.map(({ scenario }) => scenario)).size,
    passed: withStatus("SUCCESS"),
    failed: withStatus("FAILURE", "WARNING"),
  };
}

export function tableOf(legs: readonly Leg[], problems: readonly Problem[]): string {
  const rows = legs.map((leg) => {
    const mine = problems.filter(({ leg: name }) => name === legName(leg)).length;
    return [
      leg.role,
      leg.revision,
      ...sidesOf(leg, leg.required),
      ...sidesOf(leg),
      String(leg.record.entries),
      mine === 0 ? agreement(leg) : `${mine} ${mine === 1 ? "problem" : "problems"}`,
    ];
  });
  const sides = ["direct", "through"];
  const head = ["judged as", "revision", "required scenarios", ...sides, "all scenarios", ...sides];
  return columns([[...head, "entries recorded", ""], ...rows]);
}

/** Of a leg without problems: what still differs was reviewed. */
function agreement({ direct, through }: Leg): string {
  const reviewed = differences(direct, through).length;
  return reviewed === 0 ? "equal" : `equal but for ${reviewed} reviewed`;
}

/** Scenarios, and passed/judged checks of both sides. */
function sidesOf({ direct, through }: Leg, scenarios?: readonly string[]): readonly string[] {
  const [a, b] = [tallyOf(direct, scenarios), tallyOf(through, scenarios)];
  const score = ({ passed, failed }: Tally): string => `${passed}/${passed + failed}`;
  return [String(a.scenarios), score(a), score(b)];
}

function columns(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, i) => Math.max(...rows.map((row) => row[i]?.length ?? 0)));
  return rows
    .map((row) =>
      row
        .map((cell, i) => cell.padEnd(widths[i] ?? 0))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}

/** Every problem by name; what to do is said once for those in a row that share it. */
export function problemLines(problems: readonly Problem[]): readonly string[] {
  return problems.flatMap(({ kind, leg, scenario, check, what, detail, todo }, i) => [
    `✗ ${kind.padEnd(11)} ${leg}  ${scenario}  ${check}: ${what}`,
    ...(detail === undefined ? [] : [`    the suite: ${detail.split("\n")[0]}`]),
    ...(problems[i + 1]?.todo === todo ? [] : [`  → ${todo}`]),
  ]);
}
