/** The stored model: taken whole or not at all, once, forgotten when its time is over. */
import fc from "fast-check";
import { expect, test } from "vitest";
import "../../../fixtures/fixed-seed.ts";
import { forget, ModelLog, RememberedModel } from "../../../../src/control/index.ts";
import {
  type ModelEvent,
  type Remembrance,
  remembranceUnlessGiven,
} from "../../../../src/model/index.ts";
import { noStoreFaults, Random, SimClock, SimDatabase } from "../../../../src/sim/index.ts";
import { SharedState } from "../../../../src/state/index.ts";
import { runsOf } from "../../../fixtures/effort.ts";
import { change, edge, fact, traffic } from "../../../fixtures/model-events.ts";

const dayMs = 24 * 3_600_000;
const now = 1_000 * dayMs;

class World {
  readonly database = new SimDatabase(new Random(7), new SimClock(), noStoreFaults);
  readonly state = new SharedState(this.database.open());
  readonly log = new ModelLog(this.state);

  async model(rules: Remembrance = remembranceUnlessGiven, at = now): Promise<RememberedModel> {
    const model = new RememberedModel(new ModelLog(new SharedState(this.database.open())), rules);
    expect(await model.refresh(at)).toMatchObject({ ok: true });
    return model;
  }
}

const told = (at: number): readonly ModelEvent[] => [
  fact(at, "service:cart", "spec", { v: at }),
  edge(at, "service:web", "service:cart"),
  change(at, `d${at}`, ["service:cart"]),
  traffic(at, "service:web", "service:cart"),
];

test("a batch is taken once, and what was taken is read by others", async () => {
  const world = new World();
  expect(await world.log.write({ id: "a", source: "one", events: told(now) })).toEqual({
    ok: true,
    value: "taken",
  });
  expect(await world.log.write({ id: "a", source: "one", events: told(now) })).toEqual({
    ok: true,
    value: "repeated",
  });
  const { graph } = await world.model();
  expect(graph.eventCount).toBe(4);
  expect(graph.latest().aspect("service:cart", "spec")?.value).toEqual({ v: now });
});

test("a batch with one event that cannot be kept is refused whole, by the event", async () => {
  const world = new World();
  const broken = { ...change(now, "x", []), at: Number.NaN };
  const refused = await world.log.write({ id: "b", source: "s", events: [...told(now), broken] });
  expect(refused).toEqual({
    ok: false,
    error: "event 4 (change, here): at: NaN is no time in milliseconds",
  });
  const long = fact(now, "service:a", "spec", { text: "x".repeat(600_000) }, { id: "e" });
  expect(await world.log.write({ id: "c", source: "s", events: [long] })).toMatchObject({
    ok: false,
    error: expect.stringMatching(/^event 0 \(node, here\): 600\d+ characters; 524288 are kept$/),
  });
  expect(world.database.commits).toBe(0);
});

test("large batches are many chunks, and read back the same", async () => {
  const world = new World();
  const events = Array.from({ length: 60 }, (_, at) =>
    fact(now + at, "service:a", "spec", { text: "x".repeat(50_000), at }, { id: `e${at}` }),
  );
  const steps: number[] = [];
  await world.log.write({ id: "big", source: "s", events }, (done) => steps.push(done));
  expect(steps).toEqual([1, 2, 3, 4, 5, 6]);
  const { graph } = await world.model(remembranceUnlessGiven, now + 100);
  expect([...graph.events()]).toEqual(events);
});

test("whenever the store fails, a batch is there whole or not at all, and the same again is right", async () => {
  const events = Array.from({ length: 30 }, (_, at) =>
    fact(now + at, "service:a", "spec", { text: "x".repeat(50_000), at }, { id: `e${at}` }),
  );
  await fc.assert(
    fc.asyncProperty(fc.nat(1_000), async (seed) => {
      const database = new SimDatabase(new Random(seed), new SimClock(), {
        refused: 0.1,
        commitLost: 0.15,
        answerLost: 0.15,
        delayMsMax: 0,
      });
      const log = (): ModelLog => new ModelLog(new SharedState(database.open()));
      const first = await log().write({ id: "a", source: "s", events });
      database.faults = noStoreFaults;
      const batches = await log().batches();
      const count = batches.ok ? batches.value.length : -1;
      if (first.ok) expect(count).toBe(1);
      const all = await log().readAll();
      expect(all.ok && all.value.events.length).toBe(count === 1 ? 30 : 0);
      const again = await log().write({ id: "a", source: "s", events });
      expect(again).toEqual({ ok: true, value: count === 1 ? "repeated" : "taken" });
      const both = await log().readAll();
      expect(both.ok && both.value.events).toEqual(events);
    }),
    { numRuns: runsOf(60) },
  );
});

