/** When trouble began, by whatever told it first. */
import { expect, test } from "vitest";
import { defaultSettings } from "../../../../../src/model/index.ts";
import { troubleOf } from "../../../../../src/model/why/changes/trouble.ts";
import { viewOf } from "../../../../../src/model/why/view.ts";
import { change } from "../../../../fixtures/model-events.ts";
import { log, series, service, symptomAt } from "../signals/shop.ts";

const minuteMs = 60_000;
const front = service("front");
const deployed = change(symptomAt - 3 * minuteMs, "d1", [front]);
/** It leaves its past only when the question is asked. */
const late = series(front, "memory", 0.2, [0.9, 0.9, 0.9]);
const failing = log(-2, "front", "cart answered 500", 20, { severity: "error" });

const onsetOf = (...events: Parameters<typeof viewOf>[0][]) => {
  const symptom = { at: symptomAt, node: front, signal: "errors" } as const;
  const knownAt = Number.POSITIVE_INFINITY;
  const view = viewOf(
    events.flatMap((each) => [...each]),
    { at: symptomAt, knownAt },
  );
  return troubleOf({ symptom, view, settings: defaultSettings })?.onsetAt;
};

test("errors that were never said before date it, though a measurement leaves its past later", () => {
  expect(onsetOf([deployed, late])).toBe(symptomAt);
  expect(onsetOf([deployed, late, failing])).toBe(symptomAt - 2 * minuteMs);
  expect(onsetOf([deployed, failing])).toBe(symptomAt - 2 * minuteMs);
});
