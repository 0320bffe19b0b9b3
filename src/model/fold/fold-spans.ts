/** Spans become traffic: who called whom, from and by which operation, how often, and how slowly. */
import { sha256Hex } from "../../kernel/index.ts";
import type { Quantiles, Traffic } from "../event.ts";
import { type NodeId, nodeId } from "../graph-words.ts";
import { entriesOf } from "./entries.ts";
import { quantilesOf } from "./quantiles.ts";
import { selfTime } from "./self-time.ts";
import type { Span, SpanFaults } from "./span.ts";
import { type SpanForest, spanForest } from "./span-forest.ts";

export interface SpanFolding {
  /** Begins the ids of what is folded, and is the reference of its origin: the same spans under it give the same events. */
  readonly id: string;
  readonly source: string;
  /** Spans are counted by the window they start in; all in the one that is given, or in windows of this length. */
  readonly window: { readonly at: number; readonly untilAt: number } | { readonly ms: number };
  /** When the spans were known; unless given, each window is known when it ends. */
  readonly knownAt?: number;
  /** The service nodes, unless given. */
  readonly nodeOf?: (service: string) => NodeId;
  /** Ways and operations that are told apart; 100,000 unless given. */
  readonly linksMax?: number;
}

export interface FoldedSpans {
  /** A step within one service has its caller for callee. */
  readonly traffic: readonly Traffic[];
  /** Of each of these, by its id: a digest of the spans that it counts. The same spans, the same digest. */
  readonly countedIn: ReadonlyMap<string, string>;
  /** By trace: the operation by which the outside entered. */
  readonly entries: ReadonlyMap<string, string>;
  readonly faults: SpanFaults;
}

const linksMaxUnlessGiven = 100_000;
const other = "<other>";

/** Any order of the spans gives the same traffic. Takes time in proportion to them, whatever their shape. */
export function foldSpans(spans: Iterable<Span>, folding: SpanFolding): FoldedSpans {
  const fold = new Fold(spanForest(spans), folding);
  return fold.run();
}

interface Link {
  readonly at: number;
  readonly untilAt: number;
  readonly caller: NodeId | null;
  readonly callerOperation: string;
  readonly callee: NodeId;
  readonly operation: string;
  readonly entry: string;
  errors: number;
  readonly spans: string[];
  readonly totalUs: number[];
  readonly selfUs: number[];
  readonly wayUs: number[];
}

type LinkName = Omit<Link, "errors" | "spans" | "totalUs" | "selfUs" | "wayUs">;

class Fold {
  readonly #forest: SpanForest;
  readonly #entries: readonly string[];
  readonly #folding: SpanFolding;
  readonly #nodeOf: (service: string) => NodeId;
  readonly #links = new Map<string, Link>();
  #skewed = 0;
  #lumped = 0;

  constructor(forest: SpanForest, folding: SpanFolding) {
    this.#forest = forest;
    this.#entries = entriesOf(forest);
    this.#folding = folding;
    this.#nodeOf = folding.nodeOf ?? ((service) => nodeId("service", service));
  }

