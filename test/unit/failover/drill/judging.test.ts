/** AG-403 4.7: tolerances, the guard on the blast radius, the verdict, and when a drill is due. */
import { expect, test } from "vitest";
import {
  type Acting,
  blastRadiusRefusals,
  type DrillFindings,
  drillsDue,
  isMet,
  judgeDrill,
} from "../../../../src/failover/drill/index.ts";
import type { JsonObject, JsonValue } from "../../../../src/kernel/index.ts";
import { action, experiment, manifest, probe, read } from "./experiments.ts";

function met(tolerance: JsonValue, output: JsonValue | undefined): boolean {
  const value = experiment({}, { expect: [{ probe: probe("x", { tolerance }) }] });
  const read_ = read(value).governance.expect[0]?.probe.tolerance;
  if (read_ === undefined) throw new Error("no tolerance");
  return isMet(read_, output, (pattern, text) => new RegExp(pattern).test(text));
}

const answered = (status: number, body: JsonValue = null): JsonObject => ({ status, body });

test.each<[JsonValue, JsonValue | undefined, boolean]>([
  [200, answered(200), true],
  [200, answered(503), false],
  [200, undefined, false],
  [true, answered(200), false],
  [[401, 503], answered(503), true],
  [[401, 503], answered(200), false],
  [0, { status: 0, stdout: "ok\n" }, true],
  ["ok", { status: 1, stdout: "ok\n" }, true],
  [
    { type: "regex", pattern: "^blocked", target: "stdout" },
    { status: 0, stdout: "blocked" },
    true,
  ],
  [{ type: "regex", pattern: "^blocked" }, answered(200, "ready"), false],
  [{ type: "jsonpath", path: "$.a[0].b", expect: 1 }, answered(200, { a: [{ b: 1 }] }), true],
  [{ type: "jsonpath", path: "$.a[0].b", expect: 2 }, answered(200, { a: [{ b: 1 }] }), false],
  [{ type: "jsonpath", path: "$['a']", count: 0 }, answered(200, {}), true],
  [{ type: "jsonpath", path: "$.a" }, { status: 0, stdout: '{"a": false}\n' }, true],
  [{ type: "jsonpath", path: "$.a" }, { status: 0, stdout: "no JSON" }, false],
  [{ type: "range", range: [1, 3], target: "stdout" }, { status: 0, stdout: "3" }, true],
  [{ type: "range", range: [1, 3], target: "stdout" }, { status: 0, stdout: "" }, false],
])("tolerance %j of %j: %s", (tolerance, output, expected) => {
  expect(met(tolerance, output)).toBe(expected);
});

function refusals(
  value: JsonObject,
  acting: Acting = "not_acting",
  allowReady = false,
): readonly string[] {
  const states = new Map([["dub", acting]]);
  return blastRadiusRefusals(read(value), { manifest, acting: states, allowReady });
}

const targets = (extra: JsonObject): JsonObject => ({
  targets: [{ site: "dub", components: ["audit"], paths: ["/srv/dub"], origins: [], ...extra }],
});
const withProvider = (provider: JsonObject): JsonObject =>
  experiment({ method: [action("break", { provider })] });

test("what stays inside its targets may run", () => {
  expect(refusals(experiment())).toEqual([]);
  const inside = { type: "process", path: "/bin/rm", arguments: ["--file=/srv/dub/x", "/srv/dub"] };
  expect(refusals(withProvider(inside))).toEqual([]);
  expect(refusals(withProvider({ type: "http", url: "http://dub.example:7070/failover" }))).toEqual(
    [],
  );
});

test.each<[string, JsonObject, RegExp]>([
  ["another deployment", experiment({}, { deployment: "other" }), /is for the deployment other/],
  ["an unknown site", experiment({}, targets({ site: "nyc" })), /no site nyc/],
  ["an unknown component", experiment({}, targets({ components: ["nix"] })), /no component nix/],
  [
    "a component of another site",
    experiment({}, targets({ components: ["audit", "identity"] })),
    /identity does not belong to the site dub/,
  ],
  [
    "an action at no target",
    experiment({}, { reach: { break: { site: "fra" }, mend: { site: "dub" } } }),
    /"break" reaches the site fra, which is no target/,
  ],
  [
    "an action on no target",
    experiment(
      {},
      { reach: { break: { site: "dub", component: "identity" }, mend: { site: "dub" } } },
    ),
    /reaches the component identity/,
  ],
  [
    "a path outside",
    withProvider({ type: "process", path: "do", arguments: ["--file=/srv/dublin/x"] }),
    /\/srv\/dublin\/x, which is no path/,
  ],
  [
    "a way out",
    withProvider({ type: "process", path: "do", arguments: ["/srv/dub/../fra"] }),
    /no path of its target/,
  ],
  [
    "an address outside",
    withProvider({ type: "http", url: "http://fra.example:7070/failover" }),
    /calls http:\/\/fra\.example:7070/,
  ],
])("the guard on the blast radius refuses %s", (_, value, message) => {
  expect(refusals(value).join("\n")).toMatch(message);
});

