/**
 * The lock of a fence: shared by all who write under it, whole for whoever raises it.
 *
 * Why it is safe. Transactions are read committed, so each statement sees what was committed when it began. A writer takes
 * the lock shared in a statement of its own and reads the fence in a later one; the server lets go of the lock only after the
 * commit is visible to all. So a writer that got the lock before the raiser has committed before the raise does, and one that
 * got it after reads the new epoch. That holds for a fence that does not exist yet, too: a row that is absent could not be locked.
 *
 * Why it is no row lock. `FOR UPDATE` lets one gateway write at a time. `FOR SHARE` lets all of them, but whoever asks for it is let
 * past a raiser that waits (PostgreSQL, README.tuplock), so gateways under load could keep a new epoch out; and each one writes to
 * the row. The queue of advisory locks is fair: who comes after the raiser waits for it.
 */
import { createHash } from "node:crypto";
import type { StoreFence } from "../../ports.ts";

/** The number of the advisory lock; 64 bits of a hash, so that it is nobody else's in this database. */
export function fenceLock(key: string): bigint {
  return createHash("sha256").update(`holdfast fence ${key}`).digest().readBigInt64BE();
}

/** Begins a transaction; with its lock in the same round trip. It ends with the transaction. */
export function beginUnder(under: StoreFence | undefined): string {
  if (under === undefined) return "BEGIN";
  const lock = under.raises ? "pg_advisory_xact_lock" : "pg_advisory_xact_lock_shared";
  return `BEGIN; SELECT ${lock}('${fenceLock(under.key)}'::bigint)`;
}
