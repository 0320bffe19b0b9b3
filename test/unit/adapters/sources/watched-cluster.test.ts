/** What a watch sees of a cluster: whatever happened, and whoever watched when, the model ends as the cluster is. */
import fc from "fast-check";
import { expect, test } from "vitest";
import "../../../fixtures/fixed-seed.ts";
import { type SeenChange, WatchedCluster } from "../../../../src/adapters/sources/index.ts";
import type { JsonObject } from "../../../../src/kernel/index.ts";
import { Graph } from "../../../../src/model/index.ts";
import { runsOf } from "../../../fixtures/effort.ts";

const start = Date.parse("2026-05-04T10:00:00.400Z");

function configMap(name: string, version: number, nowMs: number): JsonObject {
  const creationTimestamp = `${new Date(nowMs).toISOString().slice(0, 19)}Z`;
  return {
    ...{ apiVersion: "v1", kind: "ConfigMap", data: { version: String(version) } },
    metadata: {
      ...{ name, namespace: "shop", uid: `${name}-${version}`, creationTimestamp },
      ...{ resourceVersion: String(version), managedFields: [{ time: creationTimestamp }] },
    },
  };
}

/** A cluster, who watches it, and the model that comes of it. */
class World {
  readonly there = new Map<string, JsonObject>();
  readonly graph = new Graph();
  readonly #seen: SeenChange[] = [];
  /** As the informer holds it. */
  #held = new Map<string, JsonObject>();
  #watched: WatchedCluster | undefined;
  #isListed = false;
  #version = 0;
  nowMs = start;

  constructor() {
    this.restart();
  }

  apply(name: string): void {
    this.#version += 1;
    const object = configMap(name, this.#version, this.nowMs);
    this.#see(this.there.has(name) ? "MODIFIED" : "ADDED", object);
    this.there.set(name, object);
  }

  remove(name: string): void {
    const object = this.there.get(name);
    if (object === undefined) return;
    this.there.delete(name);
    this.#see("DELETED", object);
  }

  /** Nobody watches until `restart`. */
  stop(): void {
    this.store();
    this.#watched = undefined;
  }

  restart(): void {
    this.#watched = new WatchedCluster("shop", this.graph.latest());
    this.#held = new Map(this.there);
    this.#isListed = false;
    for (const object of this.there.values()) this.#see("ADDED", object);
  }

  store(): readonly string[] {
    const listed = this.#isListed ? [] : [{ kind: "ConfigMap" }];
    const events = this.#watched?.tell({
      ...{ changes: this.#seen.splice(0), listed, objects: this.#held.values() },
      ...{ unlisted: 0, refused: 0, nowMs: this.nowMs },
    });
    if (this.#watched !== undefined) this.#isListed = true;
    this.graph.add(events ?? []);
    return (events ?? []).map(({ id }) => id);
  }

  #see(type: SeenChange["type"], object: JsonObject): void {
    if (this.#watched === undefined) return;
    const { name } = object["metadata"] as { name: string };
    if (type === "DELETED") this.#held.delete(name);
    else this.#held.set(name, object);
    this.#seen.push({ type, object, kind: "ConfigMap", seenAt: this.nowMs });
  }

  known(): Record<string, unknown> {
    const view = this.graph.latest();
    const nodes = view.nodes().filter((node) => node.startsWith("object:"));
    return Object.fromEntries(
      nodes.map((node) => [node.split("/").at(-1), view.aspect(node, "data")?.value]),
    );
  }

  truth(): Record<string, unknown> {
    return Object.fromEntries([...this.there].map(([name, { data }]) => [name, data]));
  }
}

const step = fc.record({
  what: fc.constantFrom("apply", "apply", "remove", "store", "stop", "restart"),
  name: fc.constantFrom("a", "b", "c"),
  // Also within one millisecond, and within one of the seconds that Kubernetes counts.
  laterMs: fc.constantFrom(0, 0, 1, 30, 1_000, 90_000),
});

test("whatever happens to a cluster, and whoever watches when, the model ends as the cluster is", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const world = new World();
      for (const { what, name, laterMs } of steps) {
        world.nowMs += laterMs;
        if (what === "apply" || what === "remove") world[what](name);
        else world[what as "store" | "stop" | "restart"]();
      }
      // One who begins after all that, and has seen nothing of it.
      world.nowMs += 1;
      world.stop();
      world.nowMs += 1;
      world.restart();
      world.store();
      expect(world.known()).toEqual(world.truth());
    }),
    { numRuns: runsOf(300) },
  );
});

