/** What `why` makes of a change that only the cluster shows. */
import { expect, test } from "vitest";
import { Graph } from "../../../../../src/model/index.ts";
import { behaviour, kindOf } from "../../../../../src/model/why/changes/behaviour.ts";
import { effectOf } from "../../../../../src/model/why/changes/diff.ts";
import { fact } from "../../../../fixtures/model-events.ts";

const workload = "workload:tests/cart";
const spec = (image: string, replicas: number, pool: string): object => ({
  replicas,
  template: {
    spec: { containers: [{ name: "cart", image, env: [{ name: "POOL", value: pool }] }] },
  },
});

function judged(before: object, after: object, node = workload, aspect = "spec") {
  const graph = new Graph();
  graph.add([fact(1, node, aspect, before as never), fact(2, node, aspect, after as never)]);
  const [change] = graph.latest().changes();
  if (change === undefined) throw new Error("no change");
  const effect = effectOf(change.diff ?? []);
  const { nats, reason } = behaviour(change, effect);
  return { kind: kindOf(change, effect), nats, reason };
}

test("a smaller pool outweighs another image, which outweighs nothing", () => {
  const pool = judged(spec("cart:1", 2, "50"), spec("cart:1", 2, "5"));
  expect(pool).toMatchObject({
    kind: "change.config",
    reason: "changes a number by a factor of 10",
  });
  const image = judged(spec("cart:1", 2, "50"), spec("cart:2", 2, "50"));
  expect(image).toMatchObject({ kind: "change.code", reason: "nothing tells what is in it" });
  expect(pool.nats).toBeGreaterThan(1);
  expect(image.nats).toBeLessThan(0);
  // The numbers of a version are no setting that was multiplied.
  const version = judged({ version: "1.0" }, { version: "9.0" }, "service:cart", "version");
  expect(version).toEqual(image);
});

test("with an image comes code, also where a setting changes with it", () => {
  const both = judged(spec("cart:1", 2, "50"), spec("cart:2", 2, "5"));
  expect(both.kind).toBe("change.code");
  expect(both.nats).toBeGreaterThan(1);
});

test("more replicas harm nobody by being more; fewer may", () => {
  const scaled = (from: number, to: number) =>
    judged(spec("cart:1", from, "50"), spec("cart:1", to, "50"));
  expect(scaled(3, 12)).toMatchObject({ nats: -1.5, reason: "adds replicas" });
  expect(scaled(12, 3).nats).toBeGreaterThan(0.5);
});
