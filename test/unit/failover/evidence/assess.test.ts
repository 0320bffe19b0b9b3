/** AG-403 4.1 to 4.10: what the evidence says of each, and OSCAL of it. */
import { expect, test } from "vitest";
import {
  assess,
  assessmentResults,
  type Evidence,
  oscalProblems,
  planOfAction,
  type RequirementId,
  uuidOf,
} from "../../../../src/failover/evidence/index.ts";
import { canonicalJson, type JsonObject } from "../../../../src/kernel/index.ts";
import { manifest } from "../drill/experiments.ts";
import { evidence, journal, record } from "./evidence.ts";

const statusOf = (of: Evidence, id: RequirementId) =>
  assess(of).find(({ requirement }) => requirement === id);

test("where all is well every requirement is satisfied, with its evidence", () => {
  const assessed = assess(evidence());
  expect(assessed.map(({ requirement, status }) => [requirement, status])).toEqual(
    ["4.1", "4.2", "4.3", "4.4", "4.5", "4.6", "4.7", "4.8", "4.9", "4.10"].map((id) => [
      id,
      "satisfied",
    ]),
  );
  expect(assessed.find(({ requirement }) => requirement === "4.3")?.refs).toMatchObject([
    { kind: "record", id: "fo-1", path: "records/fo-1.json", logIndex: 3 },
    { kind: "drill", id: "dr-1", path: "drills/dr-1.json", logIndex: 4 },
  ]);
});

test("without evidence nothing is satisfied but the manifest itself", () => {
  const none = evidence({ records: [], drills: [], parity: [] });
  const status = Object.fromEntries(assess(none).map((each) => [each.requirement, each.status]));
  expect(status).toEqual({
    ...{ "4.1": "satisfied", "4.7": "not_satisfied" },
    ...Object.fromEntries(
      ["4.2", "4.3", "4.4", "4.5", "4.6", "4.8", "4.9", "4.10"].map((id) => [id, "no_evidence"]),
    ),
  });
});

const failed = record().answers.map((each) => ({ ...each, verdict: "inconclusive" as const }));

test.each<[RequirementId, string, Partial<Evidence>, RegExp]>([
  [
    "4.2",
    "resumed before it was validated",
    { records: [record({ validation_ended: "2026-05-01T10:00:24.000Z" })] },
    /resumed at .*:23/,
  ],
  [
    "4.2",
    "resumed without validation",
    { records: [record({ validation_ended: null })] },
    /validated never/,
  ],
  [
    "4.3",
    "resumed with a component that has not passed",
    { records: [record({ answers: failed })] },
    /fo-1: audit/,
  ],
  [
    "4.4",
    "resumed although records were lost",
    {
      records: [
        record({ watermark: [{ of: "ledger/fra", witnessed: "10", observed: "9", lost: true }] }),
      ],
    },
    /ledger\/fra/,
  ],
  [
    "4.5",
    "resumed where residency denies",
    { records: [record({ residency: [{ data_class: "phi", decision: "deny", basis: "US" }] })] },
    /phi/,
  ],
  ["4.6", "never closed", { records: [record({ closed: null, outcome: null })] }, /never closed/],
  ["4.6", "no cause", { records: [record({ cause: "" })] }, /trigger cause/],
  ["4.7", "no drill", { drills: [] }, /every 90 days/],
  [
    "4.7",
    "an inconclusive drill only",
    { drills: [journal("dr-1", "inconclusive")] },
    /every 90 days/,
  ],
  ["4.7", "a drill that is overdue", { asOf: "2026-09-01T00:00:00.000Z" }, /dr-1/],
  ["4.3", "a drill that failed", { drills: [journal("dr-1", "fail")] }, /the gate stayed open/],
  [
    "4.8",
    "a target that drifted",
    {
      parity: [
        { site: "dub", compared: "2026-05-03T10:00:00.000Z", equal: false, drifted: ["bundle"] },
      ],
    },
    /bundle/,
  ],
  ["4.9", "over its objective", { records: [record({ grt_ms: 60_001 })] }, /60001 ms/],
  ["4.9", "not measured", { records: [record({ grt_ms: null })] }, /fo-1/],
  [
    "4.10",
    "remediation over its budget",
    {
      records: [
        record({
          remediation: [
            { component: "audit", attempt: 1, result: "done", detail: "", took_ms: 15_001 },
          ],
        }),
      ],
    },
    /15001 ms/,
  ],
])("AG-403 %s is not satisfied: %s", (id, _, change, description) => {
  const found = statusOf(evidence(change), id);
  expect(found?.status).toBe("not_satisfied");
  expect(found?.weaknesses.map((each) => each.description).join()).toMatch(description);
});

