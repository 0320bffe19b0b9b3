/**
 * The graph from one moment: what was so at `validAt`, by what was known at `knownAt`. Answers do not depend on the order in
 * which events came; lists are in order of time, then of id.
 */
import type { JsonObject } from "../../kernel/index.ts";
import type {
  AgentAction,
  Alert,
  Change,
  ChangeKind,
  Condition,
  LogTemplate,
  ModelEvent,
  NodeFact,
  Origin,
  Series,
  Signal,
  Traffic,
} from "../event.ts";
import { type EdgeKind, type NodeId, type NodeKind, splitNodeId } from "../graph-words.ts";
import { edgesAmong, eventsAbout } from "./about.ts";
import { AllChanges } from "./all-changes.ts";
import { type Contract, contracts } from "./contracts.ts";
import type { Basis } from "./edge-table.ts";
import type { NodeEvents } from "./event-list.ts";
import type { Dated, Moment } from "./order.ts";
import { type Neighbour, type ReachOptions, reach } from "./reach.ts";
import type { Tables } from "./tables.ts";
import { type Version, versionsOf } from "./versions.ts";

export interface AspectView {
  readonly value: JsonObject;
  /** When the source last said so. */
  readonly at: number;
  readonly knownAt: number;
  readonly origin: Origin;
}

export interface NodeView {
  readonly id: NodeId;
  readonly kind: NodeKind | undefined;
  readonly name: string;
  readonly aspects: ReadonlyMap<string, AspectView>;
}

export interface EdgeView {
  readonly from: NodeId;
  readonly to: NodeId;
  readonly kind: EdgeKind;
  readonly basis: Basis;
  /** When it was last told, or seen. */
  readonly lastAt: number;
  readonly origin: Origin;
}

/** `fromAt` ≤ time < `toAt`; all of it unless given. */
export interface TimeRange {
  readonly fromAt?: number;
  readonly toAt?: number;
}

const always = { fromAt: Number.NEGATIVE_INFINITY, toAt: Number.POSITIVE_INFINITY };

export class View implements Moment {
  readonly validAt: number;
  readonly knownAt: number;
  readonly #tables: Tables;
  /** Until more is folded. */
  #changes: { readonly folds: number; readonly all: AllChanges } | undefined;

  constructor(tables: Tables, { validAt, knownAt }: Moment) {
    this.#tables = tables;
    this.validAt = validAt;
    this.knownAt = knownAt;
  }

