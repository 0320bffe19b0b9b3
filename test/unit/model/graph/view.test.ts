/** What the graph answers about a small shop. */
import { describe, expect, test } from "vitest";
import { allKnown, Graph, type ModelEvent } from "../../../../src/model/index.ts";
import { change, edge, fact, origin, traffic } from "../../../fixtures/model-events.ts";

const graphOf = (...events: ModelEvent[]): Graph => {
  const graph = new Graph();
  graph.add(events);
  return graph;
};

const web = "service:web";
const cart = "service:cart";
const redis = "database:redis";

describe("neighbours", () => {
  const graph = graphOf(
    edge(1, web, cart),
    edge(1, cart, redis, { kind: "depends_on" }),
    edge(5, web, redis, { kind: "depends_on" }),
    traffic(3, web, cart),
  );
  const far = (id: string, at: number, direction: "in" | "out", depth: number) =>
    graph
      .asOf(at)
      .neighbours(id, { direction, depth })
      .map(({ node, distance }) => `${node} ${distance}`);

  test("are found in each direction, nearest first, by the edges of that time", () => {
    expect(far(web, 4, "out", 1)).toEqual([`${cart} 1`]);
    expect(far(web, 4, "out", 2)).toEqual([`${cart} 1`, `${redis} 2`]);
    expect(far(web, 5, "out", 2)).toEqual([`${redis} 1`, `${cart} 1`]);
    expect(far(redis, 4, "in", 9)).toEqual([`${cart} 1`, `${web} 2`]);
    expect(far(web, 0, "out", 9)).toEqual([]);
    expect(far("service:unheard-of", 9, "out", 9)).toEqual([]);
  });

  test("are narrowed by kind and by basis", () => {
    const view = graph.asOf(9);
    expect(view.neighbours(web, { direction: "out", kinds: ["calls"], depth: 5 })).toHaveLength(1);
    const seen = view.neighbours(web, { direction: "out", basis: "observed" });
    expect(seen).toEqual([
      { node: cart, distance: 1, from: web, to: cart, kind: "calls", basis: "observed" },
    ]);
    expect(view.edges({ to: cart }).map(({ basis, lastAt }) => [basis, lastAt])).toEqual([
      ["declared", 1],
      ["observed", 63],
    ]);
  });

  test("a cycle ends", () => {
    const round = graphOf(edge(1, web, cart), edge(1, cart, web));
    expect(round.latest().neighbours(web, { direction: "both", depth: 99 })).toHaveLength(1);
  });
});

describe("what is gone", () => {
  const graph = graphOf(
    fact(1, cart, "spec", { v: 1 }),
    fact(1, cart, "contract", { owner: "a" }),
    edge(1, web, cart),
    fact(5, cart, "spec", null),
    fact(8, cart, "spec", { v: 2 }),
    edge(8, web, cart),
    edge(2, web, redis),
    edge(4, web, redis, { gone: true }),
  );

  test("a node takes its aspects and edges with it, and comes back without the old ones", () => {
    expect([...(graph.asOf(4).node(cart)?.aspects.keys() ?? [])]).toEqual(["contract", "spec"]);
    expect(graph.asOf(4).edges({ to: cart })).toHaveLength(1);
    expect(graph.asOf(6).node(cart)).toBeUndefined();
    expect(graph.asOf(6).edges({ to: cart })).toEqual([]);
    expect(graph.asOf(6).nodes()).not.toContain(cart);
    expect([...(graph.asOf(9).node(cart)?.aspects.keys() ?? [])]).toEqual(["spec"]);
    expect(graph.asOf(9).edges({ to: cart })).toHaveLength(1);
  });

  test("an edge that is gone is gone from its time on", () => {
    const there = [1, 2, 4].map((at) => graph.asOf(at).edges({ to: redis }).length);
    expect(there).toEqual([0, 1, 0]);
  });

  test("a measurement of what is gone does not bring it back; traffic to it does", () => {
    const late = graphOf(
      fact(1, cart, "spec", { v: 1 }),
      fact(5, cart, "spec", null),
      {
        ...change(6, "x", []),
        type: "series",
        node: cart,
        signal: "cpu",
        name: "cpu",
        points: [[6, 1]],
      },
      traffic(9, web, cart),
    );
    expect(late.asOf(7).node(cart)).toBeUndefined();
    expect(late.asOf(9).node(cart)?.id).toBe(cart);
  });
});

describe("versions", () => {
  const alert = (at: number, resolvedAt: number): ModelEvent => ({
    ...change(at, "alert", []),
    type: "alert",
    node: cart,
    signal: "errors",
    title: "errors",
    resolvedAt,
  });
  const graph = graphOf(
    fact(1, cart, "spec", { image: "1" }),
    fact(2, cart, "spec", { image: "1" }),
    fact(10, cart, "spec", { image: "2" }),
    alert(12, 25),
    fact(20, cart, "spec", { image: "3" }),
  );

  test("are what differs, with the time each was in force", () => {
    const found = graph.asOf(30).versions(cart, "spec");
    expect(found.map(({ value, fromAt, untilAt }) => [value, fromAt, untilAt])).toEqual([
      [{ image: "1" }, 1, 10],
      [{ image: "2" }, 10, 20],
      [{ image: "3" }, 20, null],
    ]);
  });

  test("the last known good one ended without an open alert", () => {
    const view = graph.asOf(30);
    expect(view.lastKnownGood(cart, "spec", 30)?.value).toEqual({ image: "1" });
    expect(view.lastKnownGood(cart, "spec", 30, () => true)?.value).toEqual({ image: "2" });
    expect(view.lastKnownGood(cart, "spec", 9)).toBeUndefined();
    expect(view.lastKnownGood("service:x", "spec", 9)).toBeUndefined();
  });
});

