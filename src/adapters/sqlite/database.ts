/**
 * The embedded database, used by the worker alone: opening, migrating, and the three things it is asked. WAL with
 * `synchronous = FULL`: a commit that returned survives a crash of the machine.
 */
import { chmodSync, mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { DatabaseSync, type StatementSync } from "node:sqlite";
import { err, ok, type Result } from "../../kernel/index.ts";
import type { StoreError } from "../../ports.ts";
import { missingMigrations } from "../sql/index.ts";
import type { Ask, KeyText, Told } from "./messages.ts";
import { sqliteMigrations } from "./schema.ts";

/** Another process commits in well under a millisecond; this is for one whose disk hangs. */
const lockWaitMs = 2_000;

const sqliteBusy = 5;
const sqliteFull = 13;

export class Database {
  readonly #database: DatabaseSync;
  readonly #select: StatementSync;
  readonly #range: StatementSync;
  readonly #put: StatementSync;
  readonly #remove: StatementSync;
  /** After a failed write nothing is known of the file; a later fsync says nothing about the bytes of the failed one. */
  #broken: StoreError | undefined;

  /** Makes the file and its folder when absent. The error is a sentence for the operator. */
  static open(path: string): Result<Database, string> {
    try {
      mkdirSync(dirname(path), { recursive: true });
      const database = new DatabaseSync(path, { timeout: lockWaitMs });
      chmodSync(path, 0o600);
      database.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;");
      const migrated = migrate(database);
      return migrated.ok ? ok(new Database(database)) : err(`${path}: ${migrated.error}`);
    } catch (thrown) {
      return err(`${path} cannot be opened: ${String(thrown)}`);
    }
  }

  private constructor(database: DatabaseSync) {
    this.#database = database;
    this.#select = database.prepare("SELECT value FROM shared_state WHERE key = ?");
    this.#range = database.prepare(
      "SELECT key, value FROM shared_state WHERE key > ? AND key < ? ORDER BY key LIMIT ?",
    );
    this.#put = database.prepare(
      "INSERT INTO shared_state (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
    );
    this.#remove = database.prepare("DELETE FROM shared_state WHERE key = ?");
  }

  answer(ask: Exclude<Ask, { readonly ask: "close" }>): Told {
    if (this.#broken !== undefined) return { ok: false, error: this.#broken };
    try {
      switch (ask.ask) {
        case "read":
          return { ok: true, rows: this.#atOneMoment(() => ask.keys.map((key) => this.#row(key))) };
        case "list": {
          const found = this.#range.all(ask.from, ask.before, ask.countMax);
          const rows = found.map(({ key, value }): KeyText => [String(key), String(value)]);
          return { ok: true, rows };
        }
        case "commit":
          return this.#commit(ask.expected, ask.writes);
      }
    } catch (thrown) {
      return { ok: false, error: this.#failed(thrown, "unreachable") };
    }
  }

  close(): void {
    this.#database.close();
  }

  #row(key: string): KeyText {
    const found = this.#select.get(key);
    return [key, found === undefined ? null : String(found["value"])];
  }

  #atOneMoment<T>(read: () => T): T {
    this.#database.exec("BEGIN");
    try {
      return read();
    } finally {
      this.#database.exec("COMMIT");
    }
  }

  #commit(expected: readonly KeyText[], writes: readonly KeyText[]): Told {
    this.#database.exec("BEGIN IMMEDIATE");
    let written = false;
    try {
      const changed = expected.find(([key, text]) => this.#row(key)[1] !== text);
      if (changed !== undefined)
        return { ok: false, error: { kind: "conflict", detail: `${changed[0]} has changed` } };
      for (const [key, text] of writes)
        if (text === null) this.#remove.run(key);
        else this.#put.run(key, text);
      this.#database.exec("COMMIT");
      written = true;
      return { ok: true, rows: [] };
    } catch (thrown) {
      return { ok: false, error: this.#failed(thrown, "unknown") };
    } finally {
      if (!written && this.#database.isTransaction) this.#database.exec("ROLLBACK");
    }
  }

  #failed(thrown: unknown, kind: "unreachable" | "unknown"): StoreError {
    const code = (thrown as { readonly errcode?: number }).errcode ?? 0;
    const detail = String(thrown);
    // The primary code is in the low byte (SQLite, "Result and Error Codes"). Neither left anything behind.
    if ((code & 0xff) === sqliteBusy) return { kind: "busy", detail };
    if ((code & 0xff) === sqliteFull) return { kind: "unreachable", detail };
    this.#broken = {
      kind: "unreachable",
      detail: `the embedded store failed (${detail}); check the disk, then restart`,
    };
    return { kind, detail };
  }
}

function migrate(database: DatabaseSync): Result<void, string> {
  database.exec("BEGIN IMMEDIATE");
  try {
    const [version] = database.prepare("PRAGMA user_version").all();
    const missing = missingMigrations(sqliteMigrations, Number(version?.["user_version"] ?? 0));
    if (!missing.ok) return missing;
    for (const { number, sql } of missing.value)
      database.exec(`${sql}; PRAGMA user_version = ${number};`);
    database.exec("COMMIT");
    return ok(undefined);
  } finally {
    if (database.isTransaction) database.exec("ROLLBACK");
  }
}
