/**
 * The writer of a log, used by every process that records. Group commit: entries that arrive while one fdatasync is in
 * flight go together into the next.
 */
import type { Entry } from "../audit/index.ts";
import type { Result } from "../kernel/index.ts";

export interface LedgerError {
  /**
   * `failed`: the entry may or may not be in the log. `stopped`: it is not, and nothing more is accepted: restart and
   * verify. `full`: it is not, too many are waiting; the next may be accepted.
   */
  readonly kind: "failed" | "stopped" | "full";
  readonly detail: string;
}

export interface Committed {
  /** Zero-based index of the entry in the log. */
  readonly index: number;
  /** Tree size of the first durable checkpoint that covers it. */
  readonly treeSize: number;
}

export interface Ledger {
  /** The highest serial of a policy bundle that was in the log when it was opened; 0 in a new one. */
  readonly bundleSerial: number;
  /** Resolves ok only when the entry and a signed checkpoint over it are durable. */
  append(entry: Entry): Promise<Result<Committed, LedgerError>>;
  /**
   * The `c2sp.org/tlog-proof@v1` text of a committed entry, against the newest durable checkpoint; carries the entry as
   * `extra`. `undefined` once the entry left memory (the newest 16,384 stay, or 64 MiB): `holdfast audit prove` reads the files.
   */
  receipt(index: number): string | undefined;
  head(): { readonly size: number; readonly rootHash: Uint8Array; readonly checkpoint: string };
  /** False after a failure: the gateway reports not ready and refuses. */
  healthy(): boolean;
  /** Publishes tiles and stops. */
  close(): Promise<void>;
}

/** Why a log could not be opened. Nothing was changed that a later opening would miss. */
export interface LedgerOpenError {
  /** `locked`: another process writes it. `damaged`: it does not verify; never repaired silently. */
  readonly kind: "locked" | "damaged" | "failed";
  /** What is wrong, where, and what to do. */
  readonly detail: string;
}

/** Each is a bound; none may be exceeded. */
export interface LedgerLimits {
  /** Entries that wait for their group. */
  readonly queueEntriesMax: number;
  readonly queueBytesMax: number;
  readonly groupEntriesMax: number;
  readonly groupBytesMax: number;
  /** A longer segment of the journal is followed by a new one. */
  readonly segmentBytesMax: number;
  /** Entries are published as tiles at the latest this long after their commit, on the monotonic clock. */
  readonly publishIntervalMs: number;
  /** Commits wait while more entries than this are durable but not published. */
  readonly unpublishedEntriesMax: number;
  /** The newest entries, kept in memory for receipts. */
  readonly receiptEntriesMax: number;
  /** The same in bytes; at twice this, commits wait until more is published and let go. */
  readonly receiptBytesMax: number;
}

export const ledgerLimits: LedgerLimits = {
  queueEntriesMax: 16_384,
  queueBytesMax: 64 * 1024 * 1024,
  groupEntriesMax: 1_024,
  groupBytesMax: 4 * 1024 * 1024,
  segmentBytesMax: 16 * 1024 * 1024,
  publishIntervalMs: 1_000,
  unpublishedEntriesMax: 65_536,
  receiptEntriesMax: 16_384,
  receiptBytesMax: 64 * 1024 * 1024,
};
