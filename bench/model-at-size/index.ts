/**
 * The runtime model at the size that it is made for: 100,000 nodes and a million edges, of which the calls are a part, as in a
 * large production; questions as of random moments. The baseline is a plain breadth-first search over objects in a map, which
 * knows no time.
 */
import { impactOf } from "../../src/cli/model/impact-of.ts";
import {
  defaultSettings,
  type EdgeKind,
  Graph,
  type ModelEvent,
  type NodeId,
  whyInGraph,
} from "../../src/model/index.ts";
import { Random } from "../../src/sim/index.ts";
import { type Measured, measured, quantile } from "../measure.ts";
import { type Fault, podOf, pods, production, services, spanMs } from "./production.ts";

const questions = 200;

export function benchModel(trials: number): Promise<readonly Measured[]> {
  const { events, faults, now } = production();
  const plain = plainGraph(events);
  const folds: number[] = [];
  let graph = new Graph();
  for (let trial = 0; trial < trials; trial++) {
    graph = new Graph();
    const start = performance.now();
    graph.add(events);
    folds.push(events.length / (performance.now() - start));
  }
  const random = new Random(11);
  const at = (): number => random.below(spanMs);
  const service = (): NodeId => `service:s${random.below(services)}`;
  const anything = (): NodeId => podOf(random.below(pods));
  const ask = (what: string, work: () => void, base?: readonly Measured[]): readonly Measured[] => {
    const median: number[] = [];
    const p99: number[] = [];
    for (let trial = 0; trial < trials; trial++) {
      const took = timesOf(work);
      median.push(quantile(took, 0.5));
      p99.push(quantile(took, 0.99));
    }
    return [
      measured(`${what}, p50`, "ms", median, base?.[0]),
      measured(`${what}, p99`, "ms", p99, base?.[1]),
    ];
  };
  const plainNear = ask("neighbourhood, 2 edges, plain search without time", () =>
    search(plain, service(), 2),
  );
  const plainReach = ask("reach over calls, plain search without time", () =>
    search(plain, service(), 20, callKinds),
  );
  return Promise.resolve([
    measured("events folded", "events/ms", folds),
    ...plainNear,
    ...ask(
      "as-of neighbourhood of a service, 2 edges",
      () => graph.asOf(at(), at()).neighbours(service(), { direction: "both", depth: 2 }),
      plainNear,
    ),
    ...ask("as-of neighbourhood of a pod, 3 edges", () =>
      graph.asOf(at(), at()).neighbours(anything(), { direction: "both", depth: 3 }),
    ),
    ...plainReach,
    ...ask(
      "reach of a service, latest: all that depends on it, of 4,000",
      () => graph.latest().reach([service()], { ...dependents, depth: 20 }),
      plainReach,
    ),
    ...ask("reach of a service, latest: 3 calls away", () =>
      graph.latest().reach([service()], { ...dependents, depth: 3 }),
    ),
    ...ask("as-of reach of a service: all that depended on it", () =>
      graph.asOf(at(), at()).reach([service()], { ...dependents, depth: 20 }),
    ),
    ...ask("as-of aspects of a node", () => graph.asOf(at(), at()).node(service())),
    ...ask("blast radius as a full report", () => {
      const asked = impactOf({ what: service(), at: now, trafficMs: 3_600_000 }, noPast(graph));
      if (!asked.ok) throw new Error(asked.error);
    }),
    ...rootCause(graph, faults, now, trials),
  ]);
}

const noPast = (graph: Graph) => ({
  ...{ graph, predictions: [], policy: undefined, incidentKeepMs: 0 },
});

/** A wrong answer is nothing to measure. All faults are there at once, and one below the symptom is as good as another. */
function rootCause(
  graph: Graph,
  faults: readonly Fault[],
  now: number,
  trials: number,
): readonly Measured[] {
  const took = Array.from({ length: trials }, () =>
    faults.map(({ noticedAt }) => {
      const start = performance.now();
      const symptom = { node: noticedAt, signal: "latency", at: now } as const;
      const { causes } = whyInGraph(graph, symptom, defaultSettings);
      const ms = performance.now() - start;
      if (!faults.some(({ culprit }) => culprit === causes[0]?.node))
        throw new Error(`${noticedAt}: ${causes[0]?.node ?? "nothing"} was named, and is well`);
      return ms;
    }),
  );
  return [0.5, 0.95].map((part) =>
    measured(
      `root cause, four calls away, p${part * 100}`,
      "ms",
      took.map((each) => quantile(each, part)),
    ),
  );
}

const callKinds: readonly EdgeKind[] = ["calls", "depends_on"];
const dependents = { direction: "in", kinds: callKinds } as const;

function timesOf(work: () => void): readonly number[] {
  return Array.from({ length: questions }, () => {
    const start = performance.now();
    work();
    return performance.now() - start;
  });
}

interface PlainEdge {
  readonly to: NodeId;
  readonly kind: EdgeKind;
  readonly isBack: boolean;
}

type Plain = ReadonlyMap<NodeId, readonly PlainEdge[]>;

/** Edges in both directions, as one would write it first. */
function plainGraph(events: readonly ModelEvent[]): Plain {
  const plain = new Map<NodeId, PlainEdge[]>();
  const add = (from: NodeId, edge: PlainEdge): void => {
    const edges = plain.get(from) ?? [];
    plain.set(from, edges);
    edges.push(edge);
  };
  for (const event of events)
    if (event.type === "edge") {
      add(event.from, { to: event.to, kind: event.kind, isBack: false });
      add(event.to, { to: event.from, kind: event.kind, isBack: true });
    }
  return plain;
}

/** With `kinds`, only against edges of those. */
function search(plain: Plain, start: NodeId, depth: number, kinds?: readonly EdgeKind[]): number {
  const seen = new Set([start]);
  let frontier = [start];
  for (let step = 0; step < depth && frontier.length > 0; step++) {
    const next: NodeId[] = [];
    for (const node of frontier)
      for (const { to, kind, isBack } of plain.get(node) ?? [])
        if (!seen.has(to) && (kinds === undefined || (isBack && kinds.includes(kind)))) {
          seen.add(to);
          next.push(to);
        }
    frontier = next;
  }
  return seen.size;
}
