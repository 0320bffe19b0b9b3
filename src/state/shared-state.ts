/**
 * Shared state over any `Store`. Transactions that arrive while one commit is in flight go together into the next, one
 * after another on the same values; so a hot key costs one commit for all who wait for it.
 *
 * The watermark: with each commit a process counts up a key of its own. A store that shows a lower count than was once
 * acknowledged has lost commits, and with them perhaps a spent token; from then on every answer is `regressed`.
 */
import { assert, err, type JsonObject, ok, type Result } from "../kernel/index.ts";
import type { Store, StoredValue, StoredValues, StoreError, StoreWrites } from "../ports.ts";

/**
 * `unreachable` and `busy`: it did not happen. `unknown`: it may have happened; read again by what the change would have
 * written. `regressed`: the store has lost a change that it had acknowledged (a standby that was behind took over, an old
 * copy was put back); nothing more is decided from it until people have looked. `fenced`: it did not happen, because
 * another site acts under a newer epoch.
 */
export interface StateError {
  readonly kind: "unreachable" | "busy" | "unknown" | "regressed" | "fenced";
  readonly detail: string;
}

/** What a transaction leaves: `null` removes a key. Keys that it did not name are refused. */
export interface StateChange<T> {
  readonly writes: StoreWrites;
  readonly result: T;
}

export interface SharedStateOptions {
  /** Names the watermark; no two processes may share it. Without it, lost commits go unnoticed. */
  readonly process?: string;
}

/** Visible ASCII, so that every store and JavaScript order keys alike. */
const keyForm = /^[!-~]{1,512}$/;

const groupTransactionsMax = 256;
const conflictsMax = 20;
/** A store that is busy waited for its locks before it said so. */
const busyMax = 2;

type Change = (values: StoredValues, nowMs: number) => StateChange<unknown>;
type Settled =
  | { readonly kind: "done"; readonly result: Result<unknown, StateError> }
  | { readonly kind: "threw"; readonly thrown: unknown };

interface Waiting {
  readonly keys: readonly string[];
  readonly change: Change;
  readonly settle: (settled: Settled) => void;
}

export class SharedState {
  readonly #store: Store;
  readonly #watermarkKey: string | undefined;
  #waiting: Waiting[] = [];
  #working: Promise<void> | undefined;
  #acknowledged = 0;
  #regressed: StateError | undefined;
  #fence: Fence | undefined;
  #closed = false;

  constructor(store: Store, { process }: SharedStateOptions = {}) {
    this.#store = store;
    this.#watermarkKey = process === undefined ? undefined : `watermark/${process}`;
  }

