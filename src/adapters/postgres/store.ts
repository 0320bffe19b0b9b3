/**
 * The shared store on PostgreSQL. The rows of an attempt are locked in the order of their keys before they are read, so what
 * is computed from them still holds at the commit; a key that is absent cannot be locked, so whoever inserts it second
 * has a conflict. A fence has a lock of its own (`fence-lock.ts`).
 */
import { type Client, DatabaseError, type QueryResult } from "pg";
import { err, ok, type Result } from "../../kernel/index.ts";
import type {
  Store,
  StoredValue,
  StoredValues,
  StoreError,
  StoreFence,
  StoreWrites,
} from "../../ports.ts";
import { prefixEnd, storedValue, valueText } from "../stored-value/index.ts";
import { Connection, describe, hostUrls, type PostgresTarget } from "./connection.ts";
import { beginUnder } from "./fence-lock.ts";
import { migrate } from "./migrate.ts";

interface Row {
  readonly key: string;
  readonly value: string;
}

interface Clock {
  readonly now: number;
  readonly fence: string | null;
}

const selectLocked =
  "SELECT key, value FROM holdfast.shared_state WHERE key = ANY($1) ORDER BY key FOR UPDATE";
/** After the locks, so that a transaction that waited for them is not late; and the fence, whose lock is held by then. */
const selectNow = `SELECT extract(epoch FROM clock_timestamp())::float8 * 1000 AS now,
  (SELECT value FROM holdfast.shared_state WHERE key = $1) AS fence`;
const select = "SELECT key, value FROM holdfast.shared_state WHERE key = ANY($1)";
const selectRange =
  "SELECT key, value FROM holdfast.shared_state WHERE key > $1 AND key < $2 ORDER BY key LIMIT $3";
const insert = `INSERT INTO holdfast.shared_state (key, value)
  SELECT * FROM unnest($1::text[], $2::text[]) ON CONFLICT (key) DO NOTHING`;
const update = `UPDATE holdfast.shared_state AS old SET value = new.value
  FROM unnest($1::text[], $2::text[]) AS new (key, value) WHERE old.key = new.key`;
const remove = "DELETE FROM holdfast.shared_state WHERE key = ANY($1)";

/**
 * Classes of SQLSTATE (PostgreSQL, Appendix A) with which the server says that a transaction was rolled back and may be
 * tried again: serialization failure, deadlock, and a lock not had in time.
 */
const retried = new Set(["40001", "40P01"]);
const lockNotAvailable = "55P03";

/** The server gave up waiting for its standbys, and says so in a remark beside a commit that it reports as done. */
const unreplicated = /canceling (the )?wait for synchronous replication/i;

export class PostgresStore implements Store {
  readonly #writing: Connection;
  /** Reads do not wait behind the locks of others. */
  readonly #reading: Connection;

  readonly #standbys: boolean;
  /** Set once the schema is known to be up to date. */
  #migrated = false;

  /**
   * Connects at the first use, and brings the schema up to date then: a gateway must be able to start, and to serve what
   * needs no store, while its store is away. `url` may name several hosts,
   * `postgres://user@first:5432,second:5432/name`; the one that is primary is used. The error is a sentence for the
   * operator, without the password. With `standbys`, reads take a standby too; changes never do.
   */
  static open(
    url: string,
    applicationName: string,
    { standbys = false }: { readonly standbys?: boolean } = {},
  ): Result<PostgresStore, string> {
    const urls = hostUrls(url);
    return urls.ok ? ok(new PostgresStore({ urls: urls.value, applicationName }, standbys)) : urls;
  }

  private constructor(target: PostgresTarget, standbys: boolean) {
    this.#standbys = standbys;
    this.#writing = new Connection(target);
    this.#reading = new Connection({ ...target, standbys });
  }

