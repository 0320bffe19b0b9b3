/** Who sent telemetry is told when it is news: the model grows with what changes in production, not with its traffic. */
import { expect, test } from "vitest";
import { sources, type Telling, usualTelling } from "../../../../src/adapters/sources/index.ts";
import type { JsonObject } from "../../../../src/kernel/index.ts";
import { receivedAt } from "./telling.ts";

const startAt = Date.parse("2026-05-04T10:00:00Z");
const secondMs = 1_000;
const minuteMs = 60 * secondMs;
const otlp = sources.find(({ name }) => name === "otlp");

function request(whenMs: number, version: string): JsonObject {
  const attribute = (key: string, value: string) => ({ key, value: { stringValue: value } });
  const attributes = [
    attribute("service.name", "cart"),
    attribute("service.version", version),
    attribute("k8s.namespace.name", "shop"),
    attribute("k8s.deployment.name", "cart"),
    attribute("k8s.node.name", "n1"),
  ];
  const line = { timeUnixNano: `${startAt + whenMs}000000`, body: { stringValue: "hello" } };
  return {
    resourceLogs: [{ resource: { attributes }, scopeLogs: [{ logRecords: [line] }] }],
  };
}

/** Facts and edges of requests, as `+seconds what`. */
function told(requests: readonly JsonObject[], telling: Telling = usualTelling): readonly string[] {
  const documents = requests.map((value, index) => ({
    ...{ reference: `t.json:${index + 1}`, value, receivedAt },
  }));
  const read = otlp?.tell(documents, telling);
  if (read?.ok !== true) throw new Error("refused");
  return read.value.events.flatMap((event) => {
    const since = `+${(event.at - startAt) / secondMs}`;
    if (event.type === "node") return [`${since} ${JSON.stringify(event.value)}`];
    return event.type === "edge" ? [`${since} ${event.kind}`] : [];
  });
}

const every = (stepMs: number, fromMs: number, untilMs: number): readonly number[] =>
  Array.from(
    { length: Math.ceil((untilMs - fromMs) / stepMs) },
    (_, index) => fromMs + index * stepMs,
  );

test("the same again says nothing new, and every ten minutes that it is still so", () => {
  const requests = every(secondMs, 0, 20 * minuteMs).map((when) => request(when, "1"));
  expect(
    [told(requests).slice(0, 3).toSorted(), told(requests).slice(3).toSorted()].flat(),
  ).toEqual([
    ...['+0 {"version":"1"}', "+0 part_of", "+0 runs_on"].toSorted(),
    ...['+600 {"version":"1"}', "+600 part_of", "+600 runs_on"].toSorted(),
  ]);
});

test("a new version is told at once, in whatever order it comes", () => {
  const requests = every(5 * secondMs, 0, 9 * minuteMs).map((when) =>
    request(when, when < 5 * minuteMs ? "1" : "2"),
  );
  const versions = (all: readonly JsonObject[]) =>
    told(all).filter((each) => each.includes("version"));
  expect(versions(requests)).toEqual(['+0 {"version":"1"}', '+300 {"version":"2"}']);
  expect(versions(requests.toReversed())).toEqual(versions(requests));
});

test("two versions beside each other are told once a minute each, so that the one that stays is known", () => {
  const both = every(secondMs, 0, 5 * minuteMs).map((when, index) =>
    request(when, index % 2 === 0 ? "1" : "2"),
  );
  const back = every(secondMs, 5 * minuteMs, 8 * minuteMs).map((when) => request(when, "1"));
  const versions = told([...both, ...back]).filter((each) => each.includes("version"));
  expect(versions.length).toBeLessThanOrEqual(12);
  expect(versions.at(-1)).toMatch(/"1"/);
});

test("what was told in one request is known in the next", () => {
  const telling = { ...usualTelling, lastSenders: new Map() };
  expect(told([request(0, "1")], telling)).toHaveLength(3);
  expect(told([request(15 * secondMs, "1")], telling)).toEqual([]);
  expect(told([request(30 * secondMs, "2")], telling)).toEqual(['+30 {"version":"2"}']);
});

test("of measurements, it is so when they were taken, not when their counter or the file began", () => {
  const point = {
    startTimeUnixNano: `${startAt - 5 * minuteMs}000000`,
    timeUnixNano: `${startAt + minuteMs}000000`,
    asInt: "1",
  };
  const [attributes] = (request(0, "1")["resourceLogs"] as never[]).map(
    (each) => (each as { resource: { attributes: [] } }).resource.attributes,
  );
  const metrics = [{ name: "jobs", sum: { isMonotonic: true, dataPoints: [point] } }];
  const value = {
    resourceMetrics: [{ resource: { attributes: attributes ?? [] }, scopeMetrics: [{ metrics }] }],
  };
  expect(told([value])).toContain('+60 {"version":"1"}');
});
