/** Brings the schema of the shared store up to date, once, however many processes start together. */
import type { Client, QueryResult } from "pg";
import { err, ok, type Result } from "../../kernel/index.ts";
import type { StoreError } from "../../ports.ts";
import { missingMigrations } from "../sql/index.ts";
import { describe } from "./connection.ts";
import { bookkeeping, postgresMigrations } from "./schema.ts";

/** An advisory lock; any number that nobody else locks in this database. */
const migrationLock = 0x40_1d_fa_57;

export async function migrate(client: Client): Promise<Result<void, StoreError>> {
  try {
    await client.query("BEGIN");
    await client.query("SELECT pg_advisory_xact_lock($1)", [migrationLock]);
    await client.query(bookkeeping);
    const { rows }: QueryResult<{ newest: number | null }> = await client.query(
      "SELECT max(number) AS newest FROM holdfast.migration",
    );
    const missing = missingMigrations(postgresMigrations, rows[0]?.newest ?? 0);
    if (!missing.ok) return err({ kind: "unreachable", detail: missing.error });
    for (const { number, name, sql } of missing.value) {
      await client.query(sql);
      await client.query("INSERT INTO holdfast.migration (number, name) VALUES ($1, $2)", [
        number,
        name,
      ]);
    }
    await client.query("COMMIT");
    return ok(undefined);
  } catch (thrown) {
    return err({ kind: "unreachable", detail: describe(thrown) });
  }
}
