/** The schema of the embedded store, step by step. `schemas/store/sqlite.sql` is the sum of all steps. */
import type { Migration } from "../sql/index.ts";

export const sqliteMigrations: readonly Migration[] = [
  {
    number: 1,
    name: "shared state by key",
    sql: `
      CREATE TABLE shared_state (
        key TEXT PRIMARY KEY COLLATE BINARY,
        value TEXT NOT NULL CHECK (json_valid(value))
      ) STRICT, WITHOUT ROWID;
    `,
  },
];
