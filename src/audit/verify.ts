/** Verifies a whole log from its files and one public key. Trusts nothing in the folder; changes nothing. */
import type { OpenCall } from "./calls.ts";
import { type Checkpoint, openCheckpoint, peekCheckpoint } from "./checkpoint.ts";
import { type Claim, Claims } from "./claims.ts";
import type { Entry } from "./entry.ts";
import { EntryChecks } from "./entry-checks.ts";
import { type Finding, finding } from "./finding.ts";
import { HashTree } from "./hash-tree.ts";
import type { JournalRecord } from "./journal.ts";
import { checkpointPath, type LogFiles, resolveEntry } from "./log-files.ts";
import type { NoteVerifier } from "./note.ts";
import { verifyReceipt } from "./proof.ts";
import { readJournal } from "./read-journal.ts";
import { tilesOf } from "./tile.ts";
import { checkBundle, checkFullTiles, checkPartialTiles } from "./tile-checks.ts";
import { emptyRoot, leafHash, sameHash } from "./tree.ts";

export interface VerifyRequest {
  readonly files: LogFiles;
  readonly verifier: NoteVerifier;
  /** Checkpoints kept elsewhere, as signed notes. */
  readonly checkpoints?: readonly string[];
  /** Receipts kept elsewhere. */
  readonly receipts?: readonly string[];
  /** `opaque` for a log that Holdfast did not write: entries are bytes. Default `holdfast`. */
  readonly entries?: "holdfast" | "opaque";
  /** Hashes of entries from here on stay in `tree`, for proofs. Default: only what verification needs. */
  readonly keepFrom?: number;
  /** Called for each entry in order; `entry` is absent when it is opaque or malformed. */
  onEntry?(index: number, leaf: Uint8Array, entry: Entry | undefined): void;
}

export interface LogReport {
  /** Nothing was found but notes. */
  readonly ok: boolean;
  readonly size: number;
  readonly rootHash: Uint8Array;
  /** The newest signed checkpoint, published or in the journal. */
  readonly checkpoint: string | undefined;
  readonly findings: readonly Finding[];
  /** Forwarded calls of ended runs without an outcome. */
  readonly unknownCalls: readonly OpenCall[];
  /** Forwarded calls of the last run without an outcome: in flight, or unknown if it has ended. */
  readonly openCalls: readonly OpenCall[];
  /** Entries by kind; decisions by their outcome. */
  readonly counts: Readonly<Record<string, number>>;
  readonly tree: HashTree;
}

export async function verifyLog(request: VerifyRequest): Promise<LogReport> {
  const verification = new Verification(request);
  const { published, journal } = await verification.openLog();
  verification.openEvidence();
  await verification.walkBundles(published?.size ?? 0, journal[0]?.first);
  await verification.replayJournal(journal);
  verification.compareClaims();
  return verification.report();
}

/** Further ones say nothing new. */
const findingsMax = 100;

class Verification {
  readonly #request: VerifyRequest;
  readonly #findings: Finding[] = [];
  readonly #tree = new HashTree();
  readonly #claims = new Claims();
  readonly #checks: EntryChecks;
  #newest: { readonly size: number; readonly note: string } | undefined;

  constructor(request: VerifyRequest) {
    this.#request = request;
    this.#checks = new EntryChecks(request.verifier);
  }

  /**
   * The published checkpoint and the journal. A writer at work may publish and trim the journal between the two reads;
   * then the checkpoint is read again.
   */
  async openLog(): Promise<{
    readonly published: Checkpoint | undefined;
    readonly journal: readonly JournalRecord[];
  }> {
    const { files } = this.#request;
    let file = await files.read(checkpointPath);
    let content = await readJournal(files, peekSize(file));
    for (let again = 0; again < 3 && (content.records[0]?.first ?? 0) > peekSize(file); again++) {
      file = await files.read(checkpointPath);
      content = await readJournal(files, peekSize(file));
    }
    for (const each of content.findings) this.#found(each);
    const published = this.#openPublished(file);
    this.#openJournal(published, content.records);
    return { published, journal: content.records };
  }

