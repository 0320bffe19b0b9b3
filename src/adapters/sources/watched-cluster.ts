/**
 * What a watch of our own sees of a cluster, as events of the model. Unlike a file, a watch goes on: it tells what differs from
 * what was told before, what is no more, and what went away while nobody watched.
 */
import { canonicalJson, type JsonObject, sha256Hex } from "../../kernel/index.ts";
import { eventBytesMax, type ModelEvent, type NodeId, type View } from "../../model/index.ts";
import { type KubernetesObject, objectsIn, tellObjects } from "./kubernetes.ts";
import { type Tie, tiesAmong } from "./kubernetes-edges.ts";
import { textAt } from "./members.ts";
import { Teller } from "./source.ts";

export interface SeenChange {
  readonly type: "ADDED" | "MODIFIED" | "DELETED";
  readonly object: JsonObject;
  /** As it is watched. */
  readonly kind: string;
  readonly seenAt: number;
}

/** All of one kind was listed. */
export interface ListedScope {
  readonly kind: string;
  /** Absent: of all. */
  readonly namespace?: string;
}

export interface SeenCluster {
  readonly changes: readonly SeenChange[];
  /** For the first time since the start. */
  readonly listed: readonly ListedScope[];
  /** All that is there now. */
  readonly objects: Iterable<JsonObject>;
  /** What was never listed yet; of that, what the cluster refuses to list. */
  readonly unlisted: number;
  readonly refused: number;
  readonly nowMs: number;
}

/** Kubernetes tells times in whole seconds, by clocks that may differ. */
const sameNameMs = 60_000;
interface AwaitedNode {
  readonly node: NodeId;
  readonly kind: string | undefined;
  readonly namespace: string | undefined;
}

const textOfTie = (tie: Tie): string => JSON.stringify(tie);

export class WatchedCluster {
  readonly #cluster: string;
  readonly #reference: string;
  /** As it was before this watch began; needed until all that can be was listed, and a little longer. */
  #before: View | undefined;
  /** What was there when this cluster was last watched, and was not listed since. */
  #awaited: readonly AwaitedNode[];
  /** By node and aspect or condition: a digest of what was told. */
  readonly #told = new Map<NodeId, Map<string, string>>();
  readonly #lastAt = new Map<NodeId, number>();
  readonly #endedAt = new Map<NodeId, number>();
  #ties: ReadonlyMap<string, Tie>;
  /** When all that can be was listed. */
  #wholeAt: number | undefined;