  /** What is so of a node; undefined when nothing speaks of it, or it is gone. */
  node(id: NodeId): NodeView | undefined {
    const { nodes } = this.#tables;
    const index = nodes.indexOf(id);
    if (index === undefined || !this.#tables.isNodeThere(index, this)) return undefined;
    const aspects = new Map<string, AspectView>();
    for (const name of nodes.aspectNames(index)) {
      const found = this.aspect(id, name);
      if (found !== undefined) aspects.set(name, found);
    }
    const split = splitNodeId(id);
    return { id, kind: split?.kind, name: split?.name ?? id, aspects };
  }

  /** Whether anything spoke of the node, and it is not gone. */
  has(id: NodeId): boolean {
    const index = this.#tables.nodes.indexOf(id);
    return index !== undefined && this.#tables.isNodeThere(index, this);
  }

  /** One aspect of a node. */
  aspect(id: NodeId, name: string): AspectView | undefined {
    const index = this.#tables.nodes.indexOf(id);
    const fact = index === undefined ? undefined : this.#tables.nodes.factAt(index, name, this);
    if (fact === undefined || fact.value === null) return undefined;
    return { value: fact.value, at: fact.at, knownAt: fact.knownAt, origin: fact.origin };
  }

  /** Every node that is there, of one kind or of all, by id. */
  nodes(kind?: NodeKind): readonly NodeId[] {
    const { ids } = this.#tables.nodes;
    return ids
      .filter((id, index) => {
        const isWanted = kind === undefined || id.startsWith(`${kind}:`);
        return isWanted && this.#tables.isNodeThere(index, this);
      })
      .sort();
  }

  /** Kubernetes objects of a namespace, or of the cluster where it is "", by id. */
  inNamespace(namespace: string): readonly NodeId[] {
    return this.#tables.namespaces
      .members(namespace)
      .filter((index) => this.#tables.isNodeThere(index, this))
      .map((index) => this.#tables.nodes.ids[index] as NodeId)
      .sort();
  }

  /** Nodes around one, nearest first. */
  neighbours(id: NodeId, options: ReachOptions): readonly Neighbour[] {
    return this.reach([id], options);
  }

  /** What any of these leads to, nearest first, themselves excluded. */
  reach(ids: readonly NodeId[], options: ReachOptions): readonly Neighbour[] {
    const starts = ids
      .map((id) => this.#tables.nodes.indexOf(id))
      .filter((index) => index !== undefined);
    return reach(this.#tables, this, starts, options);
  }

  /** The edges that leave a node, or enter it, or of the whole graph. By their ends, kind and basis. */
  edges(of: { readonly from?: NodeId; readonly to?: NodeId } = {}): readonly EdgeView[] {
    const { nodes, edges } = this.#tables;
    const found: EdgeView[] = [];
    const take = (edge: number): void => {
      const view = this.#edge(edge);
      if (view === undefined) return;
      if ((of.from ?? view.from) === view.from && (of.to ?? view.to) === view.to) found.push(view);
    };
    const [from, to] = [of.from, of.to].map((id) =>
      id === undefined ? -1 : (nodes.indexOf(id) ?? -2),
    );
    if (from === -2 || to === -2) return [];
    if (from !== undefined && from >= 0) edges.eachOut(from, take);
    else if (to !== undefined && to >= 0) edges.eachIn(to, take);
    else for (let edge = 0; edge < edges.count; edge++) take(edge);
    return found.sort((a, b) => (edgeText(a) < edgeText(b) ? -1 : 1));
  }

  /** Declared dependencies beside observed calls. */
  contracts(): readonly Contract[] {
    return contracts(this.#tables, this);
  }

  /** Every value of an aspect until now, in order of time. */
  versions(id: NodeId, aspect: string): readonly Version[] {
    const index = this.#tables.nodes.indexOf(id);
    return index === undefined ? [] : versionsOf(this.#tables.nodes, index, aspect, this);
  }

  /**
   * The last version before the one that is in force at `before`, among those that `isGood` accepts: unless given, those at
   * whose end no alert about the node was open.
   */
  lastKnownGood(
    id: NodeId,
    aspect: string,
    before: number,
    isGood: (version: Version) => boolean = (version) => !this.#isAlerting(id, version),
  ): Version | undefined {
    const past = this.versions(id, aspect).filter(
      ({ value, untilAt }) => value !== null && untilAt !== null && untilAt <= before,
    );
    return past.findLast(isGood);
  }

  /**
   * What changed within a range, told or seen in successive facts; only what is, or what aims at, `node`, when it is given.
   */
  changes(
    range: TimeRange = {},
    { node, kinds }: { readonly node?: NodeId; readonly kinds?: readonly ChangeKind[] } = {},
  ): readonly Change[] {
    const { fromAt, toAt } = { ...always, ...range };
    const index = node === undefined ? undefined : this.#tables.nodes.indexOf(node);
    const isUnknown = node !== undefined && index === undefined;
    const found = isUnknown ? [] : this.#allChanges().within(fromAt, toAt, index);
    return kinds === undefined ? found : found.filter(({ kind }) => kinds.includes(kind));
  }

  /** Measurements of a node, as long as they were known; points after `validAt` are left out. */
  series(
    node: NodeId | undefined,
    { signal, operation }: { readonly signal?: Signal; readonly operation?: string } = {},
  ): readonly Series[] {
    return this.#events(this.#tables.series, node, {})
      .filter(
        (series) =>
          (signal === undefined || series.signal === signal) &&
          (operation === undefined || series.operation === operation),
      )
      .map((series) => cutAfter(series, this.validAt));
  }

  /** Windows of traffic that began within a range, of one caller or one callee where given. */
  traffic(
    range: TimeRange = {},
    { caller, callee }: { readonly caller?: NodeId; readonly callee?: NodeId } = {},
  ): readonly Traffic[] {
    if (caller === undefined) return this.#events(this.#tables.callees, callee, range);
    return this.#events(this.#tables.callers, caller, range).filter(
      (traffic) => callee === undefined || traffic.callee === callee,
    );
  }

  /** Windows of log templates that began within a range. */
  logs(range: TimeRange = {}, node?: NodeId): readonly LogTemplate[] {
    return this.#events(this.#tables.logs, node, range);
  }

  /** Conditions that held within a range: until they were last seen, or until the next of that name, where nothing says. */
  conditions(range: TimeRange = {}, node?: NodeId): readonly Condition[] {
    const { fromAt, toAt } = { ...always, ...range };
    const all = this.#events(this.#tables.conditions, node, { toAt });
    const ends = new Map<string, number>();
    const held = all.toReversed().filter((condition) => {
      const { at, untilAt, name } = condition;
      const key = JSON.stringify([condition.node, name]);
      const end = untilAt ?? ends.get(key) ?? Number.POSITIVE_INFINITY;
      ends.set(key, at);
      return Math.max(at, end) >= fromAt;
    });
    return held.reverse();
  }

  /** Alerts that were open at any time within a range; each once, by the last that is known of it. */
  alerts(range: TimeRange = {}, node?: NodeId): readonly Alert[] {
    const { fromAt, toAt } = { ...always, ...range };
    const byAlert = new Map<string, Alert>();
    for (const alert of this.#events(this.#tables.alerts, node, { toAt })) {
      const { at, signal, operation, title } = alert;
      byAlert.set(JSON.stringify([alert.node, at, signal, operation ?? null, title]), alert);
    }
    return [...byAlert.values()].filter(
      ({ resolvedAt }) => (resolvedAt ?? Number.POSITIVE_INFINITY) >= fromAt,
    );
  }

  /** Every fact about one aspect, of whatever node, until now. */
  facts(aspect: string): readonly NodeFact[] {
    const { nodes } = this.#tables;
    return nodes
      .told(aspect)
      .flatMap((index) =>
        nodes
          .facts(index, aspect)
          .filter(({ at, knownAt }) => at <= this.validAt && knownAt <= this.knownAt),
      );
  }

  /** Edges of which both ends are among these, as they were last told. */
  edgesAmong(ids: Iterable<NodeId>): readonly ModelEvent[] {
    const indexes = [...ids].flatMap((id) => this.#tables.nodes.indexOf(id) ?? []);
    return edgesAmong(this.#tables, this, new Set(indexes));
  }

  /** Every event about a node since `fromAt`, and the facts that were in force then; its edges and changes have their own questions. */
  about(id: NodeId, fromAt: number): readonly ModelEvent[] {
    const index = this.#tables.nodes.indexOf(id);
    return index === undefined ? [] : eventsAbout(this.#tables, this, index, fromAt);
  }

  /** What agents did within a range: of an agent, with a tool, or to a target. */
  actions(range: TimeRange = {}, node?: NodeId): readonly AgentAction[] {
    return this.#events(this.#tables.actions, node, range);
  }

  #events<T extends Dated>(events: NodeEvents<T>, node: NodeId | undefined, range: TimeRange) {
    const { fromAt, toAt } = { ...always, ...range };
    const list = node === undefined ? events.all : events.of(this.#tables.nodes.indexOf(node));
    return list.within(fromAt, toAt, this);
  }

  #allChanges(): AllChanges {
    const { folds } = this.#tables;
    if (this.#changes?.folds !== folds)
      this.#changes = { folds, all: new AllChanges(this.#tables, this) };
    return this.#changes.all;
  }

  #edge(edge: number): EdgeView | undefined {
    const { nodes, edges } = this.#tables;
    if (!this.#tables.isEdgeThere(edge, this)) return undefined;
    const last = edges.sighting(edge, this);
    if (last === undefined) return undefined;
    return {
      from: nodes.ids[edges.from(edge)] as NodeId,
      to: nodes.ids[edges.to(edge)] as NodeId,
      kind: edges.kind(edge),
      basis: edges.basis(edge),
      lastAt: last.type === "traffic" ? last.untilAt : last.at,
      origin: last.origin,
    };
  }

  #isAlerting(id: NodeId, { untilAt }: Version): boolean {
    return untilAt !== null && this.alerts({ fromAt: untilAt, toAt: untilAt }, id).length > 0;
  }
}

function edgeText({ from, to, kind, basis }: EdgeView): string {
  return `${from}\n${to}\n${kind}\n${basis}`;
}

function cutAfter(series: Series, at: number): Series {
  const last = series.points.at(-1);
  if (last === undefined || last[0] <= at) return series;
  return { ...series, points: series.points.filter(([each]) => each <= at) };
}
