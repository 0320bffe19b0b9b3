/** Structure × exercised traffic × learned tolerance, and what then happened beside it. */
import { expect, test } from "vitest";
import {
  type ChangeKind,
  calibrationByChange,
  calibrationOf,
  exercised,
  felt,
  Graph,
  type ModelEvent,
  type Prediction,
  predict,
  proportion,
  type Quantiles,
  readPrediction,
  type Traffic,
  targetFacts,
  toleranceOf,
  withOutcome,
} from "../../../../src/model/index.ts";
import { change, edge, fact, traffic } from "../../../fixtures/model-events.ts";

const all = { fromAt: 0, toAt: 10_000 };

/** Calls of one entry; `ms` is the median. */
function called(
  at: number,
  caller: string | null,
  callee: string,
  {
    entry,
    count = 100,
    errors = 0,
    ms,
  }: { entry: string; count?: number; errors?: number; ms?: number },
): Traffic {
  const totalMs: Quantiles | null = ms === undefined ? null : { p50: ms, p90: ms * 2, max: ms * 3 };
  return {
    ...traffic(at, caller, callee, { id: `${at}${caller}${callee}${entry}`, count, errors }),
    entry,
    operation: entry.split(" ").slice(1).join(" ") || entry,
    totalMs,
  };
}

const front = "service:front";
const [cart, stock, mail] = ["service:cart", "service:stock", "service:mail"];
const shop: readonly ModelEvent[] = [
  called(100, null, front, { entry: "front GET /cart", count: 300 }),
  called(100, front, cart, { entry: "front GET /cart", count: 300 }),
  // Several calls of one request are one.
  called(100, cart, stock, { entry: "front GET /cart", count: 900 }),
  called(100, null, front, { entry: "front GET /", count: 700 }),
  called(100, front, mail, { entry: "front GET /", count: 70 }),
  edge(50, cart, "config:cart", { kind: "configured_by" }),
  edge(50, "workload:shop/stock", stock, { kind: "part_of" }),
  edge(50, "workload:shop/stock", "host:a", { kind: "runs_on" }),
  edge(50, "observer:balancer", cart, { kind: "observes" }),
  edge(50, cart, "zone:eu", { kind: "crosses_zone" }),
  fact(50, cart, "contract", { data_classes: ["orders"], zone: "shop" }),
];

function graphOf(events: readonly ModelEvent[]): Graph {
  const graph = new Graph();
  graph.add(events);
  return graph;
}

const view = () => graphOf(shop).latest();
const cautious = toleranceOf([]);
const radius = (target: string, kind: ChangeKind = "restart", tolerance = cautious) =>
  predict(view(), { target, change: kind }, exercised(view(), all), tolerance);

test.each([
  [cart, 0.3, [cart, front]],
  [stock, 0.3, [cart, front, stock]],
  ["config:cart", 0.3, [cart, front]],
  ["workload:shop/stock", 0.3, [cart, front, stock]],
  ["host:a", 0.3, [cart, front, stock]],
  [mail, 0.07, [front, mail]],
  [front, 1, [front]],
])("%s is touched by a part of the traffic", (target, share, services) => {
  const found = radius(target);
  expect(found.felt?.value).toBeCloseTo(share, 10);
  expect(found.services).toEqual(services);
  expect(found.share?.low).toBeLessThanOrEqual(share);
  expect(found.share?.high).toBeGreaterThanOrEqual(share);
});

test("operations, zones and classes of data are named; observers feel nothing", () => {
  const found = radius(cart);
  expect(found.operations).toEqual([{ entry: "front GET /cart", part: 1, requests: 300 }]);
  expect([found.zones, found.dataClasses]).toEqual([["eu", "shop"], ["orders"]]);
  expect(found.dependents).toEqual([{ node: front, distance: 1 }]);
});

