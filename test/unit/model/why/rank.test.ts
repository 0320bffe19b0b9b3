/** Reasons of several sources become one list. */
import { expect, test } from "vitest";
import type { Finding } from "../../../../src/model/why/finding.ts";
import { rank } from "../../../../src/model/why/rank.ts";

const place: Finding = {
  ...{ node: "service:payments", kind: "code.exception", weight: 9, onsetAt: 1, evidence: [] },
};
const explaining = (kind: Finding["kind"], weight: number): Finding => ({
  ...{ node: "external:unknown", kind, weight, onsetAt: 1, evidence: [] },
  explains: ["service:payments"],
});
const causes = (...findings: Finding[]) =>
  rank([{ findings }]).causes.map(({ node, confidence }) => [node, confidence] as const);

test("what a likely cause accounts for is no cause of its own", () => {
  expect(causes(place, explaining("external.provider", 3)).map(([node]) => node)).toEqual([
    "external:unknown",
  ]);
  expect(causes(place, explaining("external.provider", 1))[0]?.[0]).toBe("service:payments");
});

test("what came is not known: the place that is seen stays first, and is not sure", () => {
  const [[node, confidence] = [], other] = causes(place, explaining("external.unknown", 3));
  expect(node).toBe("service:payments");
  expect(confidence).toBeGreaterThan(0.5);
  expect(confidence).toBeLessThan(0.8);
  expect(other?.[0]).toBe("external:unknown");
});
