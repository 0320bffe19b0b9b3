/** Counters of OTLP that come one export at a time, from several replicas. */
import { expect, test } from "vitest";
import { batchesOf, type Telling, usualTelling } from "../../../../src/adapters/sources/index.ts";
import { file, of } from "./telling.ts";

const attribute = (key: string, value: string) => ({ key, value: { stringValue: value } });

/** A counter of jobs done, as it stood so many seconds after the start. */
const counted = (seconds: number, value: number, replica = "a") => ({
  resourceMetrics: [
    {
      resource: {
        attributes: [attribute("service.name", "cart"), attribute("service.instance.id", replica)],
      },
      scopeMetrics: [{ metrics: [{ name: "jobs", sum: sumOf(seconds, value) }] }],
    },
  ],
});

const sumOf = (seconds: number, value: number) => ({
  ...{ isMonotonic: true, aggregationTemporality: 2 },
  dataPoints: [
    { startTimeUnixNano: "0", timeUnixNano: `${seconds}000000000`, asInt: String(value) },
  ],
});

/** Seconds and rate. */
function pointsIn(bodies: readonly object[], telling?: Telling): readonly (readonly number[])[] {
  const files = bodies.map((body, index) => file(`${index}.json`, body));
  const { batches } = batchesOf(files, undefined, telling);
  return of(
    "series",
    batches.flatMap(({ events }) => events),
  ).flatMap(({ points }) => points.map(([when, value]) => [when / 1_000, value]));
}

test("replicas of one service count each for itself", () => {
  const bodies = [counted(1, 500, "a"), counted(2, 7, "b"), counted(11, 520, "a")];
  expect(pointsIn([...bodies, counted(12, 17, "b")])).toEqual([
    [11, 2],
    [12, 1],
  ]);
});

test("one export at a time, a counter goes on where it was; what came before or twice says nothing new", () => {
  const telling = { ...usualTelling, lastSamples: new Map() };
  expect(pointsIn([counted(10, 100)], telling)).toEqual([]);
  expect(pointsIn([counted(20, 130)], telling)).toEqual([[20, 3]]);
  expect(pointsIn([counted(20, 130)], telling)).toEqual([]);
  expect(pointsIn([counted(15, 120)], telling)).toEqual([]);
  expect(pointsIn([counted(30, 140)], telling)).toEqual([[30, 1]]);
});
