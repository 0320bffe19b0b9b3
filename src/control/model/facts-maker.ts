/** Makes the snapshot of facts that gateways decide by, whole each time; a node that nobody may act on is left out. */
import type { Result } from "../../kernel/index.ts";
import { err, ok } from "../../kernel/index.ts";
import {
  allKnown,
  exercised,
  factsLines,
  type Graph,
  type NodeId,
  type NodeKind,
  type Prediction,
  splitNodeId,
  type TargetFacts,
  targetFacts,
  toleranceOf,
  type View,
} from "../../model/index.ts";
import type { Clock, Disk } from "../../ports.ts";

/** What an action can be done to. */
const targetKinds: ReadonlySet<NodeKind> = new Set<NodeKind>([
  ...["service", "workload", "object", "namespace", "host"],
  ...["database", "queue", "config", "flag", "external"],
] as NodeKind[]);
/** More would make the snapshot slow to read; those that are left out count as unknown. */
const targetsMax = 100_000;
/** Traffic of this time counts as what is exercised. */
const exercisedMs = 60 * 60_000;
/** So long at a time, with room for people's requests in between. */
const turnMs = 20;

export interface FactsParts {
  readonly disk: Disk;
  readonly clock: Clock;
  readonly path: string;
}

/** What facts need of a confirmed incident. */
export interface KnownIncident {
  readonly node: NodeId;
  readonly kind: string;
  readonly chain: readonly NodeId[];
}

export interface FactsSources {
  readonly graph: Graph;
  readonly predictions: readonly Prediction[];
  readonly incidents: readonly KnownIncident[];
  readonly nowMs: number;
  /** Up to when a watched cluster is known to be as it was told; null: never. What hangs on it is no younger. */
  readonly watchedUntilMs?: number | null;
}

/** How many targets the snapshot holds. */
export async function makeFacts(
  { disk, clock, path }: FactsParts,
  { graph, predictions, incidents, nowMs, watchedUntilMs }: FactsSources,
): Promise<Result<number, string>> {
  // A window of traffic is known when it ends, and some of it is told before.
  const view = graph.asOf(nowMs, allKnown);
  const basis = {
    ...{ view, nowMs, memory: memoryOf(incidents) },
    seen: exercised(view, { fromAt: nowMs - exercisedMs, toAt: nowMs }),
    tolerance: toleranceOf(predictions),
  };
  const facts: TargetFacts[] = [];
  let turnEndMs = clock.monotonicMs() + turnMs;
  for (const target of targetsIn(view)) {
    facts.push(targetFacts(target, basis));
    if (clock.monotonicMs() < turnEndMs) continue;
    await clock.sleep(0);
    turnEndMs = clock.monotonicMs() + turnMs;
  }
  const head = {
    version: Math.floor(nowMs),
    madeAtMs: Math.floor(nowMs),
    toldAtMs: earlier(toldAt(graph, nowMs), watchedUntilMs),
  };
  const text = [...factsLines(head, facts), ""].join("\n");
  const stored = await disk.replace(path, new TextEncoder().encode(text));
  return stored.ok ? ok(facts.length) : err(`${stored.error.path}: ${stored.error.code}`);
}

function targetsIn(view: View): readonly NodeId[] {
  return view
    .nodes()
    .filter((node) => targetKinds.has(splitNodeId(node)?.kind ?? "observer"))
    .slice(0, targetsMax);
}

/** When the newest traffic or measurement was told: what else comes seldom says nothing of whether sources are alive. */
function toldAt(graph: Graph, nowMs: number): number | null {
  let newest: number | null = null;
  for (const { type, knownAt } of graph.events()) {
    if (type !== "traffic" && type !== "series") continue;
    if (knownAt <= nowMs && knownAt > (newest ?? Number.NEGATIVE_INFINITY)) newest = knownAt;
  }
  return newest === null ? null : Math.floor(newest);
}

function earlier(told: number | null, watched: number | null | undefined): number | null {
  if (watched === undefined) return told;
  return told === null || watched === null ? null : Math.floor(Math.min(told, watched));
}

const changeOf: Readonly<Record<string, string>> = {
  "change.code": "deploy",
  "change.config": "config",
  "change.flag": "flag",
  "change.migration": "migration",
};

/** Confirmed incidents about a node: it caused them, or trouble passed it. */
function memoryOf(incidents: readonly KnownIncident[]): (node: NodeId) => TargetFacts["memory"] {
  const byNode = new Map<NodeId, KnownIncident[]>();
  for (const incident of incidents)
    for (const node of new Set([incident.node, ...incident.chain]))
      byNode.set(node, [...(byNode.get(node) ?? []), incident]);
  return (node) => {
    const known = byNode.get(node) ?? [];
    const byChange: Record<string, number> = {};
    for (const { kind } of known) {
      const change = changeOf[kind];
      if (change !== undefined) byChange[change] = (byChange[change] ?? 0) + 1;
    }
    return { count: known.length, byChange };
  };
}