  /**
   * Gives `change` the values of `keys` and makes what it returns durable, all or nothing, as if all transactions of all
   * processes ran one after another. `change` is pure: it may run more than once before the one run that counts. `nowMs`
   * is the wall clock of the store, one for all processes.
   * A rejection means that `change` threw; then nothing happened.
   */
  transact<T>(
    keys: readonly string[],
    change: (values: StoredValues, nowMs: number) => StateChange<T>,
  ): Promise<Result<T, StateError>> {
    for (const key of keys) assert(keyForm.test(key), `${JSON.stringify(key)} is no key`);
    if (this.#closed) return Promise.resolve(err(closed));
    return new Promise((resolve, reject) => {
      const settle = (settled: Settled): void =>
        settled.kind === "done"
          ? resolve(settled.result as Result<T, StateError>)
          : reject(settled.thrown);
      this.#waiting.push({ keys, change, settle });
      this.#working ??= this.#work();
    });
  }

  /** How many changes of this process are known to be durable, and under which key the store counts them. */
  get acknowledged(): { readonly key: string; readonly count: number } | undefined {
    const key = this.#watermarkKey;
    return key === undefined ? undefined : { key, count: this.#acknowledged };
  }

  /**
   * From here on every change is made under this epoch, and none once a newer one stands at `key` (a fencing token).
   * Resolves when it stands there, and `along` with it; the error is `fenced` when a newer one did.
   */
  async fence(
    key: string,
    epoch: number,
    along: { readonly key: string; readonly value: JsonObject },
  ): Promise<Result<void, StateError>> {
    assert(keyForm.test(key), `${JSON.stringify(key)} is no key`);
    if ((this.#fence?.epoch ?? 0) < epoch) this.#fence = { key, epoch };
    return this.transact([key, along.key], (values) => {
      const writes = new Map([[along.key, along.value]]);
      if (epochAt(values.get(key)) < epoch) writes.set(key, { epoch });
      return { writes, result: undefined };
    });
  }

  /** The wall clock of the store, one for all processes. */
  now(): Promise<Result<number, StateError>> {
    return this.transact([], (_, nowMs) => ({ writes: new Map(), result: nowMs }));
  }

  /** The present values of these keys, of one moment; absent keys are absent. */
  async read(keys: readonly string[]): Promise<Result<StoredValues, StateError>> {
    if (this.#closed) return err(closed);
    const own = this.#watermarkKey;
    const acknowledged = this.#acknowledged;
    const read = await this.#store
      .read(own === undefined ? keys : [...keys, own])
      .catch(unreadable);
    if (!read.ok) return err(stateError(read.error));
    const lost = this.#lost(read.value, acknowledged);
    if (lost !== undefined) return err(lost);
    const values = new Map(read.value);
    if (own !== undefined && !keys.includes(own)) values.delete(own);
    return ok(values);
  }

  /** Values whose key starts with `prefix` (which ends with `/`) and is after `after`, by key; at most `countMax`. */
  async list(
    prefix: string,
    countMax: number,
    after = "",
  ): Promise<Result<readonly StoredValue[], StateError>> {
    if (this.#closed) return err(closed);
    if (this.#regressed !== undefined) return err(this.#regressed);
    const listed = await this.#store.list(prefix, countMax, after).catch(unreadable);
    return listed.ok ? listed : err(stateError(listed.error));
  }

  /** Transactions under way finish; later ones are `unreachable`. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#working;
    await this.#store.close();
  }

  async #work(): Promise<void> {
    // Everyone who asks in this turn of the event loop goes into the first group.
    await Promise.resolve();
    while (this.#waiting.length > 0) {
      const group = this.#waiting.splice(0, groupTransactionsMax);
      await this.#commit(group);
    }
    this.#working = undefined;
  }

  async #commit(group: readonly Waiting[]): Promise<void> {
    const fence = this.#fence;
    const run = new GroupRun(group, this.#watermarkKey);
    const under = fence && { key: fence.key, raises: run.keys.includes(fence.key) };
    let failure: StateError | undefined;
    const left = { conflict: conflictsMax, busy: busyMax };
    for (;;) {
      const attempted = await this.#store
        .attempt(
          run.keys,
          (values, nowMs) => {
            failure = this.#lost(values, this.#acknowledged) ?? fencedBy(values, fence);
            return failure === undefined ? run.compute(values, nowMs) : new Map();
          },
          under,
        )
        .catch(unforeseen);
      if (attempted.ok) break;
      failure = stateError(attempted.error);
      const { kind } = attempted.error;
      if (kind !== "conflict" && kind !== "busy") break;
      left[kind] -= 1;
      if (left[kind] < 0) break;
    }
    if (failure === undefined) this.#acknowledged = Math.max(this.#acknowledged, run.watermark);
    run.settle(failure);
  }

  /** Set for good once commits are seen to be lost. */
  #lost(values: StoredValues, acknowledged: number): StateError | undefined {
    const stored = countOf(
      this.#watermarkKey === undefined ? undefined : values.get(this.#watermarkKey),
    );
    if (this.#watermarkKey !== undefined && stored < acknowledged)
      this.#regressed ??= {
        kind: "regressed",
        detail: `${this.#watermarkKey} is ${stored}, and ${acknowledged} was acknowledged: the store has lost commits`,
      };
    return this.#regressed;
  }
}

interface Fence {
  readonly key: string;
  readonly epoch: number;
}

function epochAt(stored: JsonObject | undefined): number {
  const epoch = stored?.["epoch"];
  return typeof epoch === "number" ? epoch : 0;
}

function fencedBy(values: StoredValues, fence: Fence | undefined): StateError | undefined {
  if (fence === undefined) return undefined;
  const newest = epochAt(values.get(fence.key));
  if (newest <= fence.epoch) return undefined;
  const detail = `epoch ${newest} writes to the store, and this process is of epoch ${fence.epoch}`;
  return { kind: "fenced", detail };
}

/** One group on its way to one commit; `compute` starts afresh at each attempt. */
class GroupRun {
  readonly keys: readonly string[];
  watermark = 0;
  readonly #group: readonly Waiting[];
  readonly #watermarkKey: string | undefined;
  #settled: readonly Settled[] = [];

  constructor(group: readonly Waiting[], watermarkKey: string | undefined) {
    const keys = new Set(group.flatMap((each) => each.keys));
    if (watermarkKey !== undefined) keys.add(watermarkKey);
    this.keys = [...keys].sort();
    this.#group = group;
    this.#watermarkKey = watermarkKey;
  }

  compute(stored: StoredValues, nowMs: number): StoreWrites {
    // An attempt before this one may have counted, and its commit failed.
    this.watermark = 0;
    const present = new Map(stored);
    const writes = new Map<string, JsonObject | null>();
    this.#settled = this.#group.map((each) => runOne(each, present, writes, nowMs));
    if (this.#watermarkKey !== undefined && writes.size > 0) {
      this.watermark = countOf(stored.get(this.#watermarkKey)) + 1;
      writes.set(this.#watermarkKey, { count: this.watermark });
    }
    return writes;
  }

  settle(failure: StateError | undefined): void {
    for (const [at, { settle }] of this.#group.entries()) {
      const own = this.#settled[at];
      const threw = own?.kind === "threw";
      settle(
        failure === undefined || threw ? (own ?? notRun) : { kind: "done", result: err(failure) },
      );
    }
  }
}

const notRun: Settled = {
  kind: "threw",
  thrown: new Error("the store committed without asking what to write"),
};

/** Runs one change on the values as those before it left them. What threw leaves nothing. */
function runOne(
  { keys, change }: Waiting,
  present: Map<string, JsonObject>,
  writes: Map<string, JsonObject | null>,
  nowMs: number,
): Settled {
  try {
    const own = new Map<string, JsonObject>();
    for (const key of keys) {
      const value = present.get(key);
      if (value !== undefined) own.set(key, value);
    }
    const changed = change(own, nowMs);
    for (const key of changed.writes.keys())
      assert(keys.includes(key), `a transaction wrote ${key}, which it did not name`);
    for (const [key, value] of changed.writes) {
      writes.set(key, value);
      if (value === null) present.delete(key);
      else present.set(key, value);
    }
    return { kind: "done", result: ok(changed.result) };
  } catch (thrown) {
    return { kind: "threw", thrown };
  }
}

function countOf(watermark: JsonObject | undefined): number {
  const count = watermark?.["count"];
  return typeof count === "number" ? count : 0;
}

function stateError({ kind, detail }: StoreError): StateError {
  return { kind: kind === "conflict" ? "busy" : kind, detail };
}

/** A store that throws has broken its promise: what it had sent by then nobody knows. */
function unforeseen(thrown: unknown): Result<void, StoreError> {
  return err({ kind: "unknown", detail: String(thrown) });
}

function unreadable(thrown: unknown): Result<never, StoreError> {
  return err({ kind: "unreachable", detail: String(thrown) });
}

const closed: StateError = { kind: "unreachable", detail: "the store was closed" };
