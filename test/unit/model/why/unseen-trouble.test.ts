/** A deploy is no cause while nothing but the question says that there is trouble. */
import { expect, test } from "vitest";
import { type LogTemplate, why } from "../../../../src/model/index.ts";
import { change, edge, origin } from "../../../fixtures/model-events.ts";

const at = Date.UTC(2026, 4, 4);
const symptom = { at, node: "service:cart", signal: "errors" } as const;
const deployed = [
  edge(at - 60_000, "service:web", "service:cart"),
  change(at - 60_000, "d1", ["service:cart"]),
];

const line: LogTemplate = {
  ...{ type: "log", id: "line", at: at - 30_000, knownAt: at, origin, node: "service:cart" },
  ...{ severity: "error", template: "no pool <*>", example: "no pool 7", entry: "" },
  ...{ untilAt: at, count: 30 },
};

test("alone, it is not enough to name a cause", () => {
  const answer = why(deployed, symptom);
  expect(answer.verdict).toBe("insufficient");
  expect(answer.causes[0]?.confidence).toBeLessThan(0.25);
});

test("with an error that was never said before, it is named", () => {
  const answer = why([...deployed, line], symptom);
  expect(answer.causes[0]).toMatchObject({ change: "deploy:d1", node: "service:cart" });
  expect(answer.verdict).toBe("cause");
});