test("a site that stayed blocked breaks nothing, and a newer passing drill heals a failed one", () => {
  const blocked = record({
    answers: failed,
    outcome: "blocked",
    traffic_resumed: null,
    grt_ms: null,
  });
  expect(statusOf(evidence({ records: [blocked] }), "4.3")?.status).toBe("satisfied");
  const healed = [
    journal("dr-1", "fail"),
    journal("dr-2", "pass", "freeze", "2026-05-03T10:00:00.000Z"),
  ];
  expect(statusOf(evidence({ drills: healed }), "4.3")?.status).toBe("satisfied");
});

test("a denied jurisdiction is no weakness where break-glass was allowed to override it", () => {
  const glass = [
    {
      reason: "r",
      signed_by: ["a", "b"],
      expires: "2026-05-01T11:00:00.000Z",
      overrides: ["residency"],
    },
  ];
  const records = [
    record({
      residency: [{ data_class: "phi", decision: "deny", basis: "US" }],
      break_glass: glass,
    }),
  ];
  expect(statusOf(evidence({ records }), "4.5")?.status).toBe("not_satisfied");
  const allowing = {
    ...manifest,
    break_glass: { ...manifest.break_glass, overrides_residency: true },
  };
  expect(statusOf(evidence({ records, manifest: allowing }), "4.5")?.status).toBe("satisfied");
});

const ownership = {
  owners: { default: "sre@example.com", "4.7": "drills@example.com" },
  dueDays: 30,
};
const weak = evidence({
  records: [record({ grt_ms: null, answers: failed })],
  drills: [journal("dr-1", "fail")],
  asOf: "2026-09-01T00:00:00.000Z",
});

test("OSCAL: both documents are well-formed and deterministic", () => {
  for (const of of [evidence(), weak, evidence({ records: [], drills: [], parity: [] })]) {
    const results = assessmentResults(of, assess(of), ownership);
    expect(oscalProblems(results)).toEqual([]);
    expect(canonicalJson(assessmentResults(of, assess(of), ownership))).toBe(
      canonicalJson(results),
    );
    const plan = planOfAction(of, assess(of), ownership);
    if (plan !== undefined) expect(oscalProblems(plan)).toEqual([]);
  }
});

test("the plan of action has an owner and a due date for each weakness; without weakness there is no plan", () => {
  expect(planOfAction(evidence(), assess(evidence()), ownership)).toBeUndefined();
  const plan = planOfAction(weak, assess(weak), ownership);
  const root = plan?.["plan-of-action-and-milestones"] as JsonObject;
  const items = root["poam-items"] as JsonObject[];
  expect(items).toHaveLength(assess(weak).flatMap(({ weaknesses }) => weaknesses).length);
  const values = items.map(({ props }) => (props as JsonObject[]).map(({ value }) => value));
  expect(values).toContainEqual(["sre@example.com", "2026-05-31T10:00:24.000Z", "AG-403 4.9"]);
  expect(values).toContainEqual(["drills@example.com", "2026-10-01T00:00:00.000Z", "AG-403 4.7"]);
});

test.each<[string, (results: Record<string, unknown>) => void, RegExp]>([
  [
    "an unknown member",
    (root) => {
      root["extra"] = 1;
    },
    /has no extra/,
  ],
  [
    "a missing member",
    (root) => {
      delete root["metadata"];
    },
    /metadata is missing/,
  ],
  [
    "a UUID of another version",
    (root) => {
      root["uuid"] = "00000000-0000-1000-8000-000000000000";
    },
    /no UUID/,
  ],
  [
    "an empty list",
    (root) => {
      root["results"] = [];
    },
    /no list with members/,
  ],
  [
    "a dangling reference",
    (root) => {
      (root["import-ap"] as Record<string, unknown>)["href"] = "#x";
    },
    /nothing here is x/,
  ],
])("the structural check finds %s", (_, spoil, message) => {
  const results = structuredClone(assessmentResults(weak, assess(weak), ownership));
  spoil(results["assessment-results"] as unknown as Record<string, unknown>);
  expect(oscalProblems(results).join()).toMatch(message);
});

test("UUIDs are of version 5, and their parts are kept apart", () => {
  expect(uuidOf("a", "bc")).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-/);
  expect(uuidOf("a", "bc")).not.toBe(uuidOf("ab", "c"));
});