test("contracts: what is declared and unseen, seen and undeclared, or both", () => {
  const view = graphOf(
    edge(1, web, cart),
    edge(1, web, redis, { kind: "depends_on" }),
    edge(1, cart, "service:mail"),
    traffic(2, web, cart),
    traffic(2, web, "service:ads"),
    traffic(2, null, web),
    traffic(2, web, web),
  ).latest();
  expect(
    view
      .contracts()
      .map(({ from, to, status, isCallerWatched }) => [from, to, status, isCallerWatched]),
  ).toEqual([
    [cart, "service:mail", "unseen", false],
    [web, redis, "unseen", true],
    [web, "service:ads", "undeclared", true],
    [web, cart, "kept", true],
  ]);
});

/** One event of every other kind, about the cart. */
function sample(): Graph {
  const common = { knownAt: 9, origin };
  return graphOf(
    change(3, "d1", [cart]),
    change(7, "d2", [web]),
    traffic(3, web, cart),
    traffic(4, null, web),
    {
      ...common,
      type: "series",
      id: "s",
      at: 1,
      node: cart,
      signal: "cpu",
      name: "cpu",
      points: [
        [1, 0.1],
        [5, 0.9],
      ],
    },
    {
      ...common,
      type: "log",
      id: "l",
      at: 4,
      node: cart,
      severity: "error",
      template: "no <*>",
      example: "no a",
      entry: "",
      untilAt: 6,
      count: 2,
    },
    {
      ...common,
      type: "condition",
      id: "c",
      at: 2,
      untilAt: 8,
      node: cart,
      name: "BackOff",
      status: "true",
      message: "m",
      count: 3,
    },
    { ...common, type: "alert", id: "a", at: 4, node: cart, signal: "errors", title: "t" },
    {
      ...common,
      type: "alert",
      id: "a2",
      knownAt: 10,
      at: 4,
      node: cart,
      signal: "errors",
      title: "t",
      resolvedAt: 6,
    },
    {
      ...common,
      type: "action",
      id: "x",
      at: 5,
      call: "c",
      phase: "executed",
      agent: "agent:bot",
      tool: "tool:k:scale",
      targets: [cart],
      detail: {},
    },
  );
}

test("a condition that nothing ends holds until the next of its name", () => {
  const condition = (at: number, status: "true" | "false"): ModelEvent => ({
    ...{ type: "condition", id: `c${at}`, at, knownAt: at, origin, node: cart, name: "Ready" },
    ...{ status, message: "" },
  });
  const view = graphOf(condition(1, "true"), condition(5, "false")).latest();
  const held = (fromAt: number, toAt: number) =>
    view.conditions({ fromAt, toAt }, cart).map(({ at }) => at);
  expect(held(2, 3)).toEqual([1]);
  expect(held(4, 9)).toEqual([1, 5]);
  expect(held(6, 9)).toEqual([5]);
});

test("changes, traffic, series, logs, conditions, alerts and actions are found by node and time", () => {
  const graph = sample();
  const view = graph.asOf(8, allKnown);
  expect(view.changes({ fromAt: 3, toAt: 7 }).map(({ title }) => title)).toEqual(["d1"]);
  expect(view.changes({}, { node: cart })).toHaveLength(1);
  expect(view.changes({}, { kinds: ["flag"] })).toEqual([]);
  expect(view.traffic({}, { callee: cart })).toHaveLength(1);
  expect(view.traffic({ fromAt: 4 })).toHaveLength(1);
  expect(view.traffic({}, { caller: web, callee: web })).toEqual([]);
  expect(view.series(cart, { signal: "cpu" })[0]?.points).toHaveLength(2);
  expect(graph.asOf(4, allKnown).series(cart)[0]?.points).toEqual([[1, 0.1]]);
  expect(view.series(cart, { signal: "memory" })).toEqual([]);
  expect(view.logs({ fromAt: 4 }, cart)).toHaveLength(1);
  expect(view.conditions({ fromAt: 8, toAt: 9 }, cart)).toHaveLength(1);
  expect(view.conditions({ fromAt: 9 }, cart)).toEqual([]);
  expect(view.alerts({ fromAt: 5 }, cart).map(({ resolvedAt }) => resolvedAt)).toEqual([6]);
  expect(view.alerts({ fromAt: 7 }, cart)).toEqual([]);
  expect(graph.asOf(8, 9).alerts({ fromAt: 7 }, cart)).toHaveLength(1);
  expect(view.actions({}, "tool:k:scale")).toHaveLength(1);
  expect(view.actions({}, "agent:other")).toEqual([]);
});
