/** The schema of the shared store, step by step. `schemas/store/postgres.sql` is the sum of all steps. */
import type { Migration } from "../sql/index.ts";

/** The step numbers already run; made before the first step. */
export const bookkeeping = `
  CREATE SCHEMA IF NOT EXISTS holdfast;
  CREATE TABLE IF NOT EXISTS holdfast.migration (
    number integer PRIMARY KEY,
    name text NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT now()
  );
`;

export const postgresMigrations: readonly Migration[] = [
  {
    number: 1,
    name: "shared state by key",
    // Text, not jsonb: an agent may send the escape \u0000, which jsonb refuses. `value::json` reads it.
    sql: `
      CREATE TABLE holdfast.shared_state (
        key text COLLATE "C" PRIMARY KEY,
        value text NOT NULL
      );
    `,
  },
];
