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
/** A namespace of at most this part of it is looked at whole. */
const wholeShare = 0.1;
/** Facts and the rest of an object, about. */
const eventsOfObject = 4;
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
  if (graph.eventCount <= most) return { events: graph.eventsWithChanges(settings.knownAt) };
  const view = graph.asOf(Number.POSITIVE_INFINITY, settings.knownAt);
  const gathering = new Gathering(view, symptom, settings, most);
  const left = gathering.walk(startsOf(view, symptom, settings));
  gathering.takeCluster();
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

interface Met {
  readonly node: NodeId;
  /** Steps through calm nodes on the way, two each, and one from a service to a part of it. */
  readonly calm: number;
}

/** What is to be walked to, the calmest last; of those alike, the first that was met first. */
class Fringe {
  readonly #queues: { readonly nodes: NodeId[]; taken: number }[] = [];

  add(node: NodeId, calm: number): void {
    while (this.#queues.length <= calm) this.#queues.push({ nodes: [], taken: 0 });
    this.#queues[calm]?.nodes.push(node);
  }

  take(): Met | undefined {
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
  readonly #most: number;
  /** Of which something is looked at, and those that are too large for what is left. */
  readonly #entered = new Set<string>();
  readonly #closed = new Set<string>();
  /** What is reported to be in trouble of late. */
  readonly #reported: ReadonlySet<NodeId>;
  readonly #told = new Set<string>();

  constructor(view: View, symptom: Symptom, settings: WhySettings, most: number) {
    this.#view = view;
    this.#symptom = symptom;
    this.#settings = settings;
    this.#most = most;
    const range = { fromAt: symptom.at - settings.lookbackMs, toAt: symptom.at + 1 };
    this.#reported = new Set(view.conditions(range).map(({ node }) => node));
  }

  /** A node of which nothing is told costs looking at it all the same. */
  get #size(): number {
    return this.nodes.size + this.events.length;
  }

  /** Returns how many nodes were seen from those walked to, and left. */
  walk(starts: readonly NodeId[]): number {
    const met = new Set(starts);
    const fringe = new Fringe();
    for (const start of starts) fringe.add(start, 0);
    while (this.#size < this.#most) {
      const next = fringe.take();
      if (next === undefined) break;
      if (!this.#enter(namespaceOf(next.node) ?? "")) continue;
      for (const { node, calm } of this.#beyond(next))
        if (!met.has(node)) {
          met.add(node);
          fringe.add(node, calm);
        }
    }
    return [...met].filter((node) => !this.nodes.has(node)).length;
  }

  /** What is called comes before what it consists of. */
  #beyond({ node, calm }: Met): readonly Met[] {
    const isCalm = !isTroubled(this.#take(node), this.#symptom, this.#settings);
    return this.#neighbours(node).map((next) => ({
      node: next,
      calm: (isCalm ? calm + 2 : 0) + (isCalled(next) ? 0 : 1),
    }));
  }

  /**
   * What a rule finds missing must not have been left out: so what people wrote in a namespace is looked at as a whole or not at
   * all, and with it, where it is too much, of what controllers made only what is reported and what edges lead to. False: not at all.
   */
  #enter(namespace: string): boolean {
    if (namespace === "" || this.#entered.has(namespace)) return true;
    if (this.#closed.has(namespace)) return false;
    const all = this.#view.inNamespace(namespace);
    const isWhole = all.length <= this.#most * wholeShare;
    const members = isWhole ? all : all.filter((node) => this.#isWritten(node));
    const isRoom = this.#size + members.length * eventsOfObject <= this.#most;
    if (!isRoom && this.#entered.size > 0) {
      this.#closed.add(namespace);
      return false;
    }
    this.#entered.add(namespace);
    for (const node of members) this.#take(node);
    return true;
  }

  /** Where there are namespaces, what the whole cluster relies on; few things, and what is missing there is a cause as well. */
  takeCluster(): void {
    if (this.#entered.size === 0) return;
    const system = this.#view.inNamespace("kube-system").filter((node) => this.#isWritten(node));
    for (const node of [...this.#view.inNamespace(""), ...system]) this.#take(node);
  }

  #isWritten(node: NodeId): boolean {
    return this.#reported.has(node) || !/^object:(?:Pod|ReplicaSet)\//.test(node);
  }

  /** Its events, which are among those looked at from now on. */
  #take(node: NodeId): readonly ModelEvent[] {
    const { lookbackMs } = this.#settings;
    const events = [
      ...this.#view.about(node, this.#symptom.at - lookbackMs - pastMs),
      ...this.#changesOf(node),
    ];
    if (this.nodes.has(node)) return events;
    this.nodes.add(node);
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
