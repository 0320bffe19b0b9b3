/**
 * Conformance to AG-403, as we read it: per requirement the tests that ran with real servers. The official scoring and the
 * text of its maturity model are not public; levels and bodies of tests here are ours, and labelled so.
 */
import { isJsonArray, isJsonObject, type JsonValue } from "../../kernel/index.ts";
import { type RequirementId, requirements } from "../evidence/index.ts";

/** One test as it ended. */
export interface TestRun {
  readonly name: string;
  /** Path of its file from the root of the project. */
  readonly file: string;
  /** Anything but `passed` and `failed` did not run, or showed nothing. */
  readonly status: string;
}

export type Level = "none" | "basic" | "intermediate" | "advanced";

export interface Scored {
  readonly requirement: RequirementId;
  readonly title: string;
  /** `not_shown`: no test with real servers passed. */
  readonly status: "conformant" | "non_conformant" | "not_shown";
  /** With real servers, passed. */
  readonly shown_by: readonly string[];
  readonly failed: readonly string[];
  /** Named, and not counted: without real servers, skipped, inconclusive, or against a double. */
  readonly not_counted: readonly string[];
}

export interface Conformance {
  readonly reading: "our reading of AG-403";
  /** One failed MUST is non-conformant, whatever the rest. */
  readonly verdict: "conformant" | "non_conformant" | "not_shown";
  readonly level: Level;
  /** Why it is not the next level. */
  readonly because: readonly string[];
  readonly requirements: readonly Scored[];
}

/** Tests of requirement 8.x speak of what they test. */
const testedBy: ReadonlyMap<string, readonly RequirementId[]> = new Map([
  ["8.1", ["4.1"]],
  ["8.2", ["4.2", "4.3"]],
  ["8.3", ["4.4"]],
  ["8.4", ["4.5"]],
  ["8.5", ["4.8"]],
  ["8.6", ["4.6"]],
  ["8.7", ["4.7"]],
]);

const basic: readonly RequirementId[] = ["4.1", "4.2", "4.3", "4.4", "4.5", "4.6"];

/** Where tests run against real servers and processes. */
const realPlaces = /(?:^|\/)test\/(?:system|failover|long)\//;
/** `double-failure` is a drill, and no double of anything. */
const showsNothing = /\b(?:double(?!-failure)|stand-in|inconclusive)\b/i;

/** `attestation`: who attested independently, when somebody did and the signature holds. */
export function scoreConformance(
  runs: readonly TestRun[],
  attestation: string | undefined,
): Conformance {
  const scored = requirements.map(({ id, title }) => scoreOne(id, title, runs));
  const failed = scored.filter(({ status }) => status === "non_conformant");
  const silent = scored.filter(({ status }) => status === "not_shown");
  const shown = (ids: readonly RequirementId[]): boolean =>
    scored.every(
      ({ requirement, status }) => !ids.includes(requirement) || status === "conformant",
    );
  const all = failed.length + silent.length === 0;
  const because = [
    ...failed.map(({ requirement, failed: names }) => `${requirement}: ${names[0]} failed`),
    ...silent.map(({ requirement }) => `${requirement}: no test with real servers passed`),
    ...(attestation === undefined
      ? ["advanced needs the signed attestation of an independent party"]
      : []),
  ];
  return {
    reading: "our reading of AG-403",
    verdict: failed.length > 0 ? "non_conformant" : all ? "conformant" : "not_shown",
    level: levelOf(failed.length > 0, shown(basic), all, attestation !== undefined),
    because,
    requirements: scored,
  };
}

function levelOf(isFailed: boolean, isBasic: boolean, isAll: boolean, isAttested: boolean): Level {
  if (isFailed || !isBasic) return "none";
  if (!isAll) return "basic";
  return isAttested ? "advanced" : "intermediate";
}

function scoreOne(id: RequirementId, title: string, runs: readonly TestRun[]): Scored {
  const named = runs.filter(({ name }) => requirementsNamed(name).includes(id));
  const counts = ({ file, name }: TestRun): boolean =>
    realPlaces.test(file) && !showsNothing.test(name);
  const label = ({ file, name }: TestRun): string => `${file}: ${name}`;
  // A failure counts wherever it is: nothing that fails in small can be trusted at large.
  const failed = named.filter(({ status }) => status === "failed").map(label);
  const shown = named.filter((run) => run.status === "passed" && counts(run)).map(label);
  return {
    ...{ requirement: id, title, failed, shown_by: shown },
    status: failed.length > 0 ? "non_conformant" : shown.length > 0 ? "conformant" : "not_shown",
    not_counted: named
      .filter((run) => run.status !== "failed" && !(run.status === "passed" && counts(run)))
      .map((run) => `${label(run)} (${run.status})`),
  };
}

/** `AG-403 4.2`, and lists such as `AG-403 4.7, 8.7`. */
export function requirementsNamed(name: string): readonly RequirementId[] {
  const found = new Set<RequirementId>();
  for (const [, list = ""] of name.matchAll(/AG-403((?:[ ,]+(?:and )?[48]\.\d{1,2}\b)+)/g))
    for (const [number = ""] of list.matchAll(/[48]\.\d{1,2}/g)) {
      const own = requirements.find(({ id }) => id === number);
      for (const id of own === undefined ? (testedBy.get(number) ?? []) : [own.id]) found.add(id);
    }
  return [...found];
}

/** Reads the results of vitest's JSON reporter; `root` is cut off the front of the files' paths. */
export function testRuns(results: JsonValue, root: string): readonly TestRun[] | undefined {
  const files = isJsonObject(results) ? results["testResults"] : undefined;
  if (!isJsonArray(files)) return undefined;
  return files.filter(isJsonObject).flatMap((file) => {
    const path = String(file["name"]);
    const short = path.startsWith(`${root}/`) ? path.slice(root.length + 1) : path;
    const tests = isJsonArray(file["assertionResults"]) ? file["assertionResults"] : [];
    const runs = tests.filter(isJsonObject).map((test): TestRun => {
      return { name: String(test["fullName"]), file: short, status: String(test["status"]) };
    });
    // A file that could not be loaded has no tests; it failed all the same.
    if (runs.length > 0 || file["status"] !== "failed") return runs;
    return [
      {
        name: `AG-403 ${requirements.map(({ id }) => id).join(", ")}`,
        file: short,
        status: "failed",
      },
    ];
  });
}
