/**
 * The writer of a log, used by every process that records. Group commit: entries that arrive while one fdatasync is in
 * flight go together into the next.
 */
import type { Entry } from "../audit/index.ts";
import type { Result } from "../kernel/index.ts";

/** After any of these, nothing more is accepted: stop, restart, verify. The entry may or may not be in the log. */
export interface LedgerError {
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
  /** Resolves ok only when the entry and a signed checkpoint over it are durable. */
  append(entry: Entry): Promise<Result<Committed, LedgerError>>;
  /** The `c2sp.org/tlog-proof@v1` text of a committed entry, against the newest durable checkpoint; carries the entry as `extra`. */
  receipt(index: number): string | undefined;
  head(): { readonly size: number; readonly rootHash: Uint8Array; readonly checkpoint: string };
  /** False after a failure: the gateway reports not ready and refuses. */
  healthy(): boolean;
  /** Publishes tiles and stops. */
  close(): Promise<void>;
}
