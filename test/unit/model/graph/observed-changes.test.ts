/** Changes that nobody told: what successive facts say, and everything that they do not say. */
import fc from "fast-check";
import { expect, test } from "vitest";
import "../../../fixtures/fixed-seed.ts";
import { allKnown, type Change, Graph, type ModelEvent } from "../../../../src/model/index.ts";
import { runsOf } from "../../../fixtures/effort.ts";
import { change, edge, fact } from "../../../fixtures/model-events.ts";

const minute = 60_000;
const start = Date.UTC(2026, 4, 4, 10);
const at = (minutes: number): number => start + minutes * minute;
const map = "object:ConfigMap/shop/cart";
const workload = "workload:shop/cart";
const service = "service:cart";
const runs = edge(at(0), workload, service, { kind: "part_of" });

const spec = (image: string, replicas = 2, more: object = {}, annotations: object = {}) => ({
  replicas,
  template: {
    metadata: { annotations: { ...annotations } },
    spec: { containers: [{ name: "cart", image, ...more }] },
  },
});

const graphOf = (...events: readonly ModelEvent[]): Graph => {
  const graph = new Graph();
  graph.add(events);
  return graph;
};
const changesOf = (...events: readonly ModelEvent[]): readonly Change[] =>
  graphOf(...events)
    .latest()
    .changes();
const specs = (...values: readonly ReturnType<typeof spec>[]): readonly Change[] =>
  changesOf(runs, ...values.map((value, place) => fact(at(place * 10), workload, "spec", value)));

test("a config map with other data is a change of it, with its diff, since the newer data began", () => {
  const [found, ...others] = changesOf(
    fact(at(0), map, "data", { POOL: "50", URL: "x", "app.yaml": "a: 1\nb: 2\n" }),
    fact(
      at(18),
      map,
      "data",
      { POOL: "5", URL: "x", "app.yaml": "a: 1\nb: 3\n" },
      { knownAt: at(19) },
    ),
  );
  expect(others).toEqual([]);
  expect(found).toMatchObject({
    ...{ kind: "config", targets: [map], at: at(18), knownAt: at(19) },
    change: `config:${map}@2026-05-04T10:18:00.000Z`,
    title: "change of ConfigMap/shop/cart: POOL from 50 to 5, app.yaml from b: 2 to b: 3",
    diff: [
      { path: `${map} data.POOL`, removed: ["POOL: 50"], added: ["POOL: 5"] },
      { path: `${map} data.app.yaml`, removed: ["b: 2"], added: ["b: 3"] },
    ],
  });
});

test("a workload is deployed with another image, scaled, restarted, or configured otherwise", () => {
  const env = (value: string) => ({ env: [{ name: "POOL", value }] });
  const found = specs(
    spec("cart:1"),
    spec("cart:2"),
    spec("cart:2", 5),
    spec("cart:2", 5, {}, { "kubectl.kubernetes.io/restartedAt": "2026-05-04T10:30:00Z" }),
    spec("cart:2", 5, env("50")),
    spec("cart:2", 5, env("5")),
    spec("cart:3", 4, { command: ["serve"] }),
  );
  expect(found.map(({ kind }) => kind)).toEqual([
    "deploy",
    "scale",
    "restart",
    "config",
    "config",
    "deploy",
  ]);
  expect(found.every(({ targets }) => targets.join() === `${workload},${service}`)).toBe(true);
  expect(found[0]).toMatchObject({ before: "cart:1", after: "cart:2" });
  expect(found[1]).toMatchObject({ title: "scale of shop/cart: replicas from 2 to 5", after: "5" });
  expect(found[2]?.diff).toEqual([]);
  expect(found[4]?.diff).toEqual([
    {
      path: `${workload} spec.template.spec.containers[cart].env[POOL].value`,
      ...{ removed: ["POOL: 50"], added: ["POOL: 5"] },
    },
  ]);
  expect(found[5]?.diff?.map(({ path }) => path.split(".").at(-1))).toContain("replicas");
});

