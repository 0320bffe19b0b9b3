/**
 * A watched cluster on its way into the model: what the watch hears is stored every few seconds. What cannot be stored waits,
 * as far as there is room; when there is none, the newest of each object is kept.
 */
import type { ClusterListener, ClusterWatch } from "../adapters/kubernetes-watch/index.ts";
import { type ListedScope, type SeenChange, WatchedCluster } from "../adapters/sources/index.ts";
import { type ModelLog, writeWatchStatus } from "../control/index.ts";
import { isJsonObject, type Result } from "../kernel/index.ts";
import type { Graph, ModelEvent } from "../model/index.ts";
import type { Clock, Log, Telemetry } from "../ports.ts";
import type { SharedState } from "../state/index.ts";

export interface ClusterFeedParts {
  readonly model: ModelLog;
  /** The model as it is stored now. */
  readonly graph: () => Promise<Result<Graph, string>>;
  readonly state: SharedState;
  readonly clock: Clock;
  readonly log: Log;
  readonly telemetry: Telemetry;
  /** Of the process that watches. */
  readonly instance: string;
}

const storeEveryMs = 2_000;
const tellStatusEveryMs = 15_000;
const changesWaitingMax = 100_000;

export class ClusterFeed implements ClusterListener {
  readonly #watch: ClusterWatch;
  readonly #parts: ClusterFeedParts;
  readonly #startedAtMs: number;
  #changes: SeenChange[] = [];
  #listed: ListedScope[] = [];
  /** Told, and not yet stored. */
  #events: readonly ModelEvent[] = [];
  #batches = 0;
  #statusAtMs = Number.NEGATIVE_INFINITY;
  readonly #complaints = new Map<string, string>();

  constructor(watch: ClusterWatch, parts: ClusterFeedParts) {
    this.#watch = watch;
    this.#parts = parts;
    this.#startedAtMs = Math.floor(parts.clock.wallMs());
  }

  changed(type: SeenChange["type"], object: SeenChange["object"], kind: string): void {
    this.#changes.push({ type, object, kind, seenAt: this.#parts.clock.wallMs() });
    if (this.#changes.length > changesWaitingMax) this.#changes = newestOfEach(this.#changes);
  }

  listed(scope: ListedScope): void {
    this.#listed.push(scope);
  }

  /** Up to when the cluster is known to be as it was told. What it refuses to show says nothing. Null: never yet. */
  watchedUntilMs(): number | null {
    const heard = this.#watch.scopes
      .filter(({ isRefused }) => !isRefused)
      .map(({ heardAtMs }) => heardAtMs);
    if (heard.length === 0 || heard.includes(null)) return null;
    return Math.min(...heard.filter((at) => at !== null));
  }

  /** Until `signal` aborts. Never rejects. */
  async follow(signal: AbortSignal): Promise<void> {
    const before = await this.#modelBefore(signal);
    if (before === undefined) return;
    const cluster = new WatchedCluster(this.#watch.name, before.latest());
    const { clock } = this.#parts;
    const watching = this.#watch.follow(this, signal);
    while (!signal.aborted) {
      await clock.sleep(storeEveryMs, signal);
      await this.#store(cluster);
      await this.#tellStatus(signal.aborted);
    }
    await watching;
  }

  async #modelBefore(signal: AbortSignal): Promise<Graph | undefined> {
    while (!signal.aborted) {
      const graph = await this.#parts.graph();
      if (graph.ok) return graph.value;
      this.#complain("model", graph.error);
      await this.#parts.clock.sleep(storeEveryMs, signal);
    }
    return undefined;
  }

  async #store(cluster: WatchedCluster): Promise<void> {
    if (this.#events.length === 0) this.#events = this.#told(cluster);
    if (this.#events.length === 0) return;
    const id = `kubernetes-watch-${this.#parts.instance}-${this.#startedAtMs}-${this.#batches}`;
    const source = `kubernetes watch of ${this.#watch.name}`;
    const stored = await this.#parts.model.write({
      id,
      source,
      events: this.#events,
      isPassing: true,
    });
    this.#complain("store", stored.ok ? "" : stored.error);
    if (!stored.ok) return;
    this.#events = [];
    this.#batches += 1;
  }

  #told(cluster: WatchedCluster): readonly ModelEvent[] {
    if (this.#changes.length === 0 && this.#listed.length === 0) return [];
    const [changes, listed] = [this.#changes, this.#listed];
    this.#changes = [];
    this.#listed = [];
    const { scopes } = this.#watch;
    const unlisted = scopes.filter(({ isListed }) => !isListed);
    return cluster.tell({
      ...{ changes, listed, objects: [...this.#watch.objects()] },
      unlisted: unlisted.length,
      refused: unlisted.filter(({ isRefused }) => isRefused).length,
      nowMs: Math.floor(this.#parts.clock.wallMs()),
    });
  }

  async #tellStatus(isStopped: boolean): Promise<void> {
    const { clock, telemetry, state, instance } = this.#parts;
    const { scopes, name } = this.#watch;
    for (const { kind, namespace, fault } of scopes)
      this.#complain(`${kind} ${namespace ?? ""}`, fault ?? "");
    for (const kind of new Set(scopes.map((scope) => scope.kind))) {
      const isUp = scopes.every((scope) => scope.kind !== kind || scope.state === "watching");
      telemetry.gauge("model_watch_up", { kind }, isUp ? 1 : 0);
    }
    const until = this.watchedUntilMs();
    if (until !== null)
      telemetry.gauge("model_watch_age_seconds", {}, (clock.wallMs() - until) / 1_000);
    const now = clock.monotonicMs();
    if (!isStopped && now - this.#statusAtMs < tellStatusEveryMs) return;
    const kinds = scopes.map(({ isRefused: _, isListed: __, ...scope }) => scope);
    const told = await writeWatchStatus(state, {
      ...{ watched: `kubernetes ${name}`, by: instance, startedAtMs: this.#startedAtMs },
      ...{ isStopped, kinds },
    });
    if (told.ok) this.#statusAtMs = now;
  }

  /** Once for each fault, and once when it is over. */
  #complain(what: string, fault: string): void {
    const before = this.#complaints.get(what) ?? "";
    if (before === fault) return;
    this.#complaints.set(what, fault);
    const { log } = this.#parts;
    const fields = { cluster: this.#watch.name, what };
    if (fault === "") log.write("info", "cluster_watched_again", fields);
    else log.write("error", "cluster_not_watched", { ...fields, error: fault });
    this.#statusAtMs = Number.NEGATIVE_INFINITY;
  }
}

/** That an object is gone, and what it then is, is never left out. */
function newestOfEach(changes: readonly SeenChange[]): SeenChange[] {
  const newest = new Map<string, SeenChange>();
  for (const change of changes) {
    const { metadata } = change.object;
    const { namespace = "", name = "" } = isJsonObject(metadata) ? metadata : {};
    const isEnd = change.type === "DELETED" ? "end" : "";
    const key = `${change.kind}/${String(namespace)}/${String(name)} ${isEnd}`;
    newest.delete(key);
    newest.set(key, change);
  }
  return [...newest.values()];
}
