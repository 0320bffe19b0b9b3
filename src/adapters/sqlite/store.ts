/** The embedded store: one SQLite file in the data folder, shared by the processes of this machine. Computes between the
 * worker's read and its commit, which fails if anything read has changed. */
import { once } from "node:events";
import { Worker } from "node:worker_threads";
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
import type { Ask, Envelope, KeyText, Told } from "./messages.ts";

/** Compiled, the worker lies beside this file under its other name. */
const workerFile = import.meta.url.endsWith(".ts") ? "./worker.ts" : "./worker.js";

export class SqliteStore implements Store {
  readonly #worker: Worker;
  readonly #asked = new Map<number, (told: Told) => void>();
  #last = 0;
  #ended = false;

  /** The error is a sentence for the operator. */
  static async open(path: string): Promise<Result<SqliteStore, string>> {
    const worker = new Worker(new URL(workerFile, import.meta.url), { workerData: path });
    // `once` rejects when the thread ends with an error before it says anything.
    const first = await once(worker, "message").then(
      ([said]) => said as string | null,
      (thrown: unknown) => `the store's thread did not start: ${String(thrown)}`,
    );
    if (first === null) return ok(new SqliteStore(worker));
    await worker.terminate();
    return err(first);
  }

  private constructor(worker: Worker) {
    this.#worker = worker;
    worker.on("message", ({ id, body }: Envelope<Told>) => {
      this.#asked.get(id)?.(body);
      this.#asked.delete(id);
    });
    worker.on("error", (error) => this.#end(String(error)));
    worker.on("exit", () => this.#end("its thread has ended"));
  }

  async attempt(
    named: readonly string[],
    compute: (values: StoredValues, nowMs: number) => StoreWrites,
    under?: StoreFence,
  ): Promise<Result<void, StoreError>> {
    const keys = under === undefined ? named : [...new Set([...named, under.key])];
    const read = await this.#ask({ ask: "read", keys });
    if (!read.ok) return err(read.error);
    const computed = compute(valuesOf(read.rows), Date.now());
    if (computed.size === 0) return ok(undefined);
    const writes = [...computed].map(
      ([key, value]): KeyText => [key, value === null ? null : valueText(value)],
    );
    const told = await this.#ask({ ask: "commit", expected: read.rows, writes });
    return told.ok ? ok(undefined) : err(told.error);
  }

  async read(keys: readonly string[]): Promise<Result<StoredValues, StoreError>> {
    const told = await this.#ask({ ask: "read", keys });
    return told.ok ? ok(valuesOf(told.rows)) : err(told.error);
  }

  async list(
    prefix: string,
    countMax: number,
    after: string,
  ): Promise<Result<readonly StoredValue[], StoreError>> {
    const from = after > prefix ? after : prefix;
    const told = await this.#ask({ ask: "list", from, before: prefixEnd(prefix), countMax });
    if (!told.ok) return err(told.error);
    return ok([...valuesOf(told.rows)].map(([key, value]) => ({ key, value })));
  }

  async close(): Promise<void> {
    if (this.#ended) return;
    const exited = once(this.#worker, "exit");
    this.#post({ id: 0, body: { ask: "close" } });
    await exited;
  }

  #ask(body: Ask): Promise<Told> {
    if (this.#ended) {
      const detail = "the thread of the embedded store has ended; restart";
      return Promise.resolve({ ok: false, error: { kind: "unreachable", detail } });
    }
    this.#last += 1;
    const id = this.#last;
    return new Promise((resolve) => {
      this.#asked.set(id, resolve);
      this.#post({ id, body });
    });
  }

  #post(envelope: Envelope<Ask>): void {
    this.#worker.postMessage(envelope);
  }

  #end(detail: string): void {
    this.#ended = true;
    for (const tell of this.#asked.values())
      tell({ ok: false, error: { kind: "unknown", detail } });
    this.#asked.clear();
  }
}

function valuesOf(rows: readonly KeyText[]): StoredValues {
  const values = new Map<string, ReturnType<typeof storedValue>>();
  for (const [key, text] of rows) if (text !== null) values.set(key, storedValue(key, text));
  return values;
}
