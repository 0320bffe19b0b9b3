/** Predictions are kept until what happened can be seen, and then beside it. */
import { expect, test } from "vitest";
import { Predictions } from "../../../../src/control/index.ts";
import { Graph, type Prediction, type Traffic } from "../../../../src/model/index.ts";
import { noStoreFaults, Random, SimClock, SimDatabase } from "../../../../src/sim/index.ts";
import { SharedState } from "../../../../src/state/index.ts";
import { change, edge, fact, traffic } from "../../../fixtures/model-events.ts";

const windowMs = 1_000;
const open: Prediction = {
  ...{ id: "imp-1", target: "service:cart", change: "deploy", at: 10_000 },
  share: { value: 0.5, low: 0.4, high: 0.6 },
  services: ["service:cart"],
  ...{ touched: 0.5, isDone: false, outcome: null },
};

const calls = (at: number, errors: number): Traffic =>
  traffic(at, null, "service:cart", { id: `t${at}`, count: 100, errors });

function world() {
  const state = new SharedState(
    new SimDatabase(new Random(7), new SimClock(), noStoreFaults).open(),
  );
  const predictions = new Predictions(state);
  const view = (...events: Parameters<Graph["add"]>[0] extends Iterable<infer E> ? E[] : never) => {
    const graph = new Graph();
    graph.add([calls(11_900, 0), calls(12_000, 40), ...events]);
    return graph.latest();
  };
  const all = async (): Promise<readonly Prediction[]> => {
    const read = await predictions.all();
    return read.ok ? read.value : [];
  };
  return { predictions, view, all };
}

test("a change of its kind to its target takes a prediction up, and its outcome stays", async () => {
  const { predictions, view, all } = world();
  await predictions.keep(open);
  expect(await predictions.settle({ view: view(), nowMs: 99_999, windowMs })).toEqual({
    ok: true,
    value: 0,
  });
  const done = view(change(12_000, "cart-2", ["service:cart"]));
  // Too early to tell.
  await predictions.settle({ view: done, nowMs: 12_999, windowMs });
  expect((await all())[0]?.outcome).toBeNull();
  await predictions.settle({ view: done, nowMs: 13_000, windowMs });
  const settled = { share: 0.4, services: ["service:cart"], at: 13_000 };
  expect((await all())[0]).toMatchObject({ at: 12_000, isDone: true, outcome: settled });
  await predictions.keep(open);
  expect((await all())[0]?.outcome).toEqual(settled);
  expect(await predictions.forgetBefore(12_001)).toEqual({ ok: true, value: 1 });
  expect(await all()).toEqual([]);
});

test("a rollout that only the cluster shows takes a prediction up", async () => {
  const { predictions, view, all } = world();
  await predictions.keep(open);
  const spec = (at: number, image: string) =>
    fact(at, "workload:shop/cart", "spec", { template: { spec: { containers: [{ image }] } } });
  const runs = edge(9_000, "workload:shop/cart", "service:cart", { kind: "part_of" });
  const rolled = view(runs, spec(9_000, "cart:1"), spec(12_000, "cart:2"));
  await predictions.settle({ view: rolled, nowMs: 13_000, windowMs });
  expect((await all())[0]).toMatchObject({ at: 12_000, isDone: true, outcome: { share: 0.4 } });
});

test("a change of another kind, to another target, or a day later takes nothing up", async () => {
  const { predictions, view, all } = world();
  await predictions.keep(open);
  const tooLate = 10_000 + 86_400_001;
  const others = view(
    ...[calls(tooLate - 100, 0), calls(tooLate, 40)],
    { ...change(12_000, "cart-flag", ["service:cart"]), kind: "flag" },
    change(12_000, "mail-2", ["service:mail"]),
    change(tooLate, "cart-3", ["service:cart"]),
    change(9_999, "cart-1", ["service:cart"]),
  );
  await predictions.settle({ view: others, nowMs: 200_000_000, windowMs });
  expect((await all())[0]?.outcome).toBeNull();
});

test("without traffic on both sides nothing is told", async () => {
  const { predictions, view, all } = world();
  await predictions.keep({ ...open, at: 50_000, isDone: true });
  await predictions.settle({ view: view(), nowMs: 99_999, windowMs });
  expect((await all())[0]?.outcome).toBeNull();
});