  run(): FoldedSpans {
    const { spans, repeated, orphaned, cyclic } = this.#forest;
    const entries = new Map<string, string>();
    for (const [at, span] of spans.entries()) {
      this.#addSpan(at, span);
      const entry = this.#entries[at] ?? "";
      if (entry !== "" && !entries.has(span.trace)) entries.set(span.trace, entry);
    }
    const traffic = [...this.#links].map(([key, link]) => trafficOf(key, link, this.#folding));
    const digests = [...this.#links.values()].map((link) => sha256Hex(link.spans.join(" ")));
    const countedIn = new Map(traffic.map(({ id }, index) => [id, digests[index] ?? ""]));
    const faults = { repeated, orphaned, cyclic, skewed: this.#skewed, lumped: this.#lumped };
    return { traffic, countedIn, entries, faults };
  }

  #addSpan(at: number, span: Span): void {
    if (span.isTold === true) return;
    const { spans, parents, children } = this.#forest;
    const parent = spans[parents[at] ?? -1];
    const below = children(at).map((child) => spans[child] as Span);
    const entry = this.#entries[at] ?? "";
    const callee = this.#nodeOf(span.service);
    // What fails at a party that tells no spans is told of that party, and once.
    const isOfPeer =
      span.peer !== undefined && !below.some(({ service }) => service !== span.service);
    const link = this.#link(
      {
        ...windowOf(span, this.#folding),
        caller: parent === undefined ? null : this.#nodeOf(parent.service),
        callerOperation: parent?.operation ?? "",
        callee,
        operation: span.operation,
        entry,
      },
      isOfPeer ? { ...span, isError: false } : span,
    );
    // The time of a caller's side of one call is the way and the callee's, nothing of its own.
    if (!isCallerSide(span, below)) {
      const { selfUs, skewed } = selfTime(span, below);
      if (span.peer === undefined) link.selfUs.push(selfUs);
      this.#skewed += skewed;
    }
    if (parent !== undefined && span.service !== parent.service && isAlone(at, this.#forest))
      link.wayUs.push(Math.max(0, parent.durationUs - span.durationUs));
    if (isOfPeer) this.#addPeer(span, span.peer, entry);
  }

  /** What tells no spans of its own is known by its callers. */
  #addPeer(span: Span, callee: NodeId, entry: string): void {
    const caller = this.#nodeOf(span.service);
    const { operation } = span;
    const name = { caller, callerOperation: operation, callee, operation, entry };
    const link = this.#link({ ...windowOf(span, this.#folding), ...name }, span);
    link.selfUs.push(span.durationUs);
  }

  #link(name: LinkName, { trace, id, durationUs, isError }: Span): Link {
    const link = this.#linkNamed(name);
    link.spans.push(`${trace}/${id}`);
    link.totalUs.push(durationUs);
    if (isError === true) link.errors += 1;
    return link;
  }

  #linkNamed(name: LinkName): Link {
    const key = keyOf(name);
    let link = this.#links.get(key);
    if (link === undefined) {
      if (
        this.#links.size >= (this.#folding.linksMax ?? linksMaxUnlessGiven) &&
        name.operation !== other
      ) {
        this.#lumped += 1;
        return this.#linkNamed({ ...name, callerOperation: other, operation: other, entry: "" });
      }
      link = { ...name, errors: 0, spans: [], totalUs: [], selfUs: [], wayUs: [] };
      this.#links.set(key, link);
    }
    return link;
  }
}

/** A span whose only child is in another service is the caller's side of that one call. */
function isCallerSide(span: Span, below: readonly Span[]): boolean {
  const [only] = below;
  return below.length === 1 && only !== undefined && only.service !== span.service;
}

function isAlone(at: number, { parents, children }: SpanForest): boolean {
  return children(parents[at] ?? -1).length === 1;
}

function windowOf(span: Span, { window }: SpanFolding): { at: number; untilAt: number } {
  if ("at" in window) return window;
  const at = Math.floor(span.startUs / 1_000 / window.ms) * window.ms;
  return { at, untilAt: at + window.ms };
}

function keyOf({ at, caller, callerOperation, callee, operation, entry }: LinkName): string {
  return JSON.stringify([at, caller, callerOperation, callee, operation, entry]);
}

function trafficOf(key: string, link: Link, { id, source, knownAt }: SpanFolding): Traffic {
  const { at, untilAt, caller, callerOperation, callee, operation, entry, errors } = link;
  const wayMs = quantilesMs(link.wayUs);
  return {
    ...{ type: "traffic", id: `${id} ${key}`, at, untilAt },
    knownAt: knownAt ?? untilAt,
    origin: { source, reference: id },
    ...{ caller, callerOperation, callee, operation, entry, errors },
    count: link.totalUs.length,
    totalMs: quantilesMs(link.totalUs),
    selfMs: quantilesMs(link.selfUs),
    ...(wayMs !== null && { wayMs }),
  };
}

function quantilesMs(valuesUs: readonly number[]): Quantiles | null {
  return quantilesOf(valuesUs.map((us) => us / 1_000));
}
