/** Which services a change would be felt by: what it may come to, at what the graph and the traffic show around its target. */
import { describe, expect, test } from "vitest";
import {
  type ChangeKind,
  type ConfirmedIncident,
  causeKinds,
  changeFelt,
  changeKinds,
  confirm,
  emptyMemory,
  exercised,
  exposure,
  Graph,
  type Memory,
  type ModelEvent,
  troublesOf,
} from "../../../../src/model/index.ts";
import { edge, traffic } from "../../../fixtures/model-events.ts";

const all = { fromAt: 0, toAt: 10_000 };
const calls = (caller: string | null, callee: string, count: number): ModelEvent => ({
  ...traffic(100, caller, callee, { id: `${caller}${callee}`, count }),
  entry: "front GET /",
});

/** front asks cart with half of its requests and mail with few; cart asks its database each time; old asks cart in name only. */
const shop: readonly ModelEvent[] = [
  calls(null, "service:front", 1_000),
  calls("service:front", "service:cart", 500),
  calls("service:front", "service:mail", 50),
  calls("service:cart", "database:orders", 500),
  edge(50, "service:old", "service:cart"),
  edge(50, "service:mail", "config:mail", { kind: "configured_by" }),
  edge(50, "service:cart", "host:a", { kind: "runs_on" }),
  edge(50, "service:mail", "host:a", { kind: "runs_on" }),
];

function felt(
  target: string,
  change: ChangeKind,
  { memory = emptyMemory, events = shop }: { memory?: Memory; events?: readonly ModelEvent[] } = {},
) {
  const graph = new Graph();
  graph.add(events);
  const view = graph.latest();
  const seen = exercised(view, all);
  const exposed = exposure(view, target, seen);
  return changeFelt(view, { exposed, change }, seen, { memory, predictions: [] });
}

const probabilities = (...asked: Parameters<typeof felt>): Readonly<Record<string, number>> =>
  Object.fromEntries(
    felt(...asked).feelings.map(({ service, probability }) => [service.slice(8), probability]),
  );

test("every kind of change may come to some trouble, in the words of causes", () => {
  for (const kind of changeKinds) {
    expect(troublesOf[kind].length).toBeGreaterThan(0);
    for (const trouble of troublesOf[kind]) expect(Object.keys(causeKinds)).toContain(trouble);
  }
});

describe("by structure and traffic", () => {
  test("a caller in as far as it really asks; one that asks in name only not at all", () => {
    expect(probabilities("service:cart", "deploy")).toEqual({ cart: 0.95, front: 0.5 });
    expect(probabilities("service:mail", "deploy")).toEqual({
      front: expect.closeTo(0.05),
      mail: 0.95,
    });
  });

  test("where no traffic is seen, all that could", () => {
    const events = shop.map(
      (event): ModelEvent =>
        event.type !== "traffic"
          ? event
          : edge(50, event.caller ?? "external:users", event.callee, { basis: "observed" }),
    );
    const told = probabilities("service:cart", "deploy", { events });
    expect(told).toMatchObject({ cart: 0.95, front: 0.95, old: 0.95 });
  });

  test("a configuration is felt where it is used, a database by who asks it, a machine by what runs on it", () => {
    expect(probabilities("config:mail", "config")).toMatchObject({ mail: 0.95 });
    expect(probabilities("database:orders", "restart")).toEqual({ cart: 0.95, front: 0.5 });
    expect(felt("host:a", "restart").likely).toEqual([
      "service:cart",
      "service:mail",
      "service:front",
    ]);
  });

  test("of several troubles that a change may come to, the one that is felt most", () => {
    const { feelings } = felt("host:a", "infrastructure");
    const troubles = Object.fromEntries(feelings.map(({ service, trouble }) => [service, trouble]));
    // A machine that is full slows what runs on it; its network is felt by who asks across it.
    expect(troubles).toMatchObject({
      "service:mail": "host.saturated",
      "service:front": "network.delay",
    });
  });
});

test("a change learns from incidents that were such trouble, and from no other", () => {
  const incident = (id: string, kind: ConfirmedIncident["kind"]): ConfirmedIncident => ({
    ...{ id, at: 1, confirmedAt: 1, node: "service:cart", chain: [], felt: ["service:cart"] },
    ...{ kind, share: 0.5 },
  });
  const memory = ["a", "b", "c"].reduce(
    (known, id) => confirm(known, incident(id, "compute.cpu")),
    emptyMemory,
  );
  expect(probabilities("service:cart", "scale")).toMatchObject({ front: 0.5 });
  expect(probabilities("service:cart", "scale", { memory })).toMatchObject({
    front: expect.closeTo(0.01),
  });
  expect(probabilities("service:cart", "restart", { memory })["front"]).toBe(0.5);
});
