/** Moments leave the program as text, wherever they stand; what others wrote does not change. */
import { expect, test } from "vitest";
import { timesAsText } from "../../../../src/cli/model/times-as-text.ts";

const ms = Date.UTC(2026, 4, 4, 10, 12);
const text = "2026-05-04T10:12:00.000Z";

test.each<[object, object]>([
  [{ symptom: { at: ms } }, { symptom: { at: text } }],
  [
    { causes: [{ onsetAt: ms, evidence: [{ onsetAt: ms + 0.5, weight: 3 }] }, { onsetAt: null }] },
    { causes: [{ onsetAt: text, evidence: [{ onsetAt: text, weight: 3 }] }, { onsetAt: null }] },
  ],
  [{ newestTelemetryAt: ms }, { newestTelemetryAt: text }],
  [
    { outcome: { at: ms }, share: { value: 0.5 } },
    { outcome: { at: text }, share: { value: 0.5 } },
  ],
  [{ resolvedAt: Number.POSITIVE_INFINITY, count: 2 }, { count: 2 }],
  [{ value: { at: 5 } }, { value: { at: 5 } }],
])("%j is told as %j", (value, told) => {
  expect(timesAsText(value)).toEqual(told);
});