test("what was told is not told again by who begins anew", () => {
  const world = new World();
  world.apply("a");
  expect(world.store().length).toBeGreaterThan(0);
  world.nowMs += 5_000;
  world.stop();
  world.restart();
  expect(world.store()).toEqual([]);
});

test("an edit is a change, whether somebody watched or not; to list all again is none", () => {
  const world = new World();
  const changed = () =>
    world.graph
      .latest()
      .changes()
      .map(({ at, title }) => [at, title]);
  world.apply("a");
  world.store();
  world.nowMs += 60_000;
  world.apply("a");
  world.store();
  const first = [start + 60_000 - 400, "change of ConfigMap/shop/a: version from 1 to 2"];
  expect(changed()).toEqual([first]);
  world.stop();
  world.nowMs += 60_000;
  world.restart();
  world.store();
  expect(changed()).toEqual([first]);
  world.stop();
  world.apply("a");
  world.nowMs += 60_000;
  world.restart();
  world.store();
  const second = [start + 120_000 - 400, "change of ConfigMap/shop/a: version from 2 to 3"];
  expect(changed()).toEqual([first, second]);
});

test("a tie that its object does not say any more is gone; before all was listed, nobody knows", () => {
  const graph = new Graph();
  const deployment = (secretName: string): JsonObject => ({
    ...{ apiVersion: "apps/v1", kind: "Deployment" },
    metadata: { name: "cart", namespace: "shop", uid: "1", generation: secretName.length },
    spec: { template: { spec: { volumes: [{ secret: { secretName } }] } } },
  });
  const told = (watched: WatchedCluster, object: JsonObject, unlisted: number, nowMs: number) =>
    graph.add(
      watched.tell({
        changes: [{ type: "MODIFIED", object, kind: "Deployment", seenAt: nowMs }],
        ...{ listed: [{ kind: "Deployment" }], objects: [object], unlisted, refused: 0, nowMs },
      }),
    );
  const configured = () =>
    graph
      .latest()
      .edges({ from: "workload:shop/cart" })
      .flatMap(({ kind, to }) => (kind === "configured_by" ? [to] : []));
  told(new WatchedCluster("shop", graph.latest()), deployment("one"), 0, start);
  expect(configured()).toEqual(["object:Secret/shop/one"]);
  const later = new WatchedCluster("shop", graph.latest());
  told(later, deployment("other"), 1, start + 1_000);
  expect(configured()).toEqual(["object:Secret/shop/one", "object:Secret/shop/other"]);
  told(later, deployment("other"), 0, start + 2_000);
  expect(configured()).toEqual(["object:Secret/shop/other"]);
});

test("what is larger than an event is told by its digest", () => {
  const object: JsonObject = {
    ...{ apiVersion: "v1", kind: "ConfigMap", data: { big: "x".repeat(900_000) } },
    metadata: { name: "a", namespace: "shop", uid: "1" },
  };
  const events = new WatchedCluster("shop", new Graph().latest()).tell({
    changes: [{ type: "ADDED", object, kind: "ConfigMap", seenAt: start }],
    ...{ listed: [], objects: [object], unlisted: 0, refused: 0, nowMs: start },
  });
  const data = events.find((event) => event.type === "node" && event.aspect === "data");
  expect(data).toMatchObject({ value: { not_told: expect.stringMatching(/^\d+ characters$/) } });
});