test("a site where agents act is touched only when file and operator allow it; one nobody knows of likewise", () => {
  const allowing = experiment({}, { allow_ready_site: true });
  for (const acting of ["acting", "unknown"] as const) {
    expect(refusals(experiment(), acting)).toHaveLength(1);
    expect(refusals(experiment(), acting, true)).toHaveLength(1);
    expect(refusals(allowing, acting)).toHaveLength(1);
    expect(refusals(allowing, acting, true)).toEqual([]);
  }
});

const control = (
  phase: DrillFindings["controls"][number]["phase"],
  met = true,
  blocking = true,
) => ({
  ...{ name: `c-${phase}`, phase, blocking, met },
  after_ms: met ? 1 : null,
});
const good: DrillFindings = {
  began: true,
  controls: [control("steady_before"), control("under_fault"), control("after_rollback")],
  proof: [{ name: "frozen", held_before: false, held_after: true }],
  state: { before: "sha256:a", after: "sha256:a", restored: true },
  failed_actions: [],
  failed_rollbacks: [],
  aborted: null,
  interrupted: false,
};

test.each<[string, Partial<DrillFindings>, string, number | null]>([
  ["all well", {}, "pass", 1],
  [
    "one of many blocking controls lost",
    {
      controls: [
        ...Array.from({ length: 99 }, () => control("under_fault")),
        control("after_rollback", false),
      ],
    },
    "fail",
    0,
  ],
  [
    "an advisory control lost",
    { controls: [...good.controls, control("under_fault", false, false)] },
    "pass",
    1,
  ],
  [
    "only advisory controls",
    { controls: [control("under_fault", true, false)] },
    "inconclusive",
    null,
  ],
  [
    "the fault did not take effect",
    { proof: [{ name: "frozen", held_before: false, held_after: false }] },
    "inconclusive",
    null,
  ],
  [
    "the fault did not take effect, and a control is lost",
    {
      proof: [{ name: "frozen", held_before: false, held_after: false }],
      controls: [control("under_fault", false)],
    },
    "inconclusive",
    null,
  ],
  [
    "the fault did not take effect, and what always holds is lost",
    {
      proof: [{ name: "frozen", held_before: false, held_after: false }],
      controls: [control("under_fault"), control("steady_under_fault", false)],
    },
    "fail",
    0,
  ],
  [
    "the proof held before",
    { proof: [{ name: "frozen", held_before: true, held_after: true }] },
    "inconclusive",
    null,
  ],
  ["no proof", { proof: [] }, "inconclusive", null],
  [
    "not steady before",
    { controls: [control("steady_before", false), control("under_fault")] },
    "inconclusive",
    null,
  ],
  ["stopped", { aborted: "over time" }, "inconclusive", null],
  ["the engine died", { interrupted: true }, "inconclusive", null],
  ["the action failed", { failed_actions: ["break"] }, "inconclusive", null],
  ["not restored", { state: { before: "a", after: "b", restored: false } }, "fail", 0],
  [
    "not restored after the engine died",
    { interrupted: true, state: { before: "a", after: "b", restored: false } },
    "fail",
    0,
  ],
  ["a rollback failed", { failed_rollbacks: ["mend"] }, "fail", 0],
  [
    "never began",
    { began: false, state: { before: null, after: null, restored: false } },
    "inconclusive",
    null,
  ],
])("verdict: %s", (_, change, verdict, score) => {
  expect(judgeDrill({ ...good, ...change })).toMatchObject({ verdict, score });
});

const day = 86_400_000;
const past = (
  scenario: string,
  endedMs: number,
  verdict: "pass" | "fail" | "inconclusive" = "pass",
) => ({
  ...{ drill: `dr-${endedMs}`, scenario, verdict, endedMs },
});

test("AG-403 4.7: a drill is due after drill_days; an inconclusive one does not count, never is overdue", () => {
  const due = drillsDue(
    ["freeze", "kill", "skew", "fill"],
    [
      past("freeze", 0),
      past("freeze", 50 * day, "inconclusive"),
      past("kill", 60 * day, "fail"),
      past("fill", 500 * day),
    ],
    90,
    91 * day,
  );
  expect(due.map(({ scenario, overdue, ageDays }) => [scenario, overdue, ageDays])).toEqual([
    ["skew", true, null],
    ["freeze", true, 91],
    ["kill", false, 31],
    ["fill", false, 0],
  ]);
});
