/**
 * The shared store on etcd v3, over its JSON gateway: no client library. Meant for few, small values, such as the leases of
 * sites: one attempt takes as many keys as etcd takes operations in a transaction (`--max-txn-ops`, 128).
 *
 * An attempt reads its keys at one revision and commits on the condition that none of them has been written since
 * (`mod_revision`, which is 0 for an absent key), so a change that was undone in between is a conflict too.
 */
import { err, isJsonObject, type JsonObject, ok, type Result } from "../../kernel/index.ts";
import type {
  HttpTransport,
  Store,
  StoredValue,
  StoredValues,
  StoreError,
  StoreFence,
  StoreWrites,
} from "../../ports.ts";
import { prefixEnd, storedValue, valueText } from "../stored-value/index.ts";
import { etcdTarget } from "./address.ts";
import { type EtcdAnswer, EtcdMembers } from "./members.ts";

interface Kept {
  readonly value: JsonObject;
  readonly modRevision: string;
}

const transaction = "/v3/kv/txn";

export class EtcdStore implements Store {
  readonly #members: EtcdMembers;
  readonly #prefix: string;
  #ended = false;

  /**
   * Connects at the first use. `address`: `etcd://[user:password@]first:2379,second:2379[/prefix]`, `etcds` for TLS. `http`
   * stays the caller's, and must let these addresses through. The error is a sentence for the operator.
   */
  static open(address: string, http: HttpTransport): Result<EtcdStore, string> {
    const target = etcdTarget(address);
    if (!target.ok) return target;
    return ok(new EtcdStore(new EtcdMembers(target.value, http), target.value.prefix));
  }

  private constructor(members: EtcdMembers, prefix: string) {
    this.#members = members;
    this.#prefix = prefix;
  }

  /**
   * etcd has no clock: `nowMs` is that of the member which answered the read, to the second and rounded down, from the
   * `Date` of its answer. Clocks of members may differ, so nothing may rest on it that a skew between them would break:
   * leases count on the clocks of those who watch them.
   */
  async attempt(
    named: readonly string[],
    compute: (values: StoredValues, nowMs: number) => StoreWrites,
    under?: StoreFence,
  ): Promise<Result<void, StoreError>> {
    const keys = under === undefined ? named : [...new Set([...named, under.key])];
    const read = await this.#get(keys);
    if (!read.ok) return read;
    const { kept, wallMs } = read.value;
    if (Number.isNaN(wallMs))
      return err({ kind: "unreachable", detail: "the answer of etcd has no Date" });
    const values = new Map([...kept].map(([key, { value }]) => [key, value]));
    const writes = compute(values, wallMs);
    if (writes.size === 0) return ok(undefined);
    const compare = [...new Set([...keys, ...writes.keys()])].map((key) => ({
      ...{ key: this.#encoded(key), target: "MOD", result: "EQUAL" },
      mod_revision: kept.get(key)?.modRevision ?? "0",
    }));
    const success = [...writes].map(([key, value]) => this.#written(key, value));
    const told = await this.#members.write(transaction, { compare, success });
    if (!told.ok) return told;
    // A member says `succeeded` only when it is true: proto3 leaves out what is false.
    return told.value.body["succeeded"] === true
      ? ok(undefined)
      : err({ kind: "conflict", detail: "another process wrote one of the keys first" });
  }

  async read(keys: readonly string[]): Promise<Result<StoredValues, StoreError>> {
    const read = await this.#get(keys);
    if (!read.ok) return read;
    return ok(new Map([...read.value.kept].map(([key, { value }]) => [key, value])));
  }

  async list(
    prefix: string,
    countMax: number,
    after: string,
  ): Promise<Result<readonly StoredValue[], StoreError>> {
    // The first key after this one.
    const from = `${after > prefix ? after : prefix}\u0000`;
    const range = {
      ...{ key: this.#encoded(from), range_end: this.#encoded(prefixEnd(prefix)) },
      ...{ limit: String(countMax), sort_order: "ASCEND", sort_target: "KEY" },
    };
    const told = await this.#ask([{ request_range: range }]);
    if (!told.ok) return told;
    return ok([...this.#rows(told.value.body)].map(([key, { value }]) => ({ key, value })));
  }

  async close(): Promise<void> {
    this.#ended = true;
  }

  async #get(
    keys: readonly string[],
  ): Promise<
    Result<{ readonly kept: ReadonlyMap<string, Kept>; readonly wallMs: number }, StoreError>
  > {
    const told = await this.#ask(
      [...new Set(keys)].map((key) => ({ request_range: { key: this.#encoded(key) } })),
    );
    if (!told.ok) return told;
    const kept = this.#rows(told.value.body);
    return ok({ kept, wallMs: told.value.wallMs });
  }

  async #ask(success: readonly JsonObject[]): Promise<Result<EtcdAnswer, StoreError>> {
    if (this.#ended) return err({ kind: "unreachable", detail: "the store was closed" });
    return await this.#members.read(transaction, { success });
  }

  #written(key: string, value: JsonObject | null): JsonObject {
    const named = { key: this.#encoded(key) };
    if (value === null) return { request_delete_range: named };
    return { request_put: { ...named, value: base64(valueText(value)) } };
  }

  #encoded(key: string): string {
    return base64(this.#prefix + key);
  }

  /** Every row of every range of an answer. */
  #rows(body: JsonObject): ReadonlyMap<string, Kept> {
    const rows = new Map<string, Kept>();
    for (const response of objects(body["responses"])) {
      const range = response["response_range"];
      for (const row of isJsonObject(range) ? objects(range["kvs"]) : []) {
        const key = decoded(row["key"]).slice(this.#prefix.length);
        const value = storedValue(key, decoded(row["value"]));
        rows.set(key, { value, modRevision: String(row["mod_revision"]) });
      }
    }
    return rows;
  }
}

function objects(value: unknown): readonly JsonObject[] {
  return Array.isArray(value) ? value.filter(isJsonObject) : [];
}

function base64(text: string): string {
  return Buffer.from(text).toString("base64");
}

function decoded(value: unknown): string {
  return Buffer.from(String(value), "base64").toString();
}
