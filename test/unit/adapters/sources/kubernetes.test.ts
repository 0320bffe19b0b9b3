/** Kubernetes objects: how they hang together, since when they are so, and what is never told of them. */
import { expect, test } from "vitest";
import { allKnown, Graph } from "../../../../src/model/index.ts";
import { eventsOf, file, of, receivedAt, ties } from "./telling.ts";

const at = Date.parse("2026-05-04T10:00:00Z");
const created = "2026-05-04T10:00:00Z";

const deployment = {
  apiVersion: "apps/v1",
  kind: "Deployment",
  metadata: {
    name: "cart",
    namespace: "shop",
    uid: "1",
    generation: 1,
    creationTimestamp: created,
    managedFields: [{ time: created }],
  },
  spec: {
    template: {
      metadata: { labels: { app: "cart" } },
      spec: {
        volumes: [
          { configMap: { name: "cart-files" } },
          { persistentVolumeClaim: { claimName: "cart-disk" } },
        ],
        containers: [
          {
            name: "c",
            env: [{ name: "P", valueFrom: { secretKeyRef: { name: "cart-db", key: "p" } } }],
          },
        ],
      },
    },
  },
  status: {
    conditions: [
      {
        type: "Available",
        status: "False",
        reason: "Min",
        message: "none",
        lastTransitionTime: created,
      },
    ],
  },
};
const replicaSet = {
  apiVersion: "apps/v1",
  kind: "ReplicaSet",
  metadata: {
    name: "cart-5d4f",
    namespace: "shop",
    uid: "2",
    ownerReferences: [{ kind: "Deployment", name: "cart" }],
  },
};
const pod = {
  apiVersion: "v1",
  kind: "Pod",
  metadata: {
    name: "cart-5d4f-x",
    namespace: "shop",
    uid: "3",
    ownerReferences: [{ kind: "ReplicaSet", name: "cart-5d4f" }],
  },
  spec: { nodeName: "node-1" },
};
const service = {
  apiVersion: "v1",
  kind: "Service",
  metadata: { name: "basket", namespace: "shop", uid: "4" },
  spec: { selector: { app: "cart" } },
};
const list = (...items: unknown[]) => ({ apiVersion: "v1", kind: "List", items });

test("objects hang together: pods, workloads, hosts, services, and what they are configured by", () => {
  expect(
    ties(eventsOf(file("all.json", list(pod, replicaSet, service, deployment)))).toSorted(),
  ).toEqual([
    "namespace:shop contains workload:shop/cart",
    "object:Pod/shop/cart-5d4f-x part_of workload:shop/cart",
    "object:Pod/shop/cart-5d4f-x runs_on host:node-1",
    "service:basket configured_by object:Service/shop/basket",
    "workload:shop/cart configured_by object:ConfigMap/shop/cart-files",
    "workload:shop/cart configured_by object:Secret/shop/cart-db",
    "workload:shop/cart depends_on object:PersistentVolumeClaim/shop/cart-disk",
    "workload:shop/cart part_of service:basket",
    "workload:shop/cart runs_on host:node-1",
  ]);
});

test("a list of one kind says so once, for all of its items", () => {
  const bare = ({ kind, apiVersion, ...rest }: Record<string, unknown>) => rest;
  const of = (...objects: Record<string, unknown>[]) =>
    objects.map((object, at) =>
      file(`${at}.json`, { ...list(bare(object)), kind: `${object["kind"]}List` }),
    );
  expect(ties(eventsOf(...of(pod, replicaSet, deployment)))).toContain(
    "object:Pod/shop/cart-5d4f-x part_of workload:shop/cart",
  );
});

test("files of a folder explain each other, in any order", () => {
  const files = [file("b.json", deployment), file("a.json", list(service, pod, replicaSet))];
  const said = (events: ReturnType<typeof eventsOf>) => events.map(({ id }) => id).toSorted();
  expect(said(eventsOf(...files))).toEqual(said(eventsOf(...files.toReversed())));
  expect(ties(eventsOf(...files))).toContain("workload:shop/cart part_of service:basket");
});

