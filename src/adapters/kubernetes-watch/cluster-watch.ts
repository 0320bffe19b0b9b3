/**
 * Everything that is watched of a cluster: listed once, then followed change by change, by the informers of the official
 * client. What they do not do is here: to begin again after a fault, to say what is wrong, and to say since when.
 */
import { type KubeConfig, type KubernetesObject, ListWatch } from "@kubernetes/client-node";
import { err, type JsonObject, ok, type Result } from "../../kernel/index.ts";
import type { Clock } from "../../ports.ts";
import { AskingAccess, type ClusterPlace, listAll, readAccess, text } from "./cluster-access.ts";
import { HeardWatch } from "./heard-watch.ts";
import { reduced } from "./reduced.ts";
import { pathOf, type Resource, resourcesOf } from "./resource.ts";

export interface WatchedPlace extends ClusterPlace {
  /** What the cluster is called; the name of its context, unless given. */
  readonly name?: string;
  /** All, unless given. */
  readonly namespaces?: readonly string[];
  readonly kinds?: readonly string[];
}

export type ChangeType = "ADDED" | "MODIFIED" | "DELETED";

/** Who is told. Neither may throw. */
export interface ClusterListener {
  /** In order, for each object; a list that is read again tells only what differs. `kind`: of the scope it was watched by. */
  changed(type: ChangeType, object: JsonObject, kind: string): void;
  /** All that there is of this kind was told once: what was there before, and was not told, is no more. */
  listed(scope: WatchedScope): void;
}

export interface WatchedScope {
  readonly kind: string;
  /** Absent: all. */
  readonly namespace?: string;
  readonly state: "listing" | "watching" | "failing";
  /** Since when it is in that state. */
  readonly sinceMs: number;
  /** When the server last answered; null: never. */
  readonly heardAtMs: number | null;
  readonly objects: number;
  /** All of it was listed once. */
  readonly isListed: boolean;
  /** What is wrong and what to do, while it fails. */
  readonly fault?: string;
  /** The server will not serve it as things are: a right is missing, or the resource. */
  readonly isRefused: boolean;
}

interface Followed {
  readonly resource: Resource;
  readonly namespace: string | undefined;
  state: WatchedScope["state"];
  sinceMs: number;
  heardAtMs: number | null;
  fault: string | undefined;
  status: number;
  isListed: boolean;
  informer: ListWatch<KubernetesObject> | undefined;
}

const backoffMinMs = 500;
const backoffMaxMs = 30_000;
const scopesMax = 500;

export class ClusterWatch {
  /** The cluster, for people. */
  readonly name: string;
  readonly #place: WatchedPlace;
  readonly #clock: Clock;
  readonly #followed: readonly Followed[];
  #access: KubeConfig;

  /** Reads the configuration, and asks nothing of the cluster yet. The error is a sentence. */
  static open(place: WatchedPlace, clock: Clock): Result<ClusterWatch, string> {
    const access = readAccess(place);
    if (!access.ok) return access;
    const resources = resourcesOf(place.kinds, place.namespaces !== undefined);
    if (!resources.ok) return err(`model.kubernetes.kinds: ${resources.error}`);
    const scopes = resources.value.flatMap((resource) =>
      (resource.isOfCluster === true ? [undefined] : (place.namespaces ?? [undefined])).map(
        (namespace) => ({ resource, namespace }),
      ),
    );
    if (scopes.length > scopesMax)
      return err(
        `model.kubernetes: ${scopes.length} watches (kinds times namespaces); ${scopesMax} are kept. Leave namespaces out to watch all by one`,
      );
    return ok(new ClusterWatch(place, clock, access.value, scopes));
  }

