/** Conformance: one failed MUST is non-conformant whatever the rest; what was skipped or shows nothing never counts. */
import { expect, test } from "vitest";
import {
  requirementsNamed,
  scoreConformance,
  type TestRun,
  testRuns,
} from "../../../../src/failover/conformance/index.ts";

const ids = ["4.1", "4.2", "4.3", "4.4", "4.5", "4.6", "4.7", "4.8", "4.9", "4.10"];
const run = (name: string, change: Partial<TestRun> = {}): TestRun => ({
  ...{ name, file: "test/system/failover/x.test.ts", status: "passed" },
  ...change,
});
const all = ids.map((id) => run(`AG-403 ${id}: it holds`));

test("which requirements a test names", () => {
  expect(requirementsNamed("AG-403 4.1: a")).toEqual(["4.1"]);
  expect(requirementsNamed("AG-403 4.10: b")).toEqual(["4.10"]);
  expect(requirementsNamed("AG-403 4.7, 8.7: c")).toEqual(["4.7"]);
  expect(requirementsNamed("AG-403 8.2: d")).toEqual(["4.2", "4.3"]);
  expect(requirementsNamed("AG-403 4.2 and 4.3, really")).toEqual(["4.2", "4.3"]);
  expect(requirementsNamed("takes 4.2 seconds")).toEqual([]);
});

test("all shown with real servers is intermediate; advanced needs an attestation", () => {
  expect(scoreConformance(all, undefined)).toMatchObject({
    ...{ verdict: "conformant", level: "intermediate" },
    because: ["advanced needs the signed attestation of an independent party"],
  });
  expect(scoreConformance(all, "auditor")).toMatchObject({ level: "advanced", because: [] });
});

test("the first six alone are basic", () => {
  expect(scoreConformance(all.slice(0, 6), "auditor")).toMatchObject({
    verdict: "not_shown",
    level: "basic",
  });
  expect(scoreConformance(all.slice(1), "auditor")).toMatchObject({ level: "none" });
});

test.each(ids)("AG-403 %s failed once: non-conformant, whatever the rest", (id) => {
  const failed = run(`AG-403 ${id}: it breaks`, { status: "failed", file: "test/unit/x.test.ts" });
  expect(scoreConformance([...all, ...all, failed], "auditor")).toMatchObject({
    ...{ verdict: "non_conformant", level: "none" },
  });
});

test.each<[string, Partial<TestRun>]>([
  ["skipped", { status: "skipped" }],
  ["pending", { status: "pending" }],
  ["todo", { status: "todo" }],
  ["without real servers", { file: "test/unit/failover/x.test.ts" }],
  ["against a double", { name: "AG-403 4.9: with the double of the API" }],
  ["inconclusive", { name: "AG-403 4.9: inconclusive without a cluster" }],
])("not counted: %s", (_, change) => {
  const rest = all.filter(({ name }) => !name.includes("4.9"));
  const scored = scoreConformance([...rest, run("AG-403 4.9: it holds", change)], "auditor");
  expect(scored.level).toBe("basic");
  expect(scored.requirements[8]).toMatchObject({ status: "not_shown", shown_by: [] });
  expect(scored.requirements[8]?.not_counted).toHaveLength(1);
});

test("counted: the drill of two failures, whose name has a double in it", () => {
  const rest = all.filter(({ name }) => !name.includes("4.7"));
  const drill = run("AG-403 4.7: double-failure passes");
  expect(scoreConformance([...rest, drill], "auditor").requirements[6]).toMatchObject({
    ...{ status: "conformant", not_counted: [] },
  });
});

test("results of vitest: names, files, states; a file that could not be loaded has failed", () => {
  const results = {
    testResults: [
      {
        ...{ name: "/p/test/system/a.test.ts", status: "passed" },
        assertionResults: [{ fullName: "AG-403 4.1: a", status: "passed" }],
      },
      { name: "/p/test/system/b.test.ts", status: "failed", assertionResults: [] },
    ],
  };
  const runs = testRuns(results, "/p") ?? [];
  expect(runs[0]).toEqual({
    name: "AG-403 4.1: a",
    file: "test/system/a.test.ts",
    status: "passed",
  });
  expect(scoreConformance(runs, "auditor").verdict).toBe("non_conformant");
  expect(testRuns({ testResults: 7 }, "/p")).toBeUndefined();
});
