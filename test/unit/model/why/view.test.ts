/** Events as a question sees them. */
import { expect, test } from "vitest";
import type { ModelEvent, Series } from "../../../../src/model/index.ts";
import { viewOf } from "../../../../src/model/why/view.ts";

const origin = { source: "test", reference: "made up" };
const asked = { at: 100, knownAt: Number.POSITIVE_INFINITY };
let next = 0;
const told = (at: number) => ({ id: `e${next++}`, at, knownAt: at, origin });

function spec(at: number, image: string): ModelEvent {
  return { type: "node", ...told(at), node: "workload:w", aspect: "spec", value: { image } };
}

test("what was repaired after the symptom is as it was when it hurt", () => {
  const view = viewOf([spec(10, "good"), spec(90, "bad"), spec(150, "good")], asked);
  expect(view.of("node").map(({ value }) => value)).toEqual([{ image: "good" }, { image: "bad" }]);
});

test("what people first looked at after the symptom is taken as it was then", () => {
  const view = viewOf([spec(150, "bad"), spec(200, "good")], asked);
  expect(view.of("node").map(({ value }) => value)).toEqual([{ image: "bad" }]);
});

test("an edge is there once, as it was last told, unless that was its end", () => {
  const edge = (at: number, to: string, gone?: true): ModelEvent => ({
    ...{ type: "edge", ...told(at), from: "service:a", to, kind: "calls", basis: "declared" },
    ...(gone === undefined ? {} : { gone }),
  });
  const view = viewOf(
    [
      ...[edge(1, "service:b"), edge(2, "service:b"), edge(1, "service:c")],
      ...[edge(50, "service:c", true), edge(1, "service:d"), edge(150, "service:d", true)],
    ],
    asked,
  );
  expect(view.of("edge").map(({ at, to }) => [at, to])).toEqual([
    [1, "service:d"],
    [2, "service:b"],
  ]);
});

test("measurements that came one by one are one series; the later word on a moment counts", () => {
  const piece = (at: number, value: number, knownAt = at): Series => ({
    ...{ type: "series", id: `s${next++}`, at, knownAt, origin, node: "service:a" },
    ...{ signal: "latency", name: "mean", points: [[at, value]] },
  });
  const other = { ...piece(3, 7), name: "p99" };
  const view = viewOf([piece(2, 20), other, piece(1, 10, 9), piece(1, 11, 5), piece(3, 30)], asked);
  expect(view.of("series").map(({ points }) => points)).toEqual([
    [
      [1, 10],
      [2, 20],
      [3, 30],
    ],
    [[3, 7]],
  ]);
});
