/** The ledger at work: group commit in front, publishing behind it, and the memory both share. */
import {
  type Entry,
  encodeEntry,
  formatProof,
  type HashTree,
  inclusionProof,
  segmentPath,
  tileWidth,
} from "../audit/index.ts";
import { err, type Result } from "../kernel/index.ts";
import type { AppendFile, Clock, Disk, Signer } from "../ports.ts";
import { GroupCommit, type Head } from "./group-commit.ts";
import type { Committed, Ledger, LedgerError, LedgerLimits } from "./ledger.ts";
import { publish } from "./publish.ts";

export interface WriterOptions {
  readonly disk: Disk;
  readonly signer: Signer;
  readonly clock: Clock;
  readonly limits: LedgerLimits;
  readonly tree: HashTree;
  readonly head: Head;
  readonly published: number;
  readonly bundleSerial: number;
  /** From the start of the bundle that holds `published`. */
  readonly entries: Uint8Array[];
  readonly segment: AppendFile;
  readonly segments: number[];
  readonly lock: { release(): Promise<void> };
}

export class LedgerWriter implements Ledger {
  readonly bundleSerial: number;
  readonly #options: WriterOptions;
  readonly #commits: GroupCommit;
  readonly #entries: Uint8Array[];
  #entriesFirst: number;
  #entriesBytes: number;
  #head: Head;
  #published: number;
  #publishing: Promise<void> | undefined;
  #wake = new AbortController();
  #closing: Promise<void> | undefined;

  constructor(options: WriterOptions) {
    this.#options = options;
    this.bundleSerial = options.bundleSerial;
    this.#entries = options.entries;
    this.#entriesFirst = options.head.size - options.entries.length;
    this.#entriesBytes = bytesOf(options.entries);
    this.#head = options.head;
    this.#published = options.published;
    const onDurable = (head: Head, entries: readonly Uint8Array[]): Promise<void> =>
      this.#onDurable(head, entries);
    this.#commits = new GroupCommit({ ...options, onDurable });
  }

  async append(entry: Entry): Promise<Result<Committed, LedgerError>> {
    if (this.#closing !== undefined)
      return err({ kind: "stopped", detail: "the ledger is closed" });
    const { bytes, blob } = encodeEntry(entry);
    if (blob !== undefined && this.healthy()) {
      // The content is durable before the entry that names it; a crash between leaves a file nobody names.
      const saved = await this.#options.disk.replace(blob.path, blob.bytes);
      if (!saved.ok) this.#commits.stop(`${blob.path}: ${saved.error.code}`);
    }
    return this.#commits.add(bytes);
  }

  receipt(index: number): string | undefined {
    const { size, checkpoint } = this.#head;
    const extra = this.#entries[index - this.#entriesFirst];
    if (extra === undefined || index < 0 || index >= size) return undefined;
    const proof = inclusionProof(index, size, this.#options.tree.node);
    return formatProof({ index, proof, checkpoint, extra });
  }

  head(): Head {
    return this.#head;
  }

  healthy(): boolean {
    return this.#commits.failure === undefined;
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    await this.#commits.idle();
    this.#wake.abort();
    await this.#publishing;
    if (this.healthy()) await this.#publish();
    this.#commits.stop("the ledger is closed");
    await this.#commits.close();
    await this.#options.lock.release();
  }

  async #onDurable(head: Head, entries: readonly Uint8Array[]): Promise<void> {
    this.#head = head;
    for (const entry of entries) this.#entries.push(entry);
    this.#entriesBytes += bytesOf(entries);
    this.#publishing ??= this.#publishLater();
    const { unpublishedEntriesMax, receiptBytesMax } = this.#options.limits;
    const isBehind =
      head.size - this.#published > unpublishedEntriesMax ||
      this.#entriesBytes > 2 * receiptBytesMax;
    if (!isBehind) return;
    this.#wake.abort();
    await this.#publishing;
  }

  async #publishLater(): Promise<void> {
    await this.#options.clock.sleep(this.#options.limits.publishIntervalMs, this.#wake.signal);
    if (this.healthy()) await this.#publish();
    this.#wake = new AbortController();
    this.#publishing = undefined;
    // What was committed meanwhile began no publication of its own, and perhaps nothing comes after it.
    const isBehind = this.#head.size > this.#published;
    if (isBehind && this.healthy() && this.#closing === undefined)
      this.#publishing = this.#publishLater();
  }

  /** Off the hot path. A crash anywhere inside is made good from the journal at the next start. */
  async #publish(): Promise<void> {
    const { disk, tree } = this.#options;
    const { size: to, checkpoint } = this.#head;
    const from = this.#published;
    if (to === from) return;
    const entries = (first: number, end: number): readonly Uint8Array[] =>
      this.#entries.slice(first - this.#entriesFirst, end - this.#entriesFirst);
    const published = await publish(disk, { tree, from, to, checkpoint, entries });
    if (!published.ok) {
      this.#commits.stop(`${published.error.path}: ${published.error.code}; stopped: restart`);
      return;
    }
    this.#published = to;
    this.#forget();
    await this.#trimJournal();
  }

  /** Keeps what the next publication needs, and what receipts are asked of. */
  #forget(): void {
    const { limits, tree } = this.#options;
    let [at, bytes] = [this.#entriesFirst, this.#entriesBytes];
    const tooMany = (): boolean =>
      this.#head.size - at > limits.receiptEntriesMax || bytes > limits.receiptBytesMax;
    while (at < this.#published && tooMany()) {
      bytes -= this.#entries[at - this.#entriesFirst]?.length ?? 0;
      at += 1;
    }
    const keepFrom = Math.floor(at / tileWidth) * tileWidth;
    if (keepFrom <= this.#entriesFirst) return;
    const forgotten = this.#entries.splice(0, keepFrom - this.#entriesFirst);
    this.#entriesBytes -= bytesOf(forgotten);
    this.#entriesFirst = keepFrom;
    tree.forgetBefore(keepFrom);
  }

  /** A segment goes once all of it is published. A removal that fails, or that a crash undoes, costs space only. */
  async #trimJournal(): Promise<void> {
    const { disk, segments } = this.#options;
    for (
      let next = segments[1];
      next !== undefined && next <= this.#published;
      next = segments[1]
    ) {
      const first = segments.shift();
      if (first !== undefined) await disk.remove(segmentPath(first));
    }
  }
}

function bytesOf(entries: readonly Uint8Array[]): number {
  return entries.reduce((sum, entry) => sum + entry.length, 0);
}
