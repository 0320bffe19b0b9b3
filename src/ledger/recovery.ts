/** What a log on disk comes to: the published tiles, then the journal. Reads only; trusts nothing it did not check. */
import {
  CallTrail,
  checkpointPath,
  decodeEntry,
  emptyRoot,
  HashTree,
  type JournalRecord,
  leafHash,
  type NoteVerifier,
  openCheckpoint,
  readBundle,
  readSegment,
  resolveEntry,
  sameHash,
  segmentFirst,
  segmentPath,
  tilePath,
  tileWidth,
} from "../audit/index.ts";
import { err, ok, type Result } from "../kernel/index.ts";
import type { LedgerOpenError } from "./ledger.ts";
import { type Reads, watchedReads } from "./watched-reads.ts";

export interface Recovered {
  readonly tree: HashTree;
  /** The newest durable checkpoint; absent when the log is empty. */
  readonly checkpoint: string | undefined;
  readonly rootHash: Uint8Array;
  /** Size of the checkpoint that is published as tiles. */
  readonly published: number;
  /** Entries from the start of the bundle that holds `published`. */
  readonly entries: Uint8Array[];
  /** First indexes of the segments found. */
  readonly segments: readonly number[];
  /** Calls of the last run that have a decision and no outcome. */
  readonly unknownCalls: readonly string[];
  /** The highest serial of a policy bundle in the log; each start entry carries it over from the run before. */
  readonly bundleSerial: number;
}

type Outcome<T> = Result<T, LedgerOpenError>;

const damaged = (detail: string): { readonly ok: false; readonly error: LedgerOpenError } =>
  err({
    kind: "damaged",
    detail: `${detail}; nothing was changed: keep a copy, run \`holdfast audit verify\`, restore or start a new log`,
  });

/** A file that the disk would not give says nothing about the log: that is `failed`, never `damaged`. */
export async function recover(disk: Reads, verifier: NoteVerifier): Promise<Outcome<Recovered>> {
  const reads = watchedReads(disk);
  const recovered = await recoverFrom(reads, verifier);
  const { unreadable } = reads;
  if (recovered.ok || unreadable === undefined) return recovered;
  const detail = `${unreadable.path} cannot be read (${unreadable.code}); check the disk, then start again`;
  return err({ kind: "failed", detail });
}

async function recoverFrom(disk: Reads, verifier: NoteVerifier): Promise<Outcome<Recovered>> {
  const found = await readPublished(disk, verifier);
  if (!found.ok) return found;
  const { tree, entries, size: published } = found.value;
  const segments = await listSegments(disk);
  if (!segments.ok) return segments;
  const replayed = await replayJournal(disk, segments.value, found.value, verifier);
  if (!replayed.ok) return replayed;
  const checkpoint = replayed.value ?? found.value.checkpoint;
  const run = await readLastRun(disk, entries, tree.size);
  if (!run.ok) return run;
  const rootHash = tree.size === 0 ? emptyRoot : tree.root();
  return ok({
    ...{ tree, checkpoint, rootHash, published, entries },
    segments: segments.value,
    ...run.value,
  });
}

/** Adds what the journal holds beyond the tiles; its last checkpoint, if it added anything. */
async function replayJournal(
  disk: Reads,
  segments: readonly number[],
  published: Published,
  verifier: NoteVerifier,
): Promise<Outcome<string | undefined>> {
  const { tree, size } = published;
  let checkpoint: string | undefined;
  for (const [i, first] of segments.entries()) {
    const next = segments[i + 1];
    // Wholly published: a removal that a crash undid.
    if (next !== undefined && next <= size) continue;
    const records = await readRecords(disk, first, next === undefined);
    if (!records.ok) return records;
    const fresh = records.value.filter((each) => endOf(each) > size);
    const replayed = replay(fresh, published, verifier);
    if (!replayed.ok) return damaged(`${segmentPath(first)}: ${replayed.error}`);
    checkpoint = fresh.at(-1)?.checkpoint ?? checkpoint;
    const gap = gapAfter(tree.size, first, next);
    if (gap !== undefined) return damaged(gap);
  }
  return ok(checkpoint);
}

/** The next segment begins where this one ended; an empty last one begins where the log ends. */
function gapAfter(size: number, first: number, next: number | undefined): string | undefined {
  if (next === undefined ? first <= size : next === size) return undefined;
  return `the journal goes from entry ${size} to ${next ?? first}`;
}

function endOf({ first, entries }: JournalRecord): number {
  return first + entries.length;
}

interface Published {
  readonly tree: HashTree;
  readonly size: number;
  readonly checkpoint: string | undefined;
  readonly entries: Uint8Array[];
}

