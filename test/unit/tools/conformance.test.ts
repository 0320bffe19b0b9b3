/** How the conformance command judges: which lists are equal, and what it says when they are not. */
import { expect, test } from "vitest";
import type { Baseline } from "../../../tools/conformance/baseline.ts";
import {
  type Check,
  checksOf,
  differences,
  type Status,
} from "../../../tools/conformance/check-list.ts";
import type { Leg } from "../../../tools/conformance/legs.ts";
import { problemLines, tableOf } from "../../../tools/conformance/report.ts";
import { problemsOf } from "../../../tools/conformance/verdict.ts";

const raw = (id: string, status: string) => ({ id, status });
const check = (scenario: string, name: string, status: Status): Check => ({
  scenario,
  check: name,
  status,
});

test("every occurrence of a check counts where the suite sends the requests, the worst where it does not", () => {
  const found = [raw("a", "SUCCESS"), raw("log", "INFO"), raw("a", "FAILURE"), raw("a", "SUCCESS")];
  expect(checksOf("s", found, { counted: true })).toEqual([
    check("s", "a", "SUCCESS"),
    check("s", "a#2", "FAILURE"),
    check("s", "a#3", "SUCCESS"),
  ]);
  expect(checksOf("s", found, { counted: false })).toEqual([check("s", "a", "FAILURE")]);
});

test("the suite's words stay with a failure, and make no difference by themselves", () => {
  const failed = { id: "a", status: "FAILURE", errorMessage: "port 4711 said no" };
  const found = checksOf("s", [raw("a", "SUCCESS"), failed], { counted: false });
  expect(found).toEqual([{ ...check("s", "a", "FAILURE"), detail: "port 4711 said no" }]);
  expect(differences([check("s", "a", "FAILURE")], found)).toEqual([]);
  const [a, ...others] = must("FAILURE");
  const through = [{ ...(a as Check), detail: "port 4711 said no" }, ...others];
  const told = problemLines(problemsOf([{ ...leg, through }], baseline, "1"));
  expect(told[1]).toBe("    the suite: port 4711 said no");
});

test("lists differ by each check that is missing, new or otherwise judged", () => {
  const before = [
    check("s", "a", "SUCCESS"),
    check("s", "b", "SUCCESS"),
    check("t", "a", "SUCCESS"),
  ];
  const after = [
    check("s", "a", "FAILURE"),
    check("t", "a", "SUCCESS"),
    check("t", "c", "WARNING"),
  ];
  expect(differences(before, after)).toEqual([
    { scenario: "s", check: "a", expected: "SUCCESS", found: "FAILURE" },
    { scenario: "s", check: "b", expected: "SUCCESS", found: "absent" },
    { scenario: "t", check: "c", expected: "absent", found: "WARNING" },
  ]);
});

const passes = [check("must", "a", "SUCCESS"), check("may", "b", "FAILURE")];
const leg: Leg = {
  role: "client",
  revision: "2026-07-28",
  required: ["must"],
  direct: passes,
  through: passes,
  record: { entries: 7, problems: [] },
};
const baseline: Baseline = {
  suite: "1",
  reviewed: [{ role: "client", revisions: ["2026-07-28"], scenarios: ["may"], why: "not built" }],
  checks: { client: { "2026-07-28": { must: { SUCCESS: ["a"] }, may: { FAILURE: ["b"] } } } },
};
const found = (change: Partial<Leg>, frozen: Partial<Baseline> = {}, suite = "1") =>
  problemsOf([{ ...leg, ...change }], { ...baseline, ...frozen }, suite).map(
    ({ kind, scenario, check: name, what }) => `${kind} ${scenario} ${name}: ${what}`,
  );
const must = (status: Status): readonly Check[] => [
  check("must", "a", status),
  check("may", "b", "FAILURE"),
];

test("nothing is wrong when both lists are equal, complete, frozen so, and each failure is reviewed", () => {
  expect(found({})).toEqual([]);
});