test("what is old is not read any more, and `forget` removes it from the store", async () => {
  const world = new World();
  await world.log.write({ id: "old", source: "s", events: told(now - 100 * dayMs) });
  await world.log.write({ id: "mid", source: "s", events: told(now - 20 * dayMs) });
  await world.log.write({ id: "new", source: "s", events: told(now) });
  const { graph } = await world.model();
  const view = graph.latest();
  expect(view.changes().map(({ at }) => at)).toEqual([now - 20 * dayMs, now]);
  expect(view.traffic().map(({ at }) => at)).toEqual([now]);
  const model = await world.model(remembranceUnlessGiven, now + 95 * dayMs);
  expect(model.graph.latest().changes()).toEqual([]);
  // In force ever since.
  expect(model.graph.latest().aspect("service:cart", "spec")?.value).toEqual({ v: now });

  expect(await forget(world.log, remembranceUnlessGiven, now)).toEqual({
    ok: true,
    value: { before: 12, after: 9 },
  });
  const batches = await world.log.batches();
  expect(batches.ok && batches.value.map(({ source }) => source)).toEqual(["merged"]);
  const listed = await world.state.list("model/chunk/", 99, "");
  expect(listed.ok && listed.value.length).toBe(1);
  // Whoever had read before reads it all anew, and has the same.
  await model.refresh(now);
  const after = await world.model();
  expect(after.graph.latest().edges()).toEqual(graph.latest().edges());
  expect(after.graph.latest().changes()).toEqual(view.changes());
  expect(model.graph.eventCount).toBe(after.graph.eventCount);
});

test("a source that was merged is not taken again, until nothing of it is left", async () => {
  const world = new World();
  await world.log.write({ id: "a", source: "s", events: told(now) });
  await world.log.write({ id: "b", source: "s", events: told(now) });
  await forget(world.log, remembranceUnlessGiven, now);
  expect(await world.log.write({ id: "a", source: "s", events: told(now) })).toMatchObject({
    value: "repeated",
  });
  await forget(world.log, remembranceUnlessGiven, world.database.wallMs() + 91 * dayMs);
  expect(await world.log.has("a")).toEqual({ ok: true, value: false });
});

test("of two processes that merge at the same time one does, and nothing is lost", async () => {
  const world = new World();
  for (const id of ["a", "b", "c"])
    await world.log.write({ id, source: "s", events: told(now + id.charCodeAt(0)) });
  const other = new ModelLog(new SharedState(world.database.open()));
  const batches = await world.log.batches();
  if (!batches.ok) throw new Error(batches.error);
  const events = told(now);
  const done = await Promise.all([
    world.log.replace(batches.value, { id: "m1", source: "merged", events }),
    other.replace(batches.value, { id: "m2", source: "merged", events }),
  ]);
  expect(done.map((each) => each.ok && each.value).sort()).toEqual(["moved", "replaced"]);
  const all = await world.log.readAll();
  expect(all.ok && all.value.events).toEqual(events);
  const chunks = await world.state.list("model/chunk/", 99, "");
  expect(chunks.ok && chunks.value.length).toBe(1);
});

test("chunks that were lost are damage, and said so", async () => {
  const world = new World();
  await world.log.write({ id: "a", source: "one.json", events: told(now) });
  await world.state.transact(["model/chunk/a/000000"], () => ({
    writes: new Map([["model/chunk/a/000000", null]]),
    result: undefined,
  }));
  const model = new RememberedModel(world.log, remembranceUnlessGiven);
  expect(await model.refresh(now)).toMatchObject({
    ok: false,
    error: expect.stringContaining("batch a (one.json) has lost events"),
  });
});
