/** What a question looks at in a production that is too large to look at whole. */
import { expect, test } from "vitest";
import {
  defaultSettings,
  Graph,
  type ModelEvent,
  type NodeId,
  why,
  whyInGraph,
} from "../../../../src/model/index.ts";
import { eventsMax, scopeOf } from "../../../../src/model/why/scope.ts";

const minuteMs = 60_000;
const now = 1_000 * minuteMs;
const origin = { source: "test", reference: "made up" };
const service = (index: number): NodeId => `service:s${index}`;

let next = 0;
const told = (at: number) => ({ id: `e${next++}`, at, knownAt: at, origin });

/** A service calls the next two; each has pods. Those in `slow` answer late since five minutes. */
function production(services: number, slow: ReadonlySet<number>): ModelEvent[] {
  next = 0;
  const events: ModelEvent[] = [];
  const tie = (from: NodeId, to: NodeId, kind: "calls" | "part_of"): void => {
    events.push({ type: "edge", ...told(0), from, to, kind, basis: "declared" });
  };
  for (let at = 0; at < services; at++) {
    for (const callee of [2 * at + 1, 2 * at + 2])
      if (callee < services) tie(service(at), service(callee), "calls");
    for (let pod = 0; pod < 4; pod++) tie(`object:Pod/p${at}-${pod}`, service(at), "part_of");
    events.push({
      ...{ type: "series", ...told(now - 60 * minuteMs), node: service(at) },
      ...{ signal: "latency", name: "latency (mean)" },
      points: Array.from({ length: 60 }, (_, minute) => {
        const isLate = slow.has(at) && minute >= 55;
        return [now - (60 - minute) * minuteMs, (isLate ? 900 : 20) + (minute % 3)] as const;
      }),
    });
  }
  return events;
}

/** From the leaf to the root of the tree of calls. */
const callersOf = (leaf: number): number[] =>
  leaf === 0 ? [0] : [leaf, ...callersOf(Math.floor((leaf - 1) / 2))];

const symptom = { node: service(0), signal: "latency", at: now } as const;

function graphOf(events: readonly ModelEvent[]): Graph {
  const graph = new Graph();
  graph.add(events);
  return graph;
}

test("everything is looked at as long as it is not too much", () => {
  const events = production(40, new Set(callersOf(33)));
  const scope = scopeOf(graphOf(events), symptom, defaultSettings, events.length);
  expect(scope.bounded).toBeUndefined();
  expect(new Set(scope.events)).toEqual(new Set(events));
});

test("the trouble is followed to its end, however far that is, and calm parts are left out", () => {
  const leaf = 900;
  const events = production(1_000, new Set(callersOf(leaf)));
  const scope = scopeOf(graphOf(events), symptom, defaultSettings, 200);
  const { causes, verdict } = why(scope.events, symptom);
  expect([verdict, causes[0]?.node]).toEqual(["cause", service(leaf)]);
  expect([...scope.events].length).toBeLessThan(400);
  expect(scope.bounded?.nodes).toBeLessThan(200);
  expect(scope.bounded?.left).toBeGreaterThan(0);
});

test("in whatever order the events came, the same is looked at", () => {
  const events = production(500, new Set(callersOf(321)));
  const ids = (graph: Graph): string[] =>
    [...scopeOf(graph, symptom, defaultSettings, 300).events].map(({ id }) => id).sort();
  expect(ids(graphOf(events.toReversed()))).toEqual(ids(graphOf(events)));
});

test("without a node, wherever something was reported of late", () => {
  const events = production(500, new Set([321]));
  const alert: ModelEvent = {
    ...{ type: "alert", ...told(now - minuteMs), node: service(321), title: "slow" },
    ...{ signal: "latency", severity: "critical" },
  } as ModelEvent;
  const scope = scopeOf(graphOf([...events, alert]), { at: now }, defaultSettings, 100);
  expect([...scope.events].filter(({ type }) => type === "series")[0]).toMatchObject({
    node: service(321),
  });
});

test("what stands around in the namespace is looked at too: a quota hangs on no edge", () => {
  const events = production(500, new Set());
  const workload: NodeId = "workload:shop/cart";
  const quota: NodeId = "object:ResourceQuota/shop/all";
  events.push(
    {
      type: "edge",
      ...told(0),
      from: workload,
      to: service(0),
      kind: "part_of",
      basis: "declared",
    },
    { type: "node", ...told(0), node: quota, aspect: "status", value: { used: { pods: "9" } } },
    {
      ...{ type: "node", ...told(0), node: "object:ResourceQuota/elsewhere/all" },
      ...{ aspect: "status", value: {} },
    },
  );
  const scope = scopeOf(graphOf(events), symptom, defaultSettings, 200);
  const facts = [...scope.events].flatMap((event) => (event.type === "node" ? [event.node] : []));
  expect(facts).toEqual([quota]);
});

test("a change of ten hours ago is looked at, and the commit that was in it; telemetry of then is not", () => {
  const events = production(500, new Set([0]));
  const at = now - 600 * minuteMs;
  const change = (name: NodeId, causedBy: readonly NodeId[]): ModelEvent => ({
    ...{ type: "change", ...told(at), change: name, kind: "deploy", title: "release" },
    ...{ targets: name.startsWith("deploy:") ? [service(1)] : [], causedBy },
  });
  const line: ModelEvent = {
    ...{ type: "log", ...told(at), untilAt: at + 1, node: service(0), severity: "info" },
    ...{ template: "ready", example: "ready", entry: "", count: 1 },
  };
  const graph = graphOf([
    ...events,
    change("deploy:d", ["commit:c"]),
    change("commit:c", []),
    line,
  ]);
  const found = [...scopeOf(graph, symptom, defaultSettings, 100).events];
  expect(found.flatMap((event) => (event.type === "change" ? [event.change] : [])).sort()).toEqual([
    "commit:c",
    "deploy:d",
  ]);
  expect(found.filter(({ type }) => type === "log")).toEqual([]);
});

test("an answer that left no node out does not say so, however much is known of the few", () => {
  const lines = Array.from(
    { length: eventsMax + 1 },
    (_, index): ModelEvent => ({
      ...{ type: "log", ...told(now - index * minuteMs), untilAt: now, node: service(0) },
      ...{ severity: "info", template: "ready", example: "ready", entry: "", count: 1 },
    }),
  );
  const graph = graphOf(lines);
  const about = { ...symptom, node: service(0) };
  expect(scopeOf(graph, about, defaultSettings).bounded).toMatchObject({ left: 0 });
  expect(whyInGraph(graph, about).checkNext).toEqual([]);
});
