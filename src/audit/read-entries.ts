/** The newest entries, for looking at. Checks signatures and digests, not the tree: proof is `verifyLog`. */
import { err, ok, type Result } from "../kernel/index.ts";
import { openCheckpoint } from "./checkpoint.ts";
import type { Entry } from "./entry.ts";
import { checkpointPath, type LogFiles, readBundle, resolveEntry } from "./log-files.ts";
import type { NoteVerifier } from "./note.ts";
import { readJournal } from "./read-journal.ts";
import { tilesOf, tileWidth } from "./tile.ts";

export interface IndexedEntry {
  readonly index: number;
  readonly entry: Entry;
}

/** At most `countMax` entries from `from` on, published or in the journal; a negative `from` counts from the end. */
export async function readEntries(
  files: LogFiles,
  verifier: NoteVerifier,
  from: number,
  countMax: number = Number.POSITIVE_INFINITY,
): Promise<Result<readonly IndexedEntry[], string>> {
  const published = await publishedSize(files, verifier);
  if (!published.ok) return published;
  const { records } = await readJournal(files, published.value);
  const last = records.at(-1);
  const size = Math.max(published.value, last ? last.first + last.entries.length : 0);
  const first = from < 0 ? Math.max(0, size + from) : from;
  const end = Math.min(size, first + countMax);
  const leaves = await leavesIn(files, published.value, first, end);
  if (!leaves.ok) return leaves;
  for (const record of records)
    for (const [i, leaf] of record.entries.entries()) leaves.value.set(record.first + i, leaf);
  const entries: IndexedEntry[] = [];
  for (let index = first; index < end; index++) {
    const leaf = leaves.value.get(index);
    if (leaf === undefined) break;
    const entry = await resolveEntry(files, leaf);
    if (!entry.ok) return err(`entry ${index}: ${entry.error}`);
    entries.push({ index, entry: entry.value });
  }
  return ok(entries);
}

/** By index: every published leaf of the tiles that reach from `first` to before `end`. */
async function leavesIn(
  files: LogFiles,
  published: number,
  first: number,
  end: number,
): Promise<Result<Map<number, Uint8Array>, string>> {
  const leaves = new Map<number, Uint8Array>();
  for (const tile of tilesOf("entries", published, Math.floor(first / tileWidth))) {
    if (tile.index * tileWidth >= end) break;
    const bundle = await readBundle(files, tile.index, tile.width);
    if (!bundle.ok) return bundle;
    for (const [i, leaf] of bundle.value.entries()) leaves.set(tile.index * tileWidth + i, leaf);
  }
  return ok(leaves);
}

async function publishedSize(
  files: LogFiles,
  verifier: NoteVerifier,
): Promise<Result<number, string>> {
  const file = await files.read(checkpointPath);
  if (!file.ok && file.error.kind === "not_found") return ok(0);
  if (!file.ok) return err(`${checkpointPath} cannot be read (${file.error.code})`);
  const opened = openCheckpoint(Buffer.from(file.value).toString(), verifier);
  return opened.ok ? ok(opened.value.size) : err(`${checkpointPath}: ${opened.error}`);
}