test("no traffic was seen: no share, which is another thing than none of it", () => {
  const seen = exercised(view(), { fromAt: 5_000, toAt: 6_000 });
  const found = predict(view(), { target: cart, change: "restart" }, seen, cautious);
  expect([found.share, found.felt, found.services.length]).toEqual([null, null, 2]);
  const idle = predict(
    view(),
    { target: "service:idle", change: "restart" },
    exercised(view(), all),
    cautious,
  );
  expect(idle.felt?.value).toBe(0);
});

const prediction = (
  id: string,
  value: number,
  actual: number | null,
  more: Partial<Prediction> = {},
): Prediction => ({
  ...{ id, target: cart, change: "restart", at: 1, touched: 0.4, isDone: true },
  share: { value, low: Math.max(0, value - 0.1), high: Math.min(1, value + 0.1) },
  services: [cart, front],
  outcome: actual === null ? null : { share: actual, services: [cart], at: 2 },
  ...more,
});

test("tolerance is everything until outcomes are seen, then theirs, of the target or of the kind", () => {
  expect(radius(cart).tolerance).toEqual({ value: 1, low: 0, high: 1 });
  const learned = toleranceOf([
    ...[1, 2, 3, 4, 5].map((at) => prediction(`p${at}`, 0.4, 0.04)),
    prediction("other", 0.4, 0.4, { target: front }),
    prediction("open", 0.4, null),
  ]);
  const part = learned(cart, "restart");
  expect(part.value).toBeCloseTo((5 * 0.1 + 1) / 6, 10);
  expect([part.low, part.high]).toEqual([expect.closeTo(0.1, 10), part.value]);
  const few = toleranceOf([1, 2, 3, 4].map((at) => prediction(`p${at}`, 0.4, 0.04)));
  expect(few(cart, "restart")).toMatchObject({ low: 0, high: 1 });
  // Of the kind, anywhere.
  expect(learned(stock, "restart").value).toBeCloseTo((5 * 0.1 + 1 + 1) / 7, 10);
  expect(learned(cart, "config")).toEqual({ value: 1, low: 0, high: 1 });
  expect(radius(cart, "restart", learned).felt?.value).toBeCloseTo(0.3 * part.value, 10);
});

test("what was felt is what went otherwise, better as well as worse", () => {
  const graph = graphOf([
    ...[100, 200].flatMap((at) => [
      called(at, null, front, { entry: "a", ms: at === 100 ? 20 : 90 }),
      called(at, null, front, { entry: "b", errors: at === 100 ? 60 : 0, ms: 20 }),
      called(at, null, front, { entry: "c", errors: 2, ms: 21 }),
      called(at, null, front, { entry: "rare", count: 2, errors: at === 100 ? 0 : 2 }),
      called(at, front, cart, { entry: "a", ms: at === 100 ? 10 : 80 }),
      called(at, front, stock, { entry: "c", ms: 10 }),
    ]),
    called(200, null, front, { entry: "new", errors: 100 }),
  ]);
  const found = felt(graph.latest(), { fromAt: 0, toAt: 150 }, { fromAt: 150, toAt: 300 });
  expect(found.share?.value).toBeCloseTo((100 + 60) / 300, 10);
  expect(found.operations).toEqual(["front a", "front b"]);
  expect(found.services).toEqual([cart, front]);
  const nothing = felt(graph.latest(), { fromAt: 0, toAt: 50 }, { fromAt: 150, toAt: 300 });
  expect(nothing.share).toBeNull();
});

test("calibration: how far off, how often within the interval, which way", () => {
  const predictions = [
    prediction("right", 0.4, 0.4),
    prediction("over", 0.5, 0.1),
    prediction("under", 0.1, 0.3, { change: "config" }),
    prediction("open", 0.1, null),
  ];
  const { brier, coverage, bias, services, feelings, ...counts } = calibrationOf(predictions);
  expect(counts).toEqual({ predictions: 4, settled: 3, under: 1, over: 1 });
  expect(brier).toBeCloseTo((0.16 + 0.04) / 3, 10);
  expect(coverage?.value).toBeCloseTo(1 / 3, 10);
  expect(bias).toBeCloseTo((-0.4 + 0.2) / 3, 10);
  expect(services).toBe(0.5);
  // Kept before probabilities were said of services.
  expect(feelings).toBe(null);
  expect([...calibrationByChange(predictions).keys()]).toEqual(["restart", "config"]);
  expect(calibrationOf([])).toMatchObject({ brier: null, coverage: null, settled: 0 });
});

