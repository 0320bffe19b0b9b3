/**
 * The `Store` port in memory. Several processes open the same database; it refuses, delays, loses commits and their
 * answers as its faults say, and never more than the port's errors admit.
 */
import { canonicalJson, err, type JsonObject, ok, type Result } from "../kernel/index.ts";
import type {
  Clock,
  Store,
  StoredValue,
  StoredValues,
  StoreError,
  StoreFence,
  StoreWrites,
} from "../ports.ts";
import type { Random } from "./random.ts";

/** Probabilities, each 0 to 1, but for the delay. */
export interface StoreFaults {
  /** `unreachable`, and nothing happened. */
  readonly refused: number;
  /** `unknown`, and nothing happened. */
  readonly commitLost: number;
  /** `unknown`, although it happened. */
  readonly answerLost: number;
  /** Each way takes up to this long. */
  readonly delayMsMax: number;
}

export const noStoreFaults: StoreFaults = {
  refused: 0,
  commitLost: 0,
  answerLost: 0,
  delayMsMax: 0,
};

type Values = ReadonlyMap<string, string>;

export class SimDatabase {
  readonly #random: Random;
  readonly #clock: Clock;
  faults: StoreFaults;
  /** After each commit, the newest last; values as text, so that nobody shares an object. */
  #history: Values[] = [new Map()];

  constructor(random: Random, clock: Clock, faults: StoreFaults = noStoreFaults) {
    this.#random = random;
    this.#clock = clock;
    this.faults = faults;
  }

  wallMs(): number {
    return this.#clock.wallMs();
  }

  get commits(): number {
    return this.#history.length - 1;
  }

  /** The store as one process sees it. */
  open(): Store {
    return new SimStore(this);
  }

  /** A standby that had not received the last `commits` takes over. */
  lose(commits: number): void {
    this.#history = this.#history.slice(0, Math.max(1, this.#history.length - commits));
  }

  get present(): Values {
    return this.#history.at(-1) ?? new Map();
  }

  /** One way over the network. */
  async travel(): Promise<void> {
    if (this.faults.delayMsMax > 0)
      await this.#clock.sleep(this.#random.below(this.faults.delayMsMax));
  }

  strikes(fault: "refused" | "commitLost" | "answerLost"): boolean {
    return this.#random.chance(this.faults[fault]);
  }

  commit(writes: StoreWrites): void {
    const next = new Map(this.present);
    for (const [key, value] of writes)
      if (value === null) next.delete(key);
      else next.set(key, canonicalJson(value));
    this.#history.push(next);
  }
}

class SimStore implements Store {
  readonly #database: SimDatabase;
  #closed = false;

  constructor(database: SimDatabase) {
    this.#database = database;
  }

  async attempt(
    named: readonly string[],
    compute: (values: StoredValues, nowMs: number) => StoreWrites,
    under?: StoreFence,
  ): Promise<Result<void, StoreError>> {
    const keys = under === undefined ? named : [...new Set([...named, under.key])];
    const database = this.#database;
    const refused = await this.#reach();
    if (refused !== undefined) return err(refused);
    const before = keys.map((key) => database.present.get(key));
    const writes = compute(valuesOf(database.present, keys), database.wallMs());
    if (writes.size === 0) return ok(undefined);
    await database.travel();
    if (keys.some((key, at) => database.present.get(key) !== before[at]))
      return err({ kind: "conflict", detail: "a value has changed" });
    if (database.strikes("commitLost")) return err({ kind: "unknown", detail: "commit lost" });
    database.commit(writes);
    await database.travel();
    return database.strikes("answerLost")
      ? err({ kind: "unknown", detail: "answer lost" })
      : ok(undefined);
  }

  async read(keys: readonly string[]): Promise<Result<StoredValues, StoreError>> {
    const refused = await this.#reach();
    return refused === undefined ? ok(valuesOf(this.#database.present, keys)) : err(refused);
  }

  async list(
    prefix: string,
    countMax: number,
    after: string,
  ): Promise<Result<readonly StoredValue[], StoreError>> {
    const refused = await this.#reach();
    if (refused !== undefined) return err(refused);
    const { present } = this.#database;
    const keys = [...present.keys()].filter((key) => key.startsWith(prefix) && key > after).sort();
    const found = valuesOf(present, keys.slice(0, countMax));
    return ok([...found].map(([key, value]) => ({ key, value })));
  }

  async close(): Promise<void> {
    this.#closed = true;
  }

  async #reach(): Promise<StoreError | undefined> {
    await this.#database.travel();
    return this.#closed || this.#database.strikes("refused")
      ? { kind: "unreachable", detail: "refused" }
      : undefined;
  }
}

function valuesOf(present: Values, keys: readonly string[]): StoredValues {
  const values = new Map<string, JsonObject>();
  for (const key of keys) {
    const text = present.get(key);
    if (text !== undefined) values.set(key, JSON.parse(text) as JsonObject);
  }
  return values;
}