test("neither a first sighting, nor the same again, nor what controllers write, nor a secret is a change", () => {
  const told: readonly ModelEvent[] = [
    fact(at(0), map, "data", { POOL: "50", URL: "x" }),
    fact(at(5), map, "data", { URL: "x", POOL: "50" }),
    fact(at(0), workload, "spec", { ...spec("cart:1"), claim: { status: { phase: "Pending" } } }),
    fact(at(5), workload, "spec", { ...spec("cart:1"), claim: { creationTimestamp: null } }),
    fact(at(0), workload, "status", { replicas: 1 }),
    fact(at(5), workload, "status", { replicas: 2 }),
    fact(at(0), workload, "metadata", { generation: 1 }),
    fact(at(5), workload, "metadata", { generation: 2 }),
  ];
  expect(changesOf(...told)).toEqual([]);
  const others = ["ReplicaSet", "Pod", "Secret"].flatMap((kind) =>
    ["spec", "data"].flatMap((aspect) => [
      fact(at(0), `object:${kind}/shop/cart`, aspect, { a: "1" }),
      fact(at(5), `object:${kind}/shop/cart`, aspect, { a: "2" }),
    ]),
  );
  expect(changesOf(...others)).toEqual([]);
});

test("what was deleted and made again differs from what it was, or does not", () => {
  const gone = fact(at(5), map, "metadata", null);
  const [before, same, other] = [0, 6, 7].map((m) =>
    fact(at(m), map, "data", { a: m === 7 ? "2" : "1" }),
  );
  expect(changesOf(before as ModelEvent, gone, same as ModelEvent)).toEqual([]);
  const found = changesOf(before as ModelEvent, gone, other as ModelEvent);
  expect(found.map((each) => each.at)).toEqual([at(7)]);
});

test("of what only manifests declare, they count; what was seen live counts more", () => {
  const declared = (m: number, data: object) =>
    fact(at(m), map, "declared", { kind: "ConfigMap", metadata: {}, data: { ...data } });
  const manifests = [declared(0, { a: "1" }), declared(5, { a: "2" })];
  expect(changesOf(...manifests).map(({ diff }) => diff?.[0]?.added)).toEqual([["a: 2"]]);
  expect(changesOf(...manifests, fact(at(1), map, "data", { a: "1" }))).toEqual([]);
});

test("what a program writes all the time is no change for long", () => {
  const beats = Array.from({ length: 60 }, (_, m) => fact(at(m), map, "data", { seen: `${m}` }));
  expect(changesOf(...beats)).toHaveLength(6);
  const edited = fact(at(59.5), map, "data", { seen: "59", POOL: "5" });
  expect(changesOf(...beats, edited).at(-1)?.diff?.[0]?.added).toEqual(["POOL: 5"]);
});

const version = (m: number, value: string): ModelEvent =>
  fact(at(m), service, "version", { version: value });

test("a service that names another version was deployed; while two run beside each other, once", () => {
  const found = changesOf(
    ...[
      version(0, "1.8"),
      version(10, "1.8"),
      version(18, "1.9"),
      version(18.5, "1.8"),
      version(19.5, "1.9"),
    ],
    ...[version(20, "1.8"), version(21, "1.9"), version(31, "1.9"), version(40, "1.8")],
  );
  expect(found.map((each) => [each.at, each.kind, each.before, each.after])).toEqual([
    [at(18), "deploy", "1.8", "1.9"],
    [at(40), "deploy", "1.9", "1.8"],
  ]);
  expect(found[0]?.targets).toEqual([service]);
});

test("a rollout and the version that telemetry names are one deploy", () => {
  const rolled = [0, 18].map((m) => fact(at(m), workload, "spec", spec(`cart:1.${m}`)));
  const [found, ...others] = changesOf(runs, ...rolled, version(0, "1.0"), version(19, "1.18"));
  expect([found?.at, others]).toEqual([at(18), []]);
  expect(changesOf(...rolled, version(0, "1.0"), version(19, "1.18"))).toHaveLength(2);
});

const rollout = [0, 18].map((m) => fact(at(m), workload, "spec", spec(`cart:${m}`)));

test("what a source told as well is one change: the told one, which gets the diff where it has none", () => {
  const told = change(at(17), "argo-7", [service]);
  const [found, ...others] = changesOf(runs, ...rollout, told);
  expect(others).toEqual([]);
  expect(found).toMatchObject({ change: "deploy:argo-7", title: "argo-7", at: at(17) });
  expect(found?.diff?.[0]?.added).toEqual(["image: cart:18"]);
  const own = { ...told, diff: [] };
  expect(changesOf(runs, ...rollout, own)).toEqual([own]);
});