test("a check that the gateway breaks is named, once", () => {
  expect(found({ through: must("FAILURE") })).toEqual([
    "different must a: direct SUCCESS, through FAILURE",
  ]);
});

test("a check that is gone is not a check that passes", () => {
  expect(found({ through: [check("may", "b", "FAILURE")] })).toEqual([
    "different must a: direct SUCCESS, through absent",
  ]);
});

test("equal lists that both fail are not good", () => {
  expect(found({ direct: must("WARNING"), through: must("WARNING") })).toEqual([
    "incomplete must a: direct WARNING",
  ]);
});

test("a failure that nobody reviewed is named, also where nothing requires it", () => {
  expect(found({}, { reviewed: [] })).toEqual(["incomplete may b: direct FAILURE"]);
});

test("a check that fails on both sides where nothing requires it, and passed before, is a regression", () => {
  const both = [...passes, check("may", "c", "FAILURE")];
  const { client } = baseline.checks;
  const frozen = { ...client?.["2026-07-28"], may: { FAILURE: ["b"], SUCCESS: ["c"] } };
  const checks = { client: { "2026-07-28": frozen } };
  expect(found({ direct: both, through: both }, { checks })).toEqual([
    "regression may c: frozen SUCCESS, now FAILURE",
  ]);
});

test("a frozen failure that passes now is stale, and so is its review", () => {
  const mended = [check("must", "a", "SUCCESS"), check("may", "b", "SUCCESS")];
  expect(found({ direct: mended, through: mended })).toEqual([
    "stale may b: frozen FAILURE, now SUCCESS",
    "stale may every check: reviewed, nothing is wrong",
  ]);
});

test("a new check waits for somebody to look", () => {
  const more = [...passes, check("must", "new", "SUCCESS")];
  expect(found({ direct: more, through: more })).toEqual([
    "stale must new: frozen absent, now SUCCESS",
  ]);
});

test("a required scenario is never excused as a whole", () => {
  const whole = { ...baseline.reviewed[0], scenarios: ["may", "must"] };
  expect(found({}, { reviewed: [whole as never] })).toEqual([
    "review may, must every check: required, and excused as a whole",
  ]);
});

test("a review is judged only when each of its revisions was run", () => {
  const both = { ...baseline.reviewed[0], revisions: ["2025-11-25", "2026-07-28"] };
  const other = { ...both, scenarios: ["elsewhere"] };
  expect(found({}, { reviewed: [both as never, other as never] })).toEqual([]);
});

test("a gateway that recorded nothing, or whose log does not verify, is not conformant", () => {
  expect(found({ record: { entries: 0, problems: [] } })).toEqual([
    "record - log: nothing was recorded",
  ]);
  expect(found({ record: { entries: 7, problems: ["entry 3 was changed"] } })).toEqual([
    "record - log: entry 3 was changed",
  ]);
});

test("another version of the suite makes the frozen list old", () => {
  expect(found({}, {}, "2")).toEqual(["stale - version: frozen with suite 1, installed is 2"]);
});

test("what people read: a row a comparison, each problem, and once what to do", () => {
  const broken = { ...leg, through: [] };
  const problems = problemsOf([broken], baseline, "1");
  const different = problems.filter(({ kind }) => kind === "different");
  expect(tableOf([broken], different).split("\n")[1]).toMatch(
    /^client {5}2026-07-28 +1 +1\/1 +0\/0 +2 +1\/2 +0\/0 +7 +1 problem$/,
  );
  expect(tableOf([leg], [])).toMatch(/ equal$/);
  expect(tableOf([broken], [])).toMatch(/ equal but for 2 reviewed$/);
  const lines = problemLines(problems);
  expect(lines[0]).toBe("✗ different   client 2026-07-28  must  a: direct SUCCESS, through absent");
  expect(lines[1]).toMatch(/^ {2}→ The gateway changes what the other side sees: mend the gateway/);
});
