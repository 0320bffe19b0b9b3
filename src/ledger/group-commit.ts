/**
 * Group commit into the journal: one append and one fdatasync in flight, and whatever arrived meanwhile goes into the
 * next. The first error stops everything: after a failed write or sync nobody knows what the disk holds, and a later
 * success would say nothing about it.
 */
import {
  encodeRecord,
  type HashTree,
  leafHash,
  segmentPath,
  signCheckpoint,
} from "../audit/index.ts";
import { err, ok, type Result } from "../kernel/index.ts";
import type { AppendFile, Disk, DiskError, Signer } from "../ports.ts";
import type { Committed, LedgerError, LedgerLimits } from "./ledger.ts";

export interface Head {
  readonly size: number;
  readonly rootHash: Uint8Array;
  readonly checkpoint: string;
}

interface Waiting {
  readonly bytes: Uint8Array;
  settle(result: Result<Committed, LedgerError>): void;
}

export interface GroupCommitOptions {
  readonly disk: Disk;
  readonly signer: Signer;
  readonly limits: LedgerLimits;
  readonly tree: HashTree;
  readonly segment: AppendFile;
  readonly segments: number[];
  /** Called with each durable group before anyone is told; awaited for back-pressure. */
  onDurable(head: Head, entries: readonly Uint8Array[]): Promise<void>;
}

export class GroupCommit {
  readonly #options: GroupCommitOptions;
  #segment: AppendFile;
  #queue: Waiting[] = [];
  #queueBytes = 0;
  #running: Promise<void> | undefined;
  #failure: string | undefined;

  constructor(options: GroupCommitOptions) {
    this.#options = options;
    this.#segment = options.segment;
  }

  get failure(): string | undefined {
    return this.#failure;
  }

  add(bytes: Uint8Array): Promise<Result<Committed, LedgerError>> {
    if (this.#failure !== undefined) return Promise.resolve(this.#stopped());
    const { queueEntriesMax, queueBytesMax } = this.#options.limits;
    const { length } = this.#queue;
    if (length >= queueEntriesMax || this.#queueBytes + bytes.length > queueBytesMax) {
      const detail = `${length} entries of ${this.#queueBytes} bytes wait already; try again later`;
      return Promise.resolve(err({ kind: "full", detail }));
    }
    this.#queueBytes += bytes.length;
    return new Promise((settle) => {
      this.#queue.push({ bytes, settle });
      this.#running ??= this.#run();
    });
  }

  /** Nothing is accepted from now on; what waits is refused. Idempotent: the first reason stays. */
  stop(reason: string): void {
    this.#failure ??= reason;
    const waiting = this.#queue;
    this.#queue = [];
    for (const { settle } of waiting) settle(this.#stopped());
  }

  /** Resolves when nothing waits and nothing is in flight. */
  async idle(): Promise<void> {
    await this.#running;
  }

  async close(): Promise<void> {
    await this.idle();
    await this.#segment.close();
  }

  async #run(): Promise<void> {
    // Lets every caller of this turn of the event loop into the first group.
    await Promise.resolve();
    while (this.#queue.length > 0 && this.#failure === undefined) {
      const group = this.#take();
      const committed = await this.#commit(group).catch(brokenPromise);
      if (!committed.ok) {
        this.stop(committed.error);
        for (const { settle } of group) settle(err({ kind: "failed", detail: committed.error }));
        break;
      }
    }
    this.#running = undefined;
  }

  #take(): readonly Waiting[] {
    const { groupEntriesMax, groupBytesMax } = this.#options.limits;
    let [count, bytes] = [0, 0];
    for (const waiting of this.#queue) {
      bytes += waiting.bytes.length + 2;
      if (count > 0 && (count === groupEntriesMax || bytes > groupBytesMax)) break;
      count += 1;
    }
    const group = this.#queue.splice(0, count);
    for (const waiting of group) this.#queueBytes -= waiting.bytes.length;
    return group;
  }

  async #commit(group: readonly Waiting[]): Promise<Result<void, string>> {
    const { tree, signer } = this.#options;
    const first = tree.size;
    const entries = group.map(({ bytes }) => bytes);
    // Only memory so far. A crash here, or a failure below, discards it: `head` moves after the sync.
    for (const entry of entries) tree.append(leafHash(entry));
    const rootHash = tree.root();
    const checkpoint = signCheckpoint(tree.size, rootHash, signer);
    const written = await this.#write(first, encodeRecord({ first, checkpoint, entries }));
    if (!written.ok) {
      const { code, path } = written.error;
      return err(`${path}: ${code}; stopped, because what the disk holds is not known: restart`);
    }
    // Durable: a crash from here on keeps these entries, told or not.
    await this.#options.onDurable({ size: tree.size, rootHash, checkpoint }, entries);
    group.forEach(({ settle }, i) => {
      settle(ok({ index: first + i, treeSize: tree.size }));
    });
    return ok(undefined);
  }

  async #write(first: number, record: Uint8Array): Promise<Result<void, DiskError>> {
    const rotated = await this.#rotate(first);
    if (!rotated.ok) return rotated;
    // A crash during the append or the sync leaves a torn record, or a whole one that nobody was told of.
    const appended = await this.#segment.append(record);
    return appended.ok ? this.#segment.sync() : appended;
  }

  /** Everything in the old segment is durable, so a crash leaves at worst an empty new one. */
  async #rotate(first: number): Promise<Result<void, DiskError>> {
    const { disk, limits, segments } = this.#options;
    if (this.#segment.sizeBytes < limits.segmentBytesMax) return ok(undefined);
    const next = await disk.openAppend(segmentPath(first), 0);
    if (!next.ok) return next;
    await this.#segment.close();
    this.#segment = next.value;
    segments.push(first);
    return ok(undefined);
  }

  #stopped(): { readonly ok: false; readonly error: LedgerError } {
    return err({ kind: "stopped", detail: this.#failure ?? "the ledger is closed" });
  }
}

/** A key that is gone, or a broken invariant: nothing is known any more, so nothing more is accepted. */
function brokenPromise(reason: unknown): Result<void, string> {
  return err(`stopped: ${reason instanceof Error ? reason.message : String(reason)}`);
}
