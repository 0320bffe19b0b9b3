/** What is wrong with a run: incomplete, different, worse than frozen, or better than somebody wrote down. Pure. */
import { type Baseline, frozenChecks, type Reviewed } from "./baseline.ts";
import { type Check, type Difference, differences } from "./check-list.ts";
import type { Leg } from "./legs.ts";

export interface Problem {
  /**
   * `incomplete`: a check fails directly. `different`: the gateway changes a check. `regression`: worse than the frozen
   * list. `stale`: the frozen list, or a review, says what is no longer so. `review`: one that excuses too much.
   * `record`: the gateway's own log does not verify.
   */
  readonly kind: "incomplete" | "different" | "regression" | "stale" | "review" | "record";
  /** `client 2026-07-28`. */
  readonly leg: string;
  readonly scenario: string;
  readonly check: string;
  /** `direct SUCCESS, through FAILURE`. */
  readonly what: string;
  /** What the suite says of it. */
  readonly detail?: string;
  readonly todo: string;
}

export const legName = ({ role, revision }: Pick<Leg, "role" | "revision">): string =>
  `${role} ${revision}`;

/** Empty when both lists are equal, the direct one is complete, and everything is as frozen and reviewed. */
export function problemsOf(
  legs: readonly Leg[],
  baseline: Baseline,
  suiteVersion: string,
): readonly Problem[] {
  const used = new Set<Reviewed>();
  const problems = legs.flatMap((leg) => {
    const now = [...incomplete(leg, baseline, used), ...different(leg, baseline, used)];
    // What is wrong today need not be told again as another thing than before.
    const told = new Set(now.map(keyOf));
    const before = againstFrozen(leg, baseline).filter((each) => !told.has(keyOf(each)));
    return [...now, ...before, ...recordProblems(leg)];
  });
  return [
    ...problems,
    ...faultyReviews(legs, baseline, used),
    ...otherSuite(baseline, suiteVersion),
  ];
}

const keyOf = ({ scenario, check }: Pick<Problem, "scenario" | "check">): string =>
  `${scenario} ${check}`;

const fails = ({ status }: Check): boolean => status === "FAILURE" || status === "WARNING";

/** What the revision requires has no excuse here; the rest may be reviewed. */
function incomplete(leg: Leg, baseline: Baseline, used: Set<Reviewed>): readonly Problem[] {
  const todo =
    "Nothing stands between here: mend the fixture server or the official client's driver.";
  return leg.direct
    .filter(fails)
    .filter(
      (check) => !covered(leg, check, baseline, used) || leg.required.includes(check.scenario),
    )
    .map((check) => problem("incomplete", leg, check, `direct ${check.status}`, todo));
}

function different(leg: Leg, baseline: Baseline, used: Set<Reviewed>): readonly Problem[] {
  const todo =
    "The gateway changes what the other side sees: mend the gateway. Only what no gateway could keep goes under `reviewed` in baseline.yaml, with the reason.";
  return differences(leg.direct, leg.through)
    .filter((each) => !covered(leg, each, baseline, used))
    .map((each) => problem("different", leg, each, whatOf(each, "direct", "through"), todo));
}

function againstFrozen(leg: Leg, baseline: Baseline): readonly Problem[] {
  return differences(frozenChecks(baseline, leg.role, leg.revision), leg.through).map((each) => {
    const worse = each.expected === "SUCCESS";
    const todo = worse
      ? "It passed when the list was frozen: find what changed."
      : "The frozen list is old: look at the change, then npm run conformance -- --update.";
    const what = whatOf(each, "frozen", "now");
    return problem(worse ? "regression" : "stale", leg, each, what, todo);
  });
}

function recordProblems(leg: Leg): readonly Problem[] {
  const todo = "The log is evidence: mend the gateway before anything else.";
  const none = leg.record.entries === 0 ? ["nothing was recorded"] : [];
  return [...none, ...leg.record.problems].map((what) =>
    problem("record", leg, { scenario: "-", check: "log" }, what, todo),
  );
}

/**
 * A review that covers nothing may hide tomorrow's fault, and one of a whole scenario that is required hides its other
 * checks. Judged only when all its revisions were run.
 */
function faultyReviews(
  legs: readonly Leg[],
  { reviewed }: Baseline,
  used: ReadonlySet<Reviewed>,
): readonly Problem[] {
  return reviewed.flatMap((review) => {
    const { role, revisions, scenarios, checks } = review;
    const ran = legs.filter((leg) => leg.role === role && revisions.includes(leg.revision));
    const [leg] = ran;
    if (leg === undefined || ran.length < revisions.length) return [];
    const where = { scenario: scenarios.join(", "), check: checks?.join(", ") ?? "every check" };
    const told = (kind: "review" | "stale", what: string, todo: string): readonly Problem[] => [
      problem(kind, leg, where, what, todo),
    ];
    if (
      checks === undefined &&
      ran.some(({ required }) => scenarios.some((s) => required.includes(s)))
    )
      return told("review", "required, and excused as a whole", "Name the checks in `reviewed`.");
    if (!used.has(review)) return told("stale", "reviewed, nothing is wrong", "Delete the entry.");
    return [];
  });
}

function otherSuite({ suite }: Baseline, installed: string): readonly Problem[] {
  if (suite === installed) return [];
  const todo = "Read the suite's changes, then npm run conformance -- --update.";
  const what = `frozen with suite ${suite}, installed is ${installed}`;
  return [{ kind: "stale", leg: "suite", scenario: "-", check: "version", what, todo }];
}

function covered(
  { role, revision }: Leg,
  { scenario, check }: Pick<Check, "scenario" | "check">,
  { reviewed }: Baseline,
  used: Set<Reviewed>,
): boolean {
  const review = reviewed.find(
    (each) =>
      each.role === role &&
      each.revisions.includes(revision) &&
      each.scenarios.includes(scenario) &&
      (each.checks === undefined || each.checks.includes(check)),
  );
  if (review !== undefined) used.add(review);
  return review !== undefined;
}

const whatOf = ({ expected, found }: Difference, before: string, after: string): string =>
  `${before} ${expected}, ${after} ${found}`;

function problem(
  kind: Problem["kind"],
  leg: Leg,
  { scenario, check, detail }: Pick<Check, "scenario" | "check" | "detail">,
  what: string,
  todo: string,
): Problem {
  const said = detail === undefined ? {} : { detail };
  return { kind, leg: legName(leg), scenario, check, what, ...said, todo };
}