  /** Present, and signed by the key. */
  #openPublished(file: Awaited<ReturnType<LogFiles["read"]>>): Checkpoint | undefined {
    const { verifier } = this.#request;
    if (!file.ok) {
      if (file.error.kind !== "not_found") this.#unreadable(checkpointPath, file.error.code);
      return undefined;
    }
    const note = Buffer.from(file.value).toString();
    const opened = openCheckpoint(note, verifier);
    if (!opened.ok) {
      this.#found(finding("bad_checkpoint", `${checkpointPath}: ${opened.error}`));
      return undefined;
    }
    this.#claim("the published checkpoint", opened.value, "here");
    this.#newest = { size: opened.value.size, note };
    return opened.value;
  }

  /** Each record continues the published log, or the empty one; its checkpoint is signed by the key. */
  #openJournal(published: Checkpoint | undefined, records: readonly JournalRecord[]): void {
    const { verifier } = this.#request;
    if (published === undefined && records[0]?.first !== 0 && this.#findings.length === 0)
      this.#found(
        records.length > 0
          ? finding("bad_checkpoint", `${checkpointPath} is missing`)
          : finding("unreadable", `no log here: neither ${checkpointPath} nor a journal`),
      );
    for (const { first, entries, checkpoint: note } of records) {
      const opened = openCheckpoint(note, verifier);
      if (!opened.ok || opened.value.size !== first + entries.length) {
        const why = opened.ok ? "it has another size" : opened.error;
        this.#found(finding("journal_differs", `the checkpoint of entry ${first}: ${why}`, first));
        continue;
      }
      this.#claim("a checkpoint of the journal", opened.value, "here");
      if (opened.value.size > (this.#newest?.size ?? -1))
        this.#newest = { size: opened.value.size, note };
    }
  }

  /** Checkpoints and receipts kept elsewhere: each signed by the key, each receipt proving its own entry. */
  openEvidence(): void {
    const { checkpoints = [], receipts = [], verifier } = this.#request;
    for (const [i, note] of checkpoints.entries()) {
      const opened = openCheckpoint(note, verifier);
      if (opened.ok) this.#claim(`retained checkpoint ${i + 1}`, opened.value, "elsewhere");
      else this.#found(finding("unreadable", `retained checkpoint ${i + 1}: ${opened.error}`));
    }
    for (const [i, text] of receipts.entries()) {
      const proven = verifyReceipt(text, verifier);
      if (!proven.ok) {
        this.#found(finding("unreadable", `receipt ${i + 1} proves nothing: ${proven.error}`));
        continue;
      }
      const { index, checkpoint } = proven.value;
      this.#claim(`receipt ${i + 1} (entry ${index})`, checkpoint, "elsewhere");
    }
  }

  /** Every bundle: its entries are the leaves of the tree, well formed, and make sense in order. */
  async walkBundles(size: number, journalFirst: number | undefined): Promise<void> {
    const { files } = this.#request;
    const keepFrom = Math.min(this.#request.keepFrom ?? size, journalFirst ?? size);
    for (const tile of tilesOf("entries", size)) {
      const { leaves, entries, findings } = await checkBundle(files, tile);
      for (const each of findings) this.#found(each);
      if (leaves === undefined) return;
      for (const [i, leaf] of leaves.entries()) await this.#next(leaf, entries[i]);
      for (const each of await checkFullTiles(files, this.#tree)) this.#found(each);
      this.#tree.forgetBefore(Math.min(keepFrom, this.#tree.size));
    }
    for (const each of await checkPartialTiles(files, this.#tree)) this.#found(each);
  }

  /** What is durable and not yet published continues the tree; what is published already is the same. */
  async replayJournal(journal: readonly JournalRecord[]): Promise<void> {
    for (const { first, entries } of journal) {
      if (first > this.#tree.size) {
        const message = `entries ${this.#tree.size} to ${first - 1} are missing before the journal`;
        this.#found(finding("journal_differs", message, this.#tree.size));
        return;
      }
      for (const [i, entry] of entries.entries()) {
        const index = first + i;
        const leaf = leafHash(entry);
        if (index >= this.#tree.size) await this.#next(leaf, entry);
        else if (!sameHash(leaf, this.#tree.node(0, index)))
          this.#found(
            finding("entry_differs", `entry ${index} is another one in the journal`, index),
          );
      }
    }
  }

  /** Every signed statement about the log agrees with what is there; what was kept elsewhere shows the rest. */
  compareClaims(): void {
    for (const each of this.#claims.compare(this.#tree.size)) this.#found(each);
  }

  report(): LogReport {
    const tampered = this.#findings.some(({ severity }) => severity !== "note");
    return {
      ok: !tampered,
      size: this.#tree.size,
      rootHash: this.#tree.size === 0 ? emptyRoot : this.#tree.root(),
      checkpoint: this.#newest?.note,
      findings: this.#findings,
      unknownCalls: this.#checks.trail.unknown,
      openCalls: this.#checks.trail.open,
      counts: this.#checks.counts,
      tree: this.#tree,
    };
  }

  async #next(leaf: Uint8Array, bytes: Uint8Array | undefined): Promise<void> {
    const index = this.#tree.size;
    const entry =
      bytes && this.#request.entries !== "opaque"
        ? await this.#checkEntry(index, bytes)
        : undefined;
    if (bytes !== undefined) this.#request.onEntry?.(index, bytes, entry);
    this.#tree.append(leaf);
    this.#claims.reached(this.#tree.size, () => this.#tree.root());
  }

  async #checkEntry(index: number, bytes: Uint8Array): Promise<Entry | undefined> {
    const entry = await resolveEntry(this.#request.files, bytes);
    if (!entry.ok) {
      this.#found(finding("bad_entry", `entry ${index}: ${entry.error}`, index));
      return undefined;
    }
    const root = (): Uint8Array => (index === 0 ? emptyRoot : this.#tree.root());
    for (const each of this.#checks.next(index, entry.value, root)) this.#found(each);
    return entry.value;
  }

  #claim(who: string, { size, rootHash }: Checkpoint, kept: Claim["kept"]): void {
    this.#claims.add({ who, size, rootHash, kept });
  }

  #unreadable(path: string, code: string): void {
    this.#found(finding("unreadable", `${path} cannot be read (${code})`));
  }

  #found(each: Finding): void {
    if (this.#findings.length < findingsMax) this.#findings.push(each);
  }
}

/** The size a checkpoint claims, before anything is trusted: which segments of the journal are still needed. */
function peekSize(file: Awaited<ReturnType<LogFiles["read"]>>): number {
  const peeked = file.ok ? peekCheckpoint(Buffer.from(file.value).toString()) : file;
  return peeked.ok ? peeked.value.size : 0;
}
