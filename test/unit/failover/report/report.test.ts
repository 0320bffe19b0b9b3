/** Reports by regulation: each line with the evidence behind it, and plainly what is not covered. */
import { expect, test } from "vitest";
import {
  grtPlot,
  regulationIds,
  regulations,
  reportMarkdown,
  reportOf,
  reportPage,
} from "../../../../src/failover/report/index.ts";
import { manifest } from "../drill/experiments.ts";
import { evidence, journal, record } from "../evidence/evidence.ts";

test("every regulation of the list is there, and every line says what it does not cover", () => {
  expect(regulationIds).toEqual([
    ...["eu-ai-act", "sox-404", "fca-sysc-15a", "nist-ai-rmf", "iso-42001", "dora", "gdpr-44"],
    ...["hipaa", "iec-61508"],
  ]);
  for (const { lines } of regulations)
    for (const each of lines) expect(each.notCovered).not.toBe("");
});

const lineOf = (id: string, clause: string, of = evidence()) =>
  reportOf(of, [id]).regulations[0]?.lines.find((each) => each.clause === clause);

test("a line names its evidence: records with their log index, and drill journals", () => {
  const line = lineOf("dora", "Article 11(6)");
  expect(line?.status).toBe("supported");
  expect(line?.components).toEqual(["audit"]);
  expect(line?.evidence).toMatchObject([
    { kind: "record", id: "fo-1", logIndex: 3, path: "records/fo-1.json" },
    { kind: "drill", id: "dr-1", logIndex: 4, path: "drills/dr-1.json" },
  ]);
});

test("one weakness contradicts a line; silence is no support", () => {
  const failed = evidence({ drills: [journal("dr-1", "fail")] });
  expect(lineOf("dora", "Article 11(6)", failed)).toMatchObject({
    status: "contradicted",
    weaknesses: ["The drill freeze failed (the gate stayed open)"],
  });
  const silent = evidence({ records: [] });
  expect(lineOf("gdpr-44", "Article 44", silent)?.status).toBe("no_evidence");
  expect(lineOf("sox-404", "Section 404(b), 15 U.S.C. 7262(b)")?.status).toBe("no_evidence");
});

test("IEC 61508 applies only under its profile", () => {
  const [none] = reportOf(evidence(), ["iec-61508"]).regulations;
  expect(none).toMatchObject({ lines: [], not_applicable: /critical_infrastructure/ });
  const profiles = ["critical_infrastructure"] as const;
  const [some] = reportOf(evidence({ manifest: { ...manifest, profiles } }), [
    "iec-61508",
  ]).regulations;
  expect(some?.lines).toHaveLength(1);
});

test("impact tolerances: declared beside the worst that was measured", () => {
  const records = [record(), record({ failover: "fo-2", grt_ms: 61_000 })];
  expect(reportOf(evidence({ records }), []).tolerances).toMatchObject([
    { name: "governance_recovery", declared: 60, worst: 61, within: false },
    { name: "application_recovery", declared: 30, worst: 21, within: true },
    { name: "remediation", declared: 15, worst: 0.4, within: true },
    { name: "drill_interval", declared: 90, worst: null, within: null },
  ]);
});

test("what stands in evidence is text, never markup", () => {
  const cause = "<script>alert(1)</script> [x](javascript:1) | **b**";
  const drills = [{ ...journal("dr-1", "fail") }];
  const spoiled = drills.map((each) => ({
    ...each,
    holdfast: { ...each.holdfast, because: [cause] },
  }));
  const report = reportOf(evidence({ drills: spoiled }), regulationIds);
  expect(reportPage(report)).not.toContain("<script>");
  expect(reportMarkdown(report)).not.toMatch(/(?<!\\)\[x\]|(?<!\\)<script/);
});

test("the plot says in words what it shows, late recoveries by shape too, and nothing when there is nothing", () => {
  const points = reportOf(
    evidence({
      records: [
        record(),
        record({ failover: "fo-2", initiated: "2026-05-02T10:00:00.000Z", grt_ms: 61_000 }),
      ],
    }),
    [],
  ).grt;
  const svg = grtPlot(points);
  expect(svg).toContain("2 of 2 failovers measured; 1 took longer than the objective.");
  expect(svg.match(/class="good"/g)).toHaveLength(1);
  expect(svg.match(/class="bad"/g)).toHaveLength(1);
  expect(grtPlot([])).toContain("No governance recovery was measured yet.");
});
