/** What an agent may not read is in no answer: confirmed incidents are facts about nodes, and are read as incidents. */
import { expect, test } from "vitest";
import { readWorld } from "../../../../src/cli/model/mcp.ts";
import { readTools } from "../../../../src/cli/model/read-tools.ts";
import { ModelLog, Predictions } from "../../../../src/control/index.ts";
import { incidentEvent } from "../../../../src/model/index.ts";
import { noStoreFaults, Random, SimClock, SimDatabase } from "../../../../src/sim/index.ts";
import { SharedState } from "../../../../src/state/index.ts";
import { edge, fact } from "../../../fixtures/model-events.ts";

test.each([
  [["sre-*"], "sre-1", ["i1"]],
  [["sre-*"], "bot", []],
])("incidents that %j may read, asked by %s", async (readers, agent, learnedFrom) => {
  const state = new SharedState(
    new SimDatabase(new Random(7), new SimClock(), noStoreFaults).open(),
  );
  const now = await state.now();
  if (!now.ok) throw new Error(now.error.detail);
  const [at, service] = [now.value - 1, "service:cart"];
  const incident = {
    ...{ id: "i1", at, confirmedAt: at, node: service, kind: "schedule.replicas_zero" as const },
    ...{ chain: [], felt: [service] },
  };
  const events = [edge(at, "service:web", service), incidentEvent(incident, "here")];
  expect(await new ModelLog(state).write({ id: "told", source: "test", events })).toMatchObject({
    ok: true,
  });
  const kinds = { incident: { remember: true, readers } };
  const world = readWorld({
    ...{ state, agent, config: { model: { kinds } as never } },
    io: { out: () => undefined, err: () => undefined },
  });
  const impact = readTools(world).find(({ name }) => name === "impact");
  const told = await impact?.run({ what: service, change: "restart" });
  expect(told).toMatchObject({ value: { feelings: [{ service, learnedFrom }, {}] } });
});

test.each([
  [["sre-*"], "sre-1", 1],
  [["sre-*"], "bot", 0],
])(
  "predictions and what came of them that %j may read, asked by %s",
  async (readers, agent, count) => {
    const state = new SharedState(
      new SimDatabase(new Random(7), new SimClock(), noStoreFaults).open(),
    );
    const now = await state.now();
    if (!now.ok) throw new Error(now.error.detail);
    const [at, service] = [now.value - 10, "service:cart"];
    const events = [edge(at, "service:web", service)];
    await new ModelLog(state).write({ id: "told", source: "test", events });
    const outcome = { share: 0.4, services: [service], at: at + 1 };
    await new Predictions(state).keep({
      ...{ id: "imp-1", target: service, change: "restart", at, services: [service] },
      ...{ share: { value: 0.5, low: 0, high: 1 }, touched: 0.5, isDone: true, outcome },
    });
    const kinds = { prediction: { remember: true, readers } };
    const world = readWorld({
      ...{ state, agent, config: { model: { kinds } as never } },
      io: { out: () => undefined, err: () => undefined },
    });
    const impact = readTools(world).find(({ name }) => name === "impact");
    const told = await impact?.run({ what: service, change: "restart" });
    expect(told).toMatchObject({ value: { similar: { length: count } } });
  },
);

test("history tells what was seen to change, though nobody told it", async () => {
  const state = new SharedState(
    new SimDatabase(new Random(7), new SimClock(), noStoreFaults).open(),
  );
  const now = await state.now();
  if (!now.ok) throw new Error(now.error.detail);
  const map = "object:ConfigMap/shop/cart";
  const events = [
    fact(now.value - 9_000, map, "data", { POOL: "50" }),
    fact(now.value - 5_000, map, "data", { POOL: "5" }),
  ];
  await new ModelLog(state).write({ id: "told", source: "test", events });
  const world = readWorld({
    ...{ state, agent: "bot", config: { model: { kinds: {} } as never } },
    io: { out: () => undefined, err: () => undefined },
  });
  const history = readTools(world).find(({ name }) => name === "history");
  for (const args of [{}, { node: map }])
    expect(await history?.run({ ...args, since: "1h" })).toMatchObject({
      value: { events: [{ type: "change", kind: "config", diff: [{ added: ["POOL: 5"] }] }] },
    });
});

test("agents are told moments as text", async () => {
  const state = new SharedState(
    new SimDatabase(new Random(7), new SimClock(), noStoreFaults).open(),
  );
  const now = await state.now();
  if (!now.ok) throw new Error(now.error.detail);
  const events = [edge(now.value - 1, "service:web", "service:cart")];
  await new ModelLog(state).write({ id: "told", source: "test", events });
  const io = { out: () => undefined, err: () => undefined };
  const tools = readTools(
    readWorld({ state, agent: "bot", config: { model: { kinds: {} } as never }, io }),
  );
  const ask = (name: string, args: object) =>
    tools.find((each) => each.name === name)?.run(args as never);
  const moment = expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
  expect(await ask("why", { symptom: "cart slow" })).toMatchObject({
    value: { symptom: { at: moment } },
  });
  expect(await ask("impact", { what: "service:cart", change: "restart" })).toMatchObject({
    value: { at: moment },
  });
});