  constructor(cluster: string, before: View) {
    this.#cluster = cluster;
    this.#reference = `watch of ${cluster}:`;
    this.#before = before;
    this.#awaited = before.nodes().flatMap((node) => {
      const metadata = before.aspect(node, "metadata")?.value;
      const [kind, namespace] = [textAt(metadata, "watched_as"), textAt(metadata, "namespace")];
      return textAt(metadata, "watched_in") === cluster ? [{ node, kind, namespace }] : [];
    });
    const told = before
      .edges()
      .filter(({ basis, origin }) => basis === "declared" && this.#isOwn(origin));
    this.#ties = new Map(
      told.map(({ from, to, kind }) => [textOfTie([from, to, kind]), [from, to, kind]]),
    );
  }

  /** Events for what is new. What they say counts as told from now on. */
  tell(seen: SeenCluster): readonly ModelEvent[] {
    const events = seen.changes.flatMap((change) => this.#tellChange(change));
    events.push(...this.#tellVanished(seen));
    const hasMoved = seen.listed.length > 0 || events.some(({ type }) => type === "node");
    if (hasMoved) events.push(...this.#tellTies(seen));
    this.#forgetBefore(seen);
    return events;
  }

  #tellChange(change: SeenChange): readonly ModelEvent[] {
    const object = this.#objectOf(change);
    // An event that the cluster forgets has happened all the same.
    if (object === undefined || (object.kind === "Event" && object.isDeleted)) return [];
    const teller = new Teller("kubernetes");
    tellObjects(teller, [object]);
    const events = teller.events.filter((event) => this.#isNew(event)).map(bounded);
    if (object.isDeleted) this.#forget(object);
    return events;
  }

  #objectOf({ type, object, kind, seenAt }: SeenChange): KubernetesObject | undefined {
    const watch = { cluster: this.#cluster, kind };
    const document = { reference: this.#reference, value: { type, object }, receivedAt: seenAt };
    const [found] = objectsIn({ ...document, watch });
    if (found === undefined) return undefined;
    // What is seen of one object follows what was seen of it before, also within one millisecond.
    const endedAt = this.#endedAt.get(found.node) ?? this.#endedBefore(found.node);
    const lastAt = this.#lastAt.get(found.node) ?? endedAt ?? 0;
    const receivedAt = Math.max(seenAt, lastAt + 1);
    this.#lastAt.set(found.node, receivedAt);
    return { ...found, receivedAt, watch: { ...watch, ...(endedAt !== undefined && { endedAt }) } };
  }

  /** When it was last said to be gone, by who watched before. */
  #endedBefore(node: NodeId): number | undefined {
    const last = this.#before?.versions(node, "metadata").at(-1);
    return last?.value === null ? last.fromAt : undefined;
  }

  #isNew(event: ModelEvent): boolean {
    if (event.type === "node") {
      const { node, aspect, value } = event;
      if (value === null) return true;
      const before = this.#endedAt.has(node) ? undefined : this.#before?.aspect(node, aspect);
      return this.#differs(node, aspect, value, before?.value);
    }
    // An event of the cluster is another whenever it comes.
    if (event.type !== "condition" || event.untilAt !== undefined) return true;
    const { node, name, status, message, at } = event;
    return this.#differs(node, `condition ${name}`, { status, message, at });
  }

  #differs(node: NodeId, what: string, value: JsonObject, before?: JsonObject): boolean {
    const digest = digestOf(value);
    const told = this.#told.get(node) ?? new Map<string, string>();
    this.#told.set(node, told);
    const known = told.get(what) ?? (before === undefined ? "" : digestOf(before));
    told.set(what, digest);
    return digest !== known;
  }

  #forget({ node, receivedAt }: KubernetesObject): void {
    this.#told.delete(node);
    this.#endedAt.set(node, receivedAt);
  }

  /** Only who takes a name soon after has to follow who had it. */
  #forgetBefore({ unlisted, refused, nowMs }: SeenCluster): void {
    this.#wholeAt ??= unlisted === refused ? nowMs : undefined;
    if (this.#wholeAt === undefined || nowMs < this.#wholeAt + sameNameMs) return;
    this.#before = undefined;
    for (const [node, at] of this.#endedAt) {
      if (at > nowMs - sameNameMs) return;
      this.#endedAt.delete(node);
      if (!this.#told.has(node)) this.#lastAt.delete(node);
    }
  }

  /** What was there, and is not listed now, went away while nobody watched; nobody knows when. */
  #tellVanished({ listed, objects, nowMs }: SeenCluster): readonly ModelEvent[] {
    if (listed.length === 0) return [];
    const due = this.#awaited.filter((each) => listed.some((scope) => isWithin(scope, each)));
    this.#awaited = this.#awaited.filter((each) => !listed.some((scope) => isWithin(scope, each)));
    const there = new Set(
      [...objects].flatMap((value) =>
        objectsIn({ reference: "", value, receivedAt: nowMs }).map(({ node }) => node),
      ),
    );
    const teller = new Teller("kubernetes");
    for (const { node } of due) {
      if (there.has(node) || this.#endedAt.has(node)) continue;
      this.#lastAt.set(node, nowMs);
      this.#endedAt.set(node, nowMs);
      teller.tell(`${this.#reference} not listed any more`, nowMs, {
        ...{ type: "node", at: nowMs, node, aspect: "metadata", value: null },
      });
    }
    return teller.events;
  }

  #tellTies({ objects, unlisted, refused, nowMs }: SeenCluster): readonly ModelEvent[] {
    const teller = new Teller("kubernetes");
    const watch = { cluster: this.#cluster, kind: "" };
    const present = [...objects].flatMap((value) =>
      objectsIn({ reference: this.#reference, value, receivedAt: nowMs, watch }),
    );
    const ties = new Map<string, Tie>();
    const relevant = present.filter(({ kind }) => kind !== "Event");
    for (const [{ reference }, tie] of tiesAmong(relevant)) {
      const key = textOfTie(tie);
      if (!this.#ties.has(key) && !ties.has(key)) this.#tellTie(teller, reference, tie, nowMs);
      ties.set(key, tie);
    }
    for (const [key, tie] of this.#ties) {
      if (ties.has(key)) continue;
      // What has not been listed yet may still say so.
      if (unlisted === refused) this.#tellTie(teller, this.#reference, tie, nowMs, true);
      else ties.set(key, tie);
    }
    this.#ties = ties;
    return teller.events;
  }

  #tellTie(
    teller: Teller,
    reference: string,
    [from, to, kind]: Tie,
    nowMs: number,
    isGone = false,
  ): void {
    teller.tell(reference, nowMs, {
      ...{ type: "edge", at: nowMs, from, to, kind, basis: "declared" },
      ...(isGone && { gone: true }),
    });
  }

  #isOwn({ source, reference }: { readonly source: string; readonly reference: string }): boolean {
    return source === "kubernetes" && reference.startsWith(this.#reference);
  }
}

function isWithin(scope: ListedScope, { kind, namespace }: AwaitedNode): boolean {
  return scope.kind === kind && (scope.namespace === undefined || scope.namespace === namespace);
}

function digestOf(value: JsonObject): string {
  return sha256Hex(canonicalJson(value)).slice(0, 24);
}

/** An object may be larger than an event; then its digest says that it changed, and nothing what it is. */
function bounded(event: ModelEvent): ModelEvent {
  if (event.type !== "node" || event.value === null) return event;
  const size = canonicalJson(event.value).length;
  if (size <= eventBytesMax / 2) return event;
  return { ...event, value: { not_told: `${size} characters`, digest: digestOf(event.value) } };
}
