/** The model in a real PostgreSQL: large batches, two who write and merge at once, and the same answers as in memory. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { PostgresStore } from "../../../src/adapters/postgres/index.ts";
import { forget, ModelLog, RememberedModel } from "../../../src/control/index.ts";
import { Graph, type ModelEvent, remembranceUnlessGiven } from "../../../src/model/index.ts";
import { SharedState } from "../../../src/state/index.ts";
import { edge, fact, traffic } from "../../fixtures/model-events.ts";
import { PostgresServer } from "../../fixtures/postgres.ts";

let server: PostgresServer;
const states: SharedState[] = [];
beforeAll(async () => {
  server = await PostgresServer.primary();
});
afterAll(async () => {
  for (const state of states) await state.close();
  await server.remove();
});

function opened(): SharedState {
  const store = PostgresStore.open(server.url, "holdfast test");
  if (!store.ok) throw new Error(store.error);
  const state = new SharedState(store.value);
  states.push(state);
  return state;
}

const now = Date.now();
const told = (part: number): readonly ModelEvent[] =>
  Array.from({ length: 40 }, (_, i) => [
    edge(now - i, `service:p${part}-${i}`, "service:hub"),
    traffic(now - i, `service:p${part}-${i}`, "service:hub"),
    fact(now - i, `service:p${part}-${i}`, "spec", { text: "ü".repeat(4_000), i }),
  ]).flat();

test("what two processes write at once, and merge, is what one graph in memory has", async () => {
  const [one, two] = [new ModelLog(opened()), new ModelLog(opened())];
  const parts = [0, 1, 2, 3, 4, 5];
  const wrote = await Promise.all(
    parts.map((part) =>
      (part % 2 === 0 ? one : two).write({ id: `b${part}`, source: "s", events: told(part) }),
    ),
  );
  expect(wrote).toEqual(parts.map(() => ({ ok: true, value: "taken" })));
  await Promise.all([
    forget(one, remembranceUnlessGiven, now),
    forget(two, remembranceUnlessGiven, now),
  ]);
  const model = new RememberedModel(new ModelLog(opened()), remembranceUnlessGiven);
  expect(await model.refresh(now)).toMatchObject({ ok: true, value: { events: 720 } });
  const inMemory = new Graph();
  inMemory.add(parts.flatMap(told));
  const around = (graph: Graph): unknown =>
    graph.asOf(now).neighbours("service:hub", { direction: "both", depth: 2 });
  expect(around(model.graph)).toEqual(around(inMemory));
  expect(model.graph.asOf(now).aspect("service:p3-7", "spec")).toEqual(
    inMemory.asOf(now).aspect("service:p3-7", "spec"),
  );
  expect(await two.write({ id: "b1", source: "s", events: told(1) })).toEqual({
    ok: true,
    value: "repeated",
  });
});