test("a commit, a deploy of others, one of another hour, and a second rollout are others", () => {
  const kept = (...events: readonly ModelEvent[]): readonly string[] =>
    changesOf(runs, ...rollout, ...events).map(({ change: name }) => name);
  const rolled = `deploy:${workload}@2026-05-04T10:18:00.000Z`;
  expect(kept({ ...change(at(17), "c0ffee", [service]), kind: "commit" })).toContain(rolled);
  expect(kept(change(at(17), "mail-7", ["service:mail"]))).toContain(rolled);
  expect(kept(change(at(12), "cart-6", [service]))).toContain(rolled);
  const hotfix = fact(at(21), workload, "spec", spec("cart:hotfix"));
  expect(kept(change(at(17), "cart-7", [service]), hotfix)).toEqual([
    "deploy:cart-7",
    `deploy:${workload}@2026-05-04T10:21:00.000Z`,
  ]);
});

test("asked of one node: the map, the workload, and the service that it runs", () => {
  const view = graphOf(runs, ...rollout, fact(at(0), map, "data", { a: "1" }), {
    ...fact(at(18), map, "data", { a: "2" }),
  }).latest();
  const of = (node: string, kinds?: Change["kind"][]) =>
    view.changes({}, { node, ...(kinds && { kinds }) }).map(({ kind }) => kind);
  expect([of(map), of(workload), of(service), of("service:mail")]).toEqual([
    ["config"],
    ["deploy"],
    ["deploy"],
    [],
  ]);
  expect(of(service, ["scale"])).toEqual([]);
  expect(view.changes({ fromAt: at(18) + 1 })).toEqual([]);
  expect(view.changes({ toAt: at(18) })).toEqual([]);
});

const moment = fc.integer({ min: 0, max: 8 });
const random: fc.Arbitrary<ModelEvent> = fc
  .tuple(moment, moment, fc.constantFrom(0, 1, 2, 3, 4, 5), fc.constantFrom("1", "2", "3"))
  .map(([m, known, what, value]) => {
    const told = { knownAt: at(known) };
    if (what === 0) return fact(at(m), map, "data", value === "3" ? null : { a: value }, told);
    if (what === 1) return fact(at(m), workload, "spec", spec("cart", Number(value)), told);
    if (what === 2) return fact(at(m), workload, "spec", spec(`cart:${value}`), told);
    if (what === 3) return fact(at(m), service, "version", { version: value }, told);
    if (what === 4) return change(at(m), value, [service], told);
    return edge(at(m), workload, service, { kind: "part_of", ...told });
  });
const many = fc.array(random, { maxLength: 20 });

const asked = (graph: Graph): unknown =>
  [3, 6, 9].flatMap((validAt) =>
    [at(2), at(5), allKnown].map((knownAt) => {
      const view = graph.asOf(at(validAt), knownAt);
      const of = [service, workload].map((node) => view.changes({}, { node }));
      return [view.changes(), ...of];
    }),
  );

test("any order, and any number of repetitions, gives the same changes at every moment", () => {
  const shuffled = many.chain((events) =>
    fc.tuple(
      fc.constant(events),
      fc.shuffledSubarray([...events, ...events], { minLength: events.length * 2 }),
    ),
  );
  fc.assert(
    fc.property(shuffled, ([events, others]) => {
      const [graph, other] = [graphOf(...events), graphOf()];
      for (const each of others) {
        other.add([each]);
        other.latest().changes();
      }
      expect(asked(other)).toEqual(asked(graph));
    }),
    { numRuns: runsOf(150) },
  );
});

test("what becomes known later, or true later, never adds to the past nor takes from it", () => {
  fc.assert(
    fc.property(many, moment, moment, (events, validAt, knownAt) => {
      const asked = graphOf(...events)
        .asOf(at(validAt), at(knownAt))
        .changes();
      const then = events.filter((each) => each.at <= at(validAt) && each.knownAt <= at(knownAt));
      expect(asked).toEqual(
        graphOf(...then)
          .latest()
          .changes(),
      );
    }),
    { numRuns: runsOf(300) },
  );
});