test("a specification is so since it was written, a status since it was seen", () => {
  const events = eventsOf(file("d.json", deployment));
  const since = Object.fromEntries(of("node", events).map((fact) => [fact.aspect, fact.at]));
  expect(since).toEqual({ metadata: at, spec: at, status: receivedAt });
  expect(of("node", events)[0]?.value).not.toHaveProperty("managedFields");
  expect(of("condition", events)).toMatchObject([
    { name: "Available", status: "false", message: "Min: none", at },
  ]);
});

test("who scales writes the specification too; a status does not", () => {
  const scaled = (replicas: number, ...written: readonly object[]) => ({
    ...deployment,
    metadata: { ...deployment.metadata, generation: replicas, managedFields: written },
    spec: { ...deployment.spec, replicas },
  });
  const edit = { time: created };
  const scale = { time: "2026-05-04T11:00:00Z", subresource: "scale" };
  const status = { time: "2026-05-04T11:30:00Z", subresource: "status" };
  const graph = new Graph();
  graph.add(eventsOf(file("a.json", scaled(2, edit))));
  graph.add(eventsOf(file("b.json", scaled(5, edit, scale, status))));
  expect(graph.latest().changes()).toMatchObject([
    { kind: "scale", at: Date.parse(scale.time), before: "2", after: "5" },
  ]);
});

test("what a secret holds is never told, wherever it is written", () => {
  const secret = {
    apiVersion: "v1",
    kind: "Secret",
    metadata: {
      name: "s",
      uid: "9",
      annotations: { "kubectl.kubernetes.io/last-applied-configuration": "hunter2" },
    },
    data: { password: "aHVudGVyMg==" },
  };
  const declared = {
    ...secret,
    metadata: { name: "s" },
    stringData: { token: "hunter2" },
    data: undefined,
  };
  for (const told of [secret, declared]) {
    const text = JSON.stringify(eventsOf(file("s.json", told)));
    expect(text).toContain("(not told)");
    expect(text).not.toMatch(/hunter2|aHVudGVyMg/);
  }
});

test("a watch tells what comes and goes; events are conditions of what they are about", () => {
  const lines = [
    { type: "ADDED", object: deployment },
    {
      type: "DELETED",
      object: {
        ...deployment,
        metadata: { ...deployment.metadata, deletionTimestamp: "2026-05-04T11:00:00Z" },
      },
    },
  ];
  const graph = new Graph();
  graph.add(eventsOf(file("w.jsonl", lines.map((line) => JSON.stringify(line)).join("\n"))));
  expect(graph.asOf(at + 1, allKnown).node("workload:shop/cart")).toBeDefined();
  expect(
    graph.asOf(Date.parse("2026-05-04T11:00:00Z"), allKnown).aspect("workload:shop/cart", "spec"),
  ).toBeUndefined();
  const event = {
    apiVersion: "v1",
    kind: "Event",
    metadata: { name: "e", namespace: "shop" },
    involvedObject: { kind: "Pod", namespace: "shop", name: "cart-1" },
    ...{ type: "Warning", reason: "FailedScheduling", message: "0/3 nodes", count: 4 },
    ...{ firstTimestamp: created, lastTimestamp: "2026-05-04T10:05:00Z" },
  };
  expect(of("condition", eventsOf(file("e.json", event)))).toMatchObject([
    {
      node: "object:Pod/shop/cart-1",
      name: "FailedScheduling",
      status: "true",
      at,
      untilAt: at + 300_000,
      count: 4,
    },
  ]);
});

test("owners in a circle end", () => {
  const circle = (name: string, owner: string) => ({
    ...pod,
    metadata: {
      name,
      namespace: "shop",
      uid: name,
      ownerReferences: [{ kind: "Pod", name: owner }],
    },
  });
  expect(eventsOf(file("c.json", list(circle("a", "b"), circle("b", "a"))))).not.toEqual([]);
});