async function readPublished(disk: Reads, verifier: NoteVerifier): Promise<Outcome<Published>> {
  const file = await disk.read(checkpointPath);
  if (!file.ok && file.error.kind === "not_found")
    return ok({ tree: new HashTree(), size: 0, checkpoint: undefined, entries: [] });
  if (!file.ok) return err({ kind: "failed", detail: `${checkpointPath}: ${file.error.code}` });
  const checkpoint = Buffer.from(file.value).toString();
  const opened = openCheckpoint(checkpoint, verifier);
  if (!opened.ok) return damaged(`${checkpointPath}: ${opened.error}`);
  const { size, rootHash } = opened.value;
  const tiles = new Map<string, Uint8Array>();
  for (let level = 0, count = size; count > 0; level++, count = Math.floor(count / tileWidth)) {
    const width = count % tileWidth;
    if (width === 0) continue;
    const path = tilePath({ level, index: Math.floor(count / tileWidth), width });
    const tile = await disk.read(path);
    if (!tile.ok) return damaged(`${path} cannot be read (${tile.error.code})`);
    if (tile.value.length !== width * 32) return damaged(`${path} has not ${width} hashes`);
    tiles.set(`${level}`, tile.value);
  }
  const tree = HashTree.restore(size, (level) => tiles.get(`${level}`) ?? new Uint8Array(0));
  if (!sameHash(tree.root(), rootHash))
    return damaged("the tiles do not have the root of the checkpoint");
  const entries = await readPartialBundle(disk, size, tree);
  return entries.ok ? ok({ tree, size, checkpoint, entries: entries.value }) : entries;
}

async function readPartialBundle(
  disk: Reads,
  size: number,
  tree: HashTree,
): Promise<Outcome<Uint8Array[]>> {
  const width = size % tileWidth;
  if (width === 0) return ok([]);
  const index = Math.floor(size / tileWidth);
  const bundle = await readBundle(disk, index, width);
  if (!bundle.ok) return damaged(bundle.error);
  const first = index * tileWidth;
  const wrong = bundle.value.findIndex(
    (entry, i) => !sameHash(leafHash(entry), tree.node(0, first + i)),
  );
  if (bundle.value.length !== width || wrong >= 0)
    return damaged(`entry ${first + Math.max(wrong, 0)} is not the one in the tree`);
  return ok([...bundle.value]);
}

async function listSegments(disk: Reads): Promise<Outcome<number[]>> {
  const names = await disk.list("journal");
  if (!names.ok) return err({ kind: "failed", detail: `journal: ${names.error.code}` });
  const firsts: number[] = [];
  for (const name of names.value) {
    const first = segmentFirst(name);
    if (first === undefined) return damaged(`journal/${name} is no segment of a journal`);
    firsts.push(first);
  }
  return ok(firsts);
}

async function readRecords(
  disk: Reads,
  first: number,
  isLast: boolean,
): Promise<Outcome<readonly JournalRecord[]>> {
  const path = segmentPath(first);
  const file = await disk.read(path);
  if (!file.ok) return err({ kind: "failed", detail: `${path}: ${file.error.code}` });
  const segment = readSegment(file.value);
  if (!segment.ok) return damaged(`${path}: ${segment.error}`);
  // A segment begins only after the one before is durable, so only the last one can be torn.
  if (segment.value.tornBytes > 0 && !isLast)
    return damaged(`${path} ends in ${segment.value.tornBytes} bytes that are no record`);
  return ok(segment.value.records);
}

/** Adds the entries of each record that continues the log and whose checkpoint is ours. */
function replay(
  records: readonly JournalRecord[],
  { tree, entries }: Published,
  verifier: NoteVerifier,
): Result<void, string> {
  for (const record of records) {
    if (record.first !== tree.size)
      return err(`a record begins at entry ${record.first}, the log has ${tree.size}`);
    const opened = openCheckpoint(record.checkpoint, verifier);
    if (!opened.ok) return err(`the checkpoint of entry ${record.first}: ${opened.error}`);
    for (const entry of record.entries) {
      tree.append(leafHash(entry));
      entries.push(entry);
    }
    const { size, rootHash } = opened.value;
    if (size !== tree.size || !sameHash(rootHash, tree.root()))
      return err(`the entries from ${record.first} do not have the root of their checkpoint`);
  }
  return ok(undefined);
}

/** Reads back to the last start, bundle by bundle. */
async function readLastRun(
  disk: Reads,
  tail: readonly Uint8Array[],
  size: number,
): Promise<Outcome<Pick<Recovered, "unknownCalls" | "bundleSerial">>> {
  const run: (readonly Uint8Array[])[] = [tail];
  let first = size - tail.length;
  let at = lastStart(tail);
  while (at < 0 && first > 0) {
    const index = first / tileWidth - 1;
    const bundle = await readBundle(disk, index, tileWidth);
    if (!bundle.ok) return damaged(bundle.error);
    run.unshift(bundle.value);
    first = index * tileWidth;
    at = lastStart(bundle.value);
  }
  const trail = new CallTrail();
  let bundleSerial = 0;
  let index = first + Math.max(at, 0);
  for (const leaf of run.flat().slice(Math.max(at, 0))) {
    const entry = await resolveEntry(disk, leaf);
    if (!entry.ok) return damaged(`entry ${index}: ${entry.error}`);
    trail.next(index, entry.value);
    if ("bundle_serial" in entry.value)
      bundleSerial = Math.max(bundleSerial, entry.value.bundle_serial);
    index += 1;
  }
  return ok({ unknownCalls: trail.open.map(({ call }) => call), bundleSerial });
}

function lastStart(leaves: readonly Uint8Array[]): number {
  return leaves.findLastIndex((leaf) => {
    const entry = decodeEntry(leaf);
    if (!entry.ok) return false;
    const { value } = entry;
    return value.kind === "start" || (value.kind === "digest" && value.of === "start");
  });
}
