/**
 * What a question is about, in a production of any size. Up to `eventsMax` events all of them are looked at. Of more, those
 * nearest to the trouble: from the symptom along what can have caused it, first through nodes that are in trouble themselves,
 * then through calm ones, until there are enough. So the time of an answer does not grow with what else is known.
 */
import type { Symptom } from "../answer.ts";
import type { Change, ModelEvent } from "../event.ts";
import type { Graph, View } from "../graph/index.ts";
import { type EdgeKind, type NodeId, splitNodeId } from "../graph-words.ts";
import { namespaceOf } from "../kubernetes-id.ts";
import type { WhySettings } from "./case.ts";
import { isTroubled } from "./troubled.ts";

export interface Scope {
  readonly events: Iterable<ModelEvent>;
  /** Absent when everything that is known is in it. */
  readonly bounded?: {
    readonly nodes: number;
    /** At least so many nodes that can have to do with it are not. */
    readonly left: number;
  };
}

export const eventsMax = 12_000;
/** This part is kept for what stands around the nodes that were walked to: their namespaces, and the cluster. */
const aroundShare = 0.25;
/** Of what is measured and said before the lookback so much is compared with, once there is too much. */
const pastMs = 2 * 3_600_000;
/** A leak takes its time: changes are few, and looked at from longer ago. */
const changesMs = 7 * 24 * 3_600_000;

/** From a node to what can be the cause of its trouble … */
const down: readonly EdgeKind[] = [
  "calls",
  "depends_on",
  "configured_by",
  "runs_on",
  "changed_by",
  "observes",
];
/** … to what it consists of, what holds it, and who calls it. */
const up: readonly EdgeKind[] = ["part_of", "contains", "calls"];

export function scopeOf(
  graph: Graph,
  symptom: Symptom,
  settings: WhySettings,
  most: number = eventsMax,
): Scope {
  if (graph.eventCount <= most) return { events: graph.events() };
  const view = graph.asOf(Number.POSITIVE_INFINITY, settings.knownAt);
  const gathering = new Gathering(view, symptom, settings);
  const left = gathering.walk(startsOf(view, symptom, settings), most * (1 - aroundShare));
  gathering.around(most);
  const { events, nodes } = gathering;
  return { events: [...events, ...view.edgesAmong(nodes)], bounded: { nodes: nodes.size, left } };
}

/** Where no node is named: wherever something was reported of late. */
function startsOf(view: View, { node, at }: Symptom, { lookbackMs }: WhySettings): NodeId[] {
  if (node !== undefined) return [node];
  const range = { fromAt: at - lookbackMs, toAt: at + 1 };
  const reported = [...view.alerts(range), ...view.conditions(range)];
  return [...new Set(reported.map((each) => each.node))].sort();
}

/** What is to be walked to, by the number of calm nodes in a row on the way; of those alike, the first that was met. */
class Fringe {
  readonly #queues: { readonly nodes: NodeId[]; taken: number }[] = [];

  add(node: NodeId, calm: number): void {
    while (this.#queues.length <= calm) this.#queues.push({ nodes: [], taken: 0 });
    this.#queues[calm]?.nodes.push(node);
  }

  take(): { readonly node: NodeId; readonly calm: number } | undefined {
    const calm = this.#queues.findIndex(({ nodes, taken }) => taken < nodes.length);
    const queue = this.#queues[calm];
    const node = queue?.nodes[queue.taken];
    if (queue === undefined || node === undefined) return undefined;
    queue.taken += 1;
    return { node, calm };
  }
}

class Gathering {
  readonly events: ModelEvent[] = [];
  readonly nodes = new Set<NodeId>();
  readonly #view: View;
  readonly #symptom: Symptom;
  readonly #settings: WhySettings;
  readonly #told = new Set<string>();

  constructor(view: View, symptom: Symptom, settings: WhySettings) {
    this.#view = view;
    this.#symptom = symptom;
    this.#settings = settings;
  }

  /** A node of which nothing is told costs looking at it all the same. */
  get #size(): number {
    return this.nodes.size + this.events.length;
  }

  /** Returns how many nodes were seen from those walked to, and left. */
  walk(starts: readonly NodeId[], most: number): number {
    const met = new Set(starts);
    const fringe = new Fringe();
    for (const start of starts) fringe.add(start, 0);
    while (this.#size < most) {
      const next = fringe.take();
      if (next === undefined) break;
      const { node, calm } = next;
      const isCalm = !isTroubled(this.#take(node), this.#symptom, this.#settings);
      for (const neighbour of this.#neighbours(node).filter((each) => !met.has(each))) {
        met.add(neighbour);
        // What else is called comes before what a calm service consists of.
        fringe.add(neighbour, isCalm ? calm + (isCalled(neighbour) ? 1 : 2) : 0);
      }
    }
    return met.size - this.nodes.size;
  }

  /** What no edge leads to: the rest of the namespaces that were walked to, then what the whole cluster relies on. */
  around(most: number): void {
    const names = new Set([...this.nodes].flatMap((node) => namespaceOf(node) ?? []));
    names.delete("");
    if (names.size === 0) return;
    const { at } = this.#symptom;
    const range = { fromAt: at - this.#settings.lookbackMs, toAt: at + 1 };
    const reported = new Set(this.#view.conditions(range).map(({ node }) => node));
    // What is reported to be in trouble, then what people wrote, then what controllers made of it.
    const rankOf = (node: NodeId): number =>
      reported.has(node) ? 0 : /^object:(?:Pod|ReplicaSet)\//.test(node) ? 2 : 1;
    const shared = ["", "kube-system"];
    for (const namespaces of [[...names].sort(), shared]) {
      const ranked = namespaces
        .flatMap((name) => this.#view.inNamespace(name))
        .map((node) => ({ node, rank: rankOf(node) }));
      for (const { node } of ranked.sort((a, b) => a.rank - b.rank)) {
        if (this.#size >= most) return;
        this.#take(node);
      }
    }
  }

  #take(node: NodeId): readonly ModelEvent[] {
    if (this.nodes.has(node)) return [];
    this.nodes.add(node);
    const { lookbackMs } = this.#settings;
    const events = [
      ...this.#view.about(node, this.#symptom.at - lookbackMs - pastMs),
      ...this.#changesOf(node),
    ];
    for (const event of events) {
      if (this.#told.has(event.id)) continue;
      this.#told.add(event.id);
      this.events.push(event);
    }
    return events;
  }

  #changesOf(node: NodeId): readonly Change[] {
    return this.#view.changes({ fromAt: this.#symptom.at - changesMs }, { node });
  }

  /** Nearest and in one order. What a change came from has to do with what it changed. */
  #neighbours(node: NodeId): readonly NodeId[] {
    const causes = this.#changesOf(node).flatMap(({ change, causedBy }) => [
      change,
      ...(causedBy ?? []),
    ]);
    const near = [
      ...this.#view.neighbours(node, { direction: "out", kinds: down }),
      ...this.#view.neighbours(node, { direction: "in", kinds: up }),
    ];
    return [...new Set([...near.map((each) => each.node), ...causes])];
  }
}

function isCalled(node: NodeId): boolean {
  const kind = splitNodeId(node)?.kind;
  return kind === "service" || kind === "database" || kind === "queue";
}