  attempt(
    keys: readonly string[],
    compute: (values: StoredValues, nowMs: number) => StoreWrites,
    under?: StoreFence,
  ): Promise<Result<void, StoreError>> {
    return this.#on(this.#writing, async (client) => {
      const written = await write(client, keys, compute, under);
      if (!written.ok || written.value === "nothing") {
        await client.query("ROLLBACK");
        return written.ok ? ok(undefined) : written;
      }
      return await this.#commit(client);
    });
  }

  read(keys: readonly string[]): Promise<Result<StoredValues, StoreError>> {
    return this.#on(this.#reading, async (client) => {
      const { rows }: QueryResult<Row> = await client.query(select, [keys]);
      return ok(valuesOf(rows));
    });
  }

  list(
    prefix: string,
    countMax: number,
    after: string,
  ): Promise<Result<readonly StoredValue[], StoreError>> {
    return this.#on(this.#reading, async (client) => {
      const from = after > prefix ? after : prefix;
      const { rows }: QueryResult<Row> = await client.query(selectRange, [
        from,
        prefixEnd(prefix),
        countMax,
      ]);
      return ok([...valuesOf(rows)].map(([key, value]) => ({ key, value })));
    });
  }

  async close(): Promise<void> {
    await Promise.all([this.#writing.end(), this.#reading.end()]);
  }

  #on<T>(
    connection: Connection,
    use: (client: Client) => Promise<Result<T, StoreError>>,
  ): Promise<Result<T, StoreError>> {
    return connection.with(async (client) => {
      // Whoever only looks leaves a standby as it is.
      if (!this.#migrated && !(this.#standbys && connection === this.#reading)) {
        const migrated = await migrate(client);
        if (!migrated.ok) return migrated;
        this.#migrated = true;
      }
      return await use(client);
    });
  }

  async #commit(client: Client): Promise<Result<void, StoreError>> {
    this.#writing.takeNotices();
    try {
      const { command } = await client.query("COMMIT");
      // A transaction that an earlier fault has doomed answers COMMIT with ROLLBACK.
      if (command !== "COMMIT")
        return err({ kind: "busy", detail: `the server answered ${command}` });
    } catch (thrown) {
      // An error of the server means rolled back. Its FATAL may come after the commit, and silence says nothing.
      const certain = thrown instanceof DatabaseError && thrown.severity === "ERROR";
      const kind = certain ? "busy" : "unknown";
      return err({ kind, detail: describe(thrown) });
    }
    const remark = this.#writing.takeNotices().find((notice) => unreplicated.test(notice));
    return remark === undefined ? ok(undefined) : err({ kind: "unknown", detail: remark });
  }
}

/** Everything before the commit: a fault here means that it did not happen. */
async function write(
  client: Client,
  keys: readonly string[],
  compute: (values: StoredValues, nowMs: number) => StoreWrites,
  under: StoreFence | undefined,
): Promise<Result<"something" | "nothing", StoreError>> {
  try {
    await client.query(beginUnder(under));
    const { rows }: QueryResult<Row> = await client.query(selectLocked, [keys]);
    const clock: QueryResult<Clock> = await client.query(selectNow, [under?.key ?? null]);
    const { now = Number.NaN, fence = null } = clock.rows[0] ?? {};
    const fenced = under === undefined || fence === null ? [] : [{ key: under.key, value: fence }];
    const stored = valuesOf([...rows, ...fenced]);
    const writes = compute(stored, now);
    if (writes.size === 0) return ok("nothing");
    const inserted = await apply(client, writes, stored);
    return inserted
      ? ok("something")
      : err({ kind: "conflict", detail: "another process wrote the key first" });
  } catch (thrown) {
    const state = sqlState(thrown) ?? "";
    const kind = retried.has(state)
      ? "conflict"
      : state === lockNotAvailable
        ? "busy"
        : "unreachable";
    return err({ kind, detail: describe(thrown) });
  }
}

/** False when a key that was absent has been inserted by somebody else meanwhile. */
async function apply(client: Client, writes: StoreWrites, stored: StoredValues): Promise<boolean> {
  const put = [...writes].flatMap(([key, value]) =>
    value === null ? [] : [[key, valueText(value)] as const],
  );
  const old = put.filter(([key]) => stored.has(key));
  const fresh = put.filter(([key]) => !stored.has(key));
  const gone = [...writes].filter(([, value]) => value === null).map(([key]) => key);
  if (old.length > 0) await client.query(update, columns(old));
  if (gone.length > 0) await client.query(remove, [gone]);
  if (fresh.length === 0) return true;
  const { rowCount } = await client.query(insert, columns(fresh));
  return rowCount === fresh.length;
}

function columns(rows: readonly (readonly [string, string])[]): [string[], string[]] {
  return [rows.map(([key]) => key), rows.map(([, text]) => text)];
}

function valuesOf(rows: readonly Row[]): StoredValues {
  return new Map(rows.map(({ key, value }) => [key, storedValue(key, value)]));
}

/** SQLSTATE; undefined when it was not the server who spoke. */
function sqlState(thrown: unknown): string | undefined {
  return thrown instanceof DatabaseError ? thrown.code : undefined;
}
