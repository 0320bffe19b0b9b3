/** What is around a node as a picture: declared and seen kept apart, the rest counted, the moment named. */
import { expect, test } from "vitest";
import {
  type EdgeFact,
  Graph,
  type ModelEvent,
  pictureOfView,
} from "../../../../src/model/index.ts";

const at = Date.UTC(2026, 0, 1);
const origin = { source: "test", reference: "1" };
const edge = (from: string, to: string, basis: EdgeFact["basis"]): ModelEvent => ({
  ...{ type: "edge", id: `${from} ${to} ${basis}`, at, knownAt: at, origin },
  ...{ from: `service:${from}`, to: `service:${to}`, kind: "calls", basis },
});

function around(events: readonly ModelEvent[], countMax = 40) {
  const graph = new Graph();
  graph.add(events);
  return pictureOfView(graph.asOf(at + 1, at + 1), "service:a", { depth: 2, countMax });
}

const events = [
  edge("a", "b", "declared"),
  edge("a", "b", "observed"),
  edge("b", "c", "declared"),
  edge("x", "a", "observed"),
  edge("c", "far", "observed"),
];

test("callers and callees two edges away, each edge once, and what was only declared says so", () => {
  const picture = around(events);
  expect(picture.nodes.map(({ id }) => id).sort()).toEqual(
    ["a", "b", "c", "x"].map((name) => `service:${name}`),
  );
  expect(picture.edges.map(({ from, to, note }) => [from, to, note])).toEqual([
    ["service:a", "service:b", ""],
    ["service:b", "service:c", "declared, not seen"],
    ["service:x", "service:a", ""],
  ]);
  expect(picture.moment).toMatch(/^as of 2026-01-01T00:00:00.001Z, by what was known at/);
});

test("what is left out is counted, and no edge leads to it", () => {
  const picture = around(events, 2);
  expect(picture.nodes).toHaveLength(2);
  expect(picture.omitted).toBe(2);
  expect(picture.edges).toHaveLength(1);
});

test("a node of which nothing is known stands alone", () => {
  expect(around([])).toMatchObject({ nodes: [{ id: "service:a" }], edges: [], omitted: 0 });
});
