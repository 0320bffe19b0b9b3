/** What is forgotten, and what must not be: a fact in force is never too old. */
import fc from "fast-check";
import { expect, test } from "vitest";
import "../../../fixtures/fixed-seed.ts";
import {
  Graph,
  type ModelEvent,
  type Remembrance,
  readableKinds,
  remembranceUnlessGiven,
  retained,
} from "../../../../src/model/index.ts";
import { runsOf } from "../../../fixtures/effort.ts";
import { change, edge, fact, traffic } from "../../../fixtures/model-events.ts";

const keep = (keepMs: number): Remembrance =>
  Object.fromEntries(
    Object.entries(remembranceUnlessGiven).map(([kind, rule]) => [kind, { ...rule, keepMs }]),
  ) as unknown as Remembrance;

const ids = (events: readonly ModelEvent[]) => events.map(({ id }) => id).sort();

test("what is over is forgotten after its days, by its last moment", () => {
  const events = [
    change(10, "old", ["service:a"]),
    change(60, "young", ["service:a"]),
    // Lasts until 99.
    traffic(39, "service:a", "service:b"),
    traffic(5, "service:a", "service:b", { count: 7 }),
  ];
  const kept = retained(events, keep(50), 140);
  expect(ids(kept)).toEqual(ids([events[2] as ModelEvent]));
  const mixed = { ...keep(50), change: { ...keep(50).change, keepMs: 100 } };
  expect(retained(events, mixed, 140)).toHaveLength(2);
});

test("what is not to be remembered is not", () => {
  const rules = { ...keep(50), change: { ...keep(50).change, remember: false } };
  expect(retained([change(10, "c", [])], rules, 10)).toEqual([]);
});

test("a fact in force stays however old; what it replaced goes", () => {
  const events = [
    fact(1, "service:a", "spec", { v: 1 }),
    fact(2, "service:a", "spec", { v: 2 }),
    fact(1, "service:b", "spec", { v: 1 }),
    fact(3, "service:b", "spec", null),
    edge(1, "service:a", "service:b"),
    edge(1, "service:a", "service:c"),
    edge(2, "service:a", "service:c", { gone: true }),
    edge(1, "service:a", "service:d"),
  ];
  const kept = retained(events, keep(50), 1_000);
  expect(ids(kept)).toEqual(ids([events[1], events[7]] as ModelEvent[]));
});

test("a condition in force stays; one that was last seen long ago goes", () => {
  const condition = (at: number, more: object): ModelEvent => ({
    ...change(at, `c${at}`, []),
    ...{ type: "condition", node: "service:a", name: "Ready", status: "true", message: "" },
    ...more,
  });
  const events = [condition(1, {}), condition(2, {}), condition(3, { name: "Oom", untilAt: 4 })];
  expect(retained(events, keep(50), 1_000)).toEqual([events[1]]);
});

test("what is gone is remembered to be gone as long as anything may speak of it", () => {
  const rules = { ...keep(50), node: { ...keep(50).node, keepMs: 10 } };
  const gone = fact(3, "service:b", "spec", null);
  expect(retained([gone], rules, 40)).toEqual([gone]);
  expect(retained([gone], rules, 54)).toEqual([]);
});

test("from the horizon on, structure is what it was", () => {
  const name = fc.constantFrom("service:a", "service:b", "service:c");
  const time = fc.nat(40);
  const event = fc.oneof(
    fc
      .tuple(time, name, fc.constantFrom("spec", "status"), fc.option(fc.nat(3)))
      .map(([at, node, aspect, v]) => fact(at, node, aspect, v === null ? null : { v })),
    fc
      .tuple(time, name, name, fc.nat(3))
      .map(([at, from, to, one]) => edge(at, from, to, one === 0 ? { gone: true } : {})),
  );
  const graphOf = (events: readonly ModelEvent[]): Graph => {
    const graph = new Graph();
    graph.add(events);
    return graph;
  };
  fc.assert(
    fc.property(fc.array(event, { maxLength: 30 }), (events) => {
      const [whole, rest] = [graphOf(events), graphOf(retained(events, keep(20), 40))];
      for (let at = 20; at <= 40; at++) {
        const [a, b] = [whole.asOf(at), rest.asOf(at)];
        expect(b.edges()).toEqual(a.edges());
        // Whether a node without aspects and edges is there is not promised: nothing that is left may speak of it.
        for (const node of ["service:a", "service:b", "service:c"])
          expect(b.node(node)?.aspects ?? new Map()).toEqual(a.node(node)?.aspects ?? new Map());
        const told = (view: typeof a) => view.nodes().filter((id) => view.node(id)?.aspects.size);
        expect(told(b)).toEqual(told(a));
      }
    }),
    { numRuns: runsOf(300) },
  );
});

test("readers are agents by name or by beginning", () => {
  const rules = {
    ...keep(1),
    log: { ...keep(1).log, readers: ["sre-*", "auditor"] },
    action: { ...keep(1).action, readers: [] },
  };
  expect(readableKinds(rules, "sre-bot").has("log")).toBe(true);
  expect(readableKinds(rules, "auditor").has("log")).toBe(true);
  expect(readableKinds(rules, "auditor-2").has("log")).toBe(false);
  expect(readableKinds(rules, "auditor").has("action")).toBe(false);
  expect(readableKinds(rules, "auditor").has("node")).toBe(true);
});
