/** Telemetry is counted by windows of the length that is asked for. */
import { expect, test } from "vitest";
import { batchesOf, type SourceFile } from "../../../../src/adapters/sources/index.ts";
import type { Traffic } from "../../../../src/model/index.ts";

const at = Date.UTC(2026, 4, 4);

const spans = [0, 1_000, 5_000].map((offset, i) => ({
  traceId: `${i + 1}`.padStart(32, "0"),
  spanId: `${i + 1}`.padStart(16, "0"),
  ...{ name: "GET /", kind: 2 },
  startTimeUnixNano: `${BigInt(at + offset) * 1_000_000n}`,
  endTimeUnixNano: `${BigInt(at + offset + 10) * 1_000_000n}`,
}));
const resource = { attributes: [{ key: "service.name", value: { stringValue: "front" } }] };
const file: SourceFile = {
  path: "traces.json",
  bytes: Buffer.from(JSON.stringify({ resourceSpans: [{ resource, scopeSpans: [{ spans }] }] })),
  modifiedAtMs: at + 60_000,
};

function told(windowMs?: number) {
  const telling = windowMs === undefined ? undefined : { windowMs };
  const { batches } = batchesOf([file], undefined, telling);
  const events = batches.flatMap((batch) => batch.events);
  const traffic = events.filter((event): event is Traffic => event.type === "traffic");
  return { ids: batches.map(({ id }) => id), counts: traffic.map(({ count }) => count) };
}

test("by minutes unless asked otherwise; another window is another batch of the same file", () => {
  expect(told().counts).toEqual([3]);
  expect(told(2_000).counts.sort()).toEqual([1, 2]);
  expect(told(60_000).ids).toEqual(told().ids);
  expect(told(2_000).ids).not.toEqual(told().ids);
});