test("calibration of services: what was said of each, and who felt what nothing was said of", () => {
  const said = (id: string, probabilities: readonly number[], services: readonly string[]) => ({
    ...prediction(id, 0.4, 0.4),
    feelings: [cart, front, stock].map((service, i) => ({
      service,
      probability: probabilities[i] ?? 0,
    })),
    outcome: { share: 0.4, services, at: 9 },
  });
  const { feelings } = calibrationOf([
    said("as said", [0.9, 0.6, 0.1], [cart, front]),
    said("missed", [0.9, 0.1, 0.1], [cart, front, stock, mail]),
    said("needless", [0.9, 0.9, 0.9], []),
    prediction("open", 0.1, null),
  ]);
  const [first, second, third] = [0.01 + 0.16 + 0.01, 0.01 + 0.81 + 0.81 + 1, 3 * 0.81];
  expect(feelings?.brier).toBeCloseTo((first + second + third) / 10, 10);
  expect(feelings).toMatchObject({ said: 10, under: 3, over: 3 });
  expect(feelings?.coverage.value).toBeCloseTo(1 / 3, 10);
});

test("an outcome is kept beside its prediction, which can be read back", () => {
  const open = prediction("p", 0.4, null);
  const share = proportion(30, 100);
  const settled = withOutcome(open, { share, services: [cart], operations: [] }, 9);
  expect(settled.outcome).toEqual({ share: 0.3, services: [cart], at: 9 });
  expect(withOutcome(open, { share: null, services: [], operations: [] }, 9).outcome).toBeNull();
  const stored = JSON.parse(JSON.stringify(settled));
  expect(readPrediction(stored)).toEqual(settled);
  expect(readPrediction({ ...stored, share: 1 })).toBeUndefined();
  expect(readPrediction({ ...stored, isDone: 1 })).toBeUndefined();
});

test("a counted part has Wilson's interval, within 0 and 1", () => {
  const of = (hits: number, all: number) => {
    const { value, low, high } = proportion(hits, all);
    return [value, low, high].map((part) => Number(part.toFixed(3)));
  };
  expect(of(5, 10)).toEqual([0.5, 0.237, 0.763]);
  expect(of(0, 10)).toEqual([0, 0, 0.278]);
  expect(of(10, 10)).toEqual([1, 0.722, 1]);
  expect(of(0, 0)).toEqual([0, 0, 1]);
});

test("facts about a target: changes of what it depends on count, those of others do not", () => {
  const graph = graphOf([
    ...shop,
    change(900, "stock-2", [stock]),
    change(900, "mail-7", [mail]),
    change(950, "cart-3", [cart]),
  ]);
  const basis = {
    view: graph.latest(),
    nowMs: 1_000,
    seen: exercised(graph.latest(), all),
    tolerance: toleranceOf([prediction("p", 0.4, 0.04)]),
    memory: () => ({ count: 2, byChange: { restart: 1 } }),
  };
  const { reached, ...facts } = targetFacts(cart, basis);
  const version = (at: number, value: string) => fact(at, stock, "version", { version: value });
  const deployed = graphOf([...shop, version(1, "1"), version(900, "2")]).latest();
  expect(targetFacts(cart, { ...basis, view: deployed }).recentChanges).toBe(1);
  expect(facts).toEqual({
    target: cart,
    dependents: 1,
    recentChanges: 2,
    memory: { count: 2, byChange: { restart: 1 } },
  });
  expect(Object.keys(reached)).toEqual(["*", "restart"]);
  expect(reached["*"]).toMatchObject({
    services: 2,
    share: { value: 0.3 },
    dataClasses: ["orders"],
  });
  expect(reached["restart"]?.share?.value).toBeCloseTo(0.3 * 0.55, 10);
});