  private constructor(
    place: WatchedPlace,
    clock: Clock,
    access: KubeConfig,
    scopes: readonly Pick<Followed, "resource" | "namespace">[],
  ) {
    this.#place = place;
    this.#clock = clock;
    this.#access = access;
    this.name = place.name ?? access.getCurrentContext();
    this.#followed = scopes.map((scope) => ({
      ...scope,
      ...{ state: "listing" as const, sinceMs: clock.wallMs(), heardAtMs: null },
      ...{ fault: undefined, status: 0, isListed: false, informer: undefined },
    }));
  }

  get scopes(): readonly WatchedScope[] {
    return this.#followed.map(scopeOf);
  }

  /** Every object that is there now, as far as it is known; reduced to what anybody reads. */
  *objects(): Iterable<JsonObject> {
    for (const { informer } of this.#followed)
      for (const object of informer?.list() ?? []) yield object as unknown as JsonObject;
  }

  /** Until `signal` aborts. Never rejects. */
  async follow(listener: ClusterListener, signal: AbortSignal): Promise<void> {
    await Promise.all(this.#followed.map((each) => this.#followOne(each, listener, signal)));
  }

  async #followOne(
    followed: Followed,
    listener: ClusterListener,
    signal: AbortSignal,
  ): Promise<void> {
    const informer = this.#informerOf(followed, listener, signal);
    followed.informer = informer;
    let failed: (fault: unknown) => void = () => undefined;
    informer.on("error", (fault: unknown) => failed(fault));
    const aborted = new Promise<void>((over) => {
      signal.addEventListener("abort", () => over(), { once: true });
    });
    for (let backoffMs = backoffMinMs; !signal.aborted; ) {
      const heardBefore = followed.heardAtMs;
      const fault = new Promise<unknown>((over) => {
        failed = over;
      });
      await informer.start();
      const ended = await Promise.race([fault, aborted]);
      if (signal.aborted) break;
      this.#noteFault(followed, ended);
      backoffMs =
        followed.heardAtMs === heardBefore ? Math.min(2 * backoffMs, backoffMaxMs) : backoffMinMs;
      await this.#clock.sleep(backoffMs, signal);
      this.#readAccessAgain();
    }
    await informer.stop();
  }

  #informerOf(
    followed: Followed,
    listener: ClusterListener,
    signal: AbortSignal,
  ): ListWatch<KubernetesObject> {
    const { resource, namespace } = followed;
    const asking = new AskingAccess(() => this.#access, resource);
    const path = pathOf(resource, namespace);
    const watch = new HeardWatch(asking, signal, {
      reduce: (object) => reduced(object, resource),
      heard: () => {
        followed.heardAtMs = this.#clock.wallMs();
      },
      connected: () => {
        this.#noteState(followed, "watching");
        if (followed.isListed) return;
        followed.isListed = true;
        listener.listed(scopeOf(followed));
      },
      silent: (fault) => this.#noteFault(followed, fault),
    });
    const list = async () => {
      const { items, resourceVersion } = await listAll(asking, path, signal);
      followed.heardAtMs = this.#clock.wallMs();
      return {
        metadata: { resourceVersion },
        items: items.map((item) => reduced(item, resource) as KubernetesObject),
      };
    };
    const informer = new ListWatch<KubernetesObject>(
      path,
      watch,
      list,
      false,
      undefined,
      undefined,
      {
        delayFn: (ms) => this.#clock.sleep(ms, signal),
      },
    );
    const types = { add: "ADDED", update: "MODIFIED", delete: "DELETED" } as const;
    for (const verb of ["add", "update", "delete"] as const)
      informer.on(verb, (object) =>
        listener.changed(types[verb], object as unknown as JsonObject, resource.kind),
      );
    return informer;
  }

  #noteState(followed: Followed, state: WatchedScope["state"]): void {
    if (followed.state !== state) followed.sinceMs = this.#clock.wallMs();
    followed.state = state;
    if (state === "failing") return;
    followed.fault = undefined;
    followed.status = 0;
  }

  #noteFault(followed: Followed, fault: unknown): void {
    followed.status = statusOf(fault);
    followed.fault = `${pathOf(followed.resource, followed.namespace)}: ${sentence(fault)}`;
    this.#noteState(followed, "failing");
  }

  /** Tokens and certificates are replaced in their files. What cannot be read now may be half written. */
  #readAccessAgain(): void {
    const access = readAccess(this.#place);
    if (access.ok) this.#access = access.value;
  }
}

function scopeOf(followed: Followed): WatchedScope {
  const { resource, namespace, state, sinceMs, heardAtMs, fault, status } = followed;
  const { informer, isListed } = followed;
  return {
    kind: resource.kind,
    ...(namespace !== undefined && { namespace }),
    ...{ state, sinceMs, heardAtMs, isListed, objects: informer?.list().length ?? 0 },
    ...(fault !== undefined && { fault }),
    isRefused: state === "failing" && (status === 403 || status === 404),
  };
}

function statusOf(fault: unknown): number {
  const { statusCode } = (fault ?? {}) as { statusCode?: unknown };
  return typeof statusCode === "number" ? statusCode : 0;
}

function sentence(fault: unknown): string {
  const status = statusOf(fault);
  const said = status === 0 ? text(fault) : `${status} ${text(fault)}`;
  return `${said}${advice[status] ?? ""}`;
}

const advice: Readonly<Record<number, string>> = {
  401: ". The credentials are wrong or have expired; their files are read again before the next try",
  403: ". Its account needs the rights list and watch on this resource (docs/model.md has the role)",
  404: ". The server does not serve this resource; leave it out of model.kubernetes.kinds",
};
