/** The promises of time: order never matters, and the past does not change by what is learned later. */
import fc from "fast-check";
import { expect, test } from "vitest";
import "../../../fixtures/fixed-seed.ts";
import { allKnown, Graph, type ModelEvent, type View } from "../../../../src/model/index.ts";
import { runsOf } from "../../../fixtures/effort.ts";
import { change, edge, fact, origin, traffic } from "../../../fixtures/model-events.ts";

const names = ["service:a", "service:b", "workload:c", "config:d"];
const name = fc.constantFrom(...names);
const time = fc.integer({ min: 0, max: 8 });
/** Few ids, so that the same id comes twice: as the same event, and as another. */
const id = fc.option(fc.constantFrom("x", "y", "z"), { nil: undefined, freq: 4 });
const more = fc
  .record({ id, knownAt: time })
  .map(({ id, knownAt }) => (id === undefined ? { knownAt } : { id, knownAt }));

const event: fc.Arbitrary<ModelEvent> = fc.oneof(
  fc
    .tuple(time, name, fc.constantFrom("spec", "status"), fc.constantFrom(null, 1, 2, 3), more)
    .map(([at, node, aspect, v, m]) => fact(at, node, aspect, v === null ? null : { v }, m)),
  {
    weight: 4,
    arbitrary: fc
      .tuple(time, name, name, fc.nat(3), fc.constantFrom("declared", "observed"), more)
      .map(([at, from, to, one, basis, m]) =>
        edge(at, from, to, { ...m, basis: basis as "declared", ...(one === 0 && { gone: true }) }),
      ),
  },
  fc.tuple(time, fc.option(name), name, more).map(([at, a, b, m]) => traffic(at, a, b, m)),
  fc.tuple(time, name, more).map(([at, target, m]) => change(at, "d1", [target], m)),
  fc.tuple(time, name, fc.option(time), more).map(([at, node, resolvedAt, m]) => ({
    ...change(at, "alert", [], m),
    type: "alert" as const,
    node,
    signal: "latency" as const,
    title: "slow",
    ...(resolvedAt !== null && { resolvedAt }),
  })),
  fc.tuple(time, name, time, more).map(([at, node, untilAt, m]) => ({
    ...change(at, "condition", [], m),
    type: "condition" as const,
    node,
    name: "Ready",
    status: "false" as const,
    message: "",
    untilAt,
  })),
);

/** Everything a view can be asked, as one value. */
function everything(view: View): unknown {
  const at = view.validAt;
  return {
    nodes: view.nodes().map((node) => {
      const seen = view.node(node);
      return [seen, [...(seen?.aspects ?? [])]];
    }),
    versions: names.map((node) => view.versions(node, "spec")),
    good: names.map((node) => view.lastKnownGood(node, "spec", at)),
    edges: view.edges(),
    near: names.map((node) => view.neighbours(node, { direction: "both", depth: 3 })),
    ways: names.map((node) => view.reach([node], { direction: "out", depth: 9 })),
    contracts: view.contracts(),
    changes: [view.changes(), view.changes({ fromAt: 2, toAt: 5 }, { node: "service:a" })],
    traffic: [view.traffic(), view.traffic({}, { caller: "service:a" })],
    alerts: [view.alerts(), view.alerts({ fromAt: 3, toAt: 6 }, "service:a")],
    conditions: view.conditions({ fromAt: 3, toAt: 6 }),
  };
}

const moments = Array.from({ length: 10 }, (_, at) => at);
const graphOf = (events: readonly ModelEvent[]): Graph => {
  const graph = new Graph();
  graph.add(events);
  return graph;
};

test("any order, and any number of repetitions, gives the same graph at every moment", () => {
  const shuffled = fc
    .array(event, { maxLength: 25 })
    .chain((events) =>
      fc.tuple(
        fc.constant(events),
        fc.shuffledSubarray([...events, ...events], { minLength: events.length * 2 }),
      ),
    );
  fc.assert(
    fc.property(shuffled, ([events, others]) => {
      const [graph, other] = [graphOf(events), graphOf([])];
      // One by one, with a question between any two: what is asked leaves no trace.
      for (const each of others) {
        other.add([each]);
        other.latest().nodes();
      }
      for (const validAt of moments)
        for (const knownAt of [2, 5, Number.POSITIVE_INFINITY])
          expect(everything(other.asOf(validAt, knownAt))).toEqual(
            everything(graph.asOf(validAt, knownAt)),
          );
    }),
    { numRuns: runsOf(60) },
  );
});

test("what becomes known after `knownAt` never changes an answer", () => {
  fc.assert(
    fc.property(fc.array(event, { maxLength: 25 }), time, time, (events, validAt, knownAt) => {
      const earlier = graphOf(events.filter((each) => each.knownAt <= knownAt));
      const later = graphOf(events);
      expect(everything(later.asOf(validAt, knownAt))).toEqual(
        everything(earlier.asOf(validAt, knownAt)),
      );
    }),
    { numRuns: runsOf(300) },
  );
});

test("a question about the past that says no more is not changed by what is learned later", () => {
  fc.assert(
    fc.property(fc.array(event, { maxLength: 25 }), time, (events, at) => {
      const then = graphOf(events.filter((each) => each.knownAt <= at));
      expect(everything(graphOf(events).asOf(at))).toEqual(everything(then.asOf(at)));
    }),
    { numRuns: runsOf(300) },
  );
});

test("what becomes true after `validAt` never changes an answer", () => {
  fc.assert(
    fc.property(fc.array(event, { maxLength: 25 }), time, (events, validAt) => {
      const distinct = events.filter(({ id: own }) => own.length > 1);
      const before = graphOf(distinct.filter((each) => each.at <= validAt));
      expect(everything(graphOf(distinct).asOf(validAt, allKnown))).toEqual(
        everything(before.asOf(validAt, allKnown)),
      );
    }),
    { numRuns: runsOf(300) },
  );
});

test("later knowledge corrects the past, and only for those who ask with it", () => {
  const graph = graphOf([
    fact(10, "service:cart", "spec", { image: "1" }, { knownAt: 10 }),
    fact(10, "service:cart", "spec", { image: "2" }, { knownAt: 50 }),
  ]);
  expect(graph.asOf(20, 20).aspect("service:cart", "spec")?.value).toEqual({ image: "1" });
  expect(graph.asOf(20, 60).aspect("service:cart", "spec")?.value).toEqual({ image: "2" });
  expect(graph.asOf(20).aspect("service:cart", "spec")?.value).toEqual({ image: "1" });
  expect(graph.asOf(20, allKnown).aspect("service:cart", "spec")?.value).toEqual({ image: "2" });
  expect(graph.asOf(5).node("service:cart")).toBeUndefined();
});

test("one id is one event: the one that was known first, whichever came first", () => {
  const first = fact(1, "service:a", "spec", { v: 1 }, { id: "e", knownAt: 2 });
  const second = { ...first, value: { v: 2 }, knownAt: 3, origin };
  for (const events of [
    [first, second],
    [second, first],
  ]) {
    const graph = new Graph();
    expect(graph.add(events)).toEqual({ added: 1, repeated: 0, contradicted: ["e"] });
    expect(graph.latest().aspect("service:a", "spec")?.value).toEqual({ v: 1 });
    expect(graph.add([{ ...first, origin: { ...origin } }])).toMatchObject({ repeated: 1 });
  }
});
