/** What the official suite found, as a list of checks, and how two lists differ. Pure. */

export type Status = "SUCCESS" | "FAILURE" | "WARNING" | "SKIPPED";

/** One verdict. INFO is left out: those are the suite's own transcript, which grows with every message. */
export interface Check {
  readonly scenario: string;
  /** The suite's id; with `counted`, its further occurrences in a scenario are `id#2`, `id#3` … */
  readonly check: string;
  readonly status: Status;
  /** The suite's own words on what failed. Not compared: they hold ports and times. */
  readonly detail?: string;
}

/** One entry of the suite's `checks.json`, as far as it is read. */
export interface RawCheck {
  readonly id: string;
  readonly status: string;
  readonly description?: string;
  readonly errorMessage?: string;
}

const severity: readonly Status[] = ["SKIPPED", "SUCCESS", "WARNING", "FAILURE"];
const isStatus = (status: string): status is Status => severity.includes(status as Status);

/**
 * The checks of one scenario.
 *
 * `counted` keeps every occurrence of an id, in its order: right where the suite sends the same requests each time.
 * Otherwise the occurrences collapse to the most severe, as in the suite's own baseline: where the judged side decides
 * how many requests it sends, the count of per-request checks says nothing.
 */
export function checksOf(
  scenario: string,
  raw: readonly RawCheck[],
  { counted }: { readonly counted: boolean },
): readonly Check[] {
  const found = new Map<string, Check>();
  const times = new Map<string, number>();
  for (const each of raw) {
    const { id, status } = each;
    if (!isStatus(status)) continue;
    const nth = (times.get(id) ?? 0) + 1;
    times.set(id, nth);
    const check = counted && nth > 1 ? `${id}#${nth}` : id;
    const worst = found.get(check);
    if (worst !== undefined && severity.indexOf(status) <= severity.indexOf(worst.status)) continue;
    found.set(check, { scenario, check, status, ...wordsOf(each) });
  }
  return [...found.values()];
}

function wordsOf({ status, description, errorMessage }: RawCheck): Pick<Check, "detail"> {
  const detail = status === "SUCCESS" ? undefined : (errorMessage ?? description);
  return detail === undefined ? {} : { detail };
}

/** The same check in two lists; `absent` where a list does not have it. */
export interface Difference {
  readonly scenario: string;
  readonly check: string;
  readonly expected: Status | "absent";
  readonly found: Status | "absent";
  /** Of what was found. */
  readonly detail?: string;
}

/** Every check whose status is not the same in both lists, in the order of `expected`, new ones last. */
export function differences(
  expected: readonly Check[],
  found: readonly Check[],
): readonly Difference[] {
  const [a, b] = [expected, found].map(
    (list) => new Map(list.map((check) => [keyOf(check), check])),
  ) as [Map<string, Check>, Map<string, Check>];
  return [...new Map([...a, ...b])]
    .map(([key, { scenario, check }]) => {
      const { status: found = "absent" as const, detail } = b.get(key) ?? {};
      const expected = a.get(key)?.status ?? ("absent" as const);
      return { scenario, check, expected, found, ...(detail === undefined ? {} : { detail }) };
    })
    .filter((pair) => pair.expected !== pair.found);
}

const keyOf = ({ scenario, check }: Pick<Check, "scenario" | "check">): string =>
  `${scenario} ${check}`;
