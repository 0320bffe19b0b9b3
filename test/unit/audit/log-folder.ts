/** Logs in memory, as files: made by the real publisher, with whatever was done to them since. */
import {
  encodeEntry,
  encodeRecord,
  HashTree,
  type JournalRecord,
  type LogFiles,
  leafHash,
  type NoteVerifier,
  noteVerifier,
  segmentPath,
  signCheckpoint,
} from "../../../src/audit/index.ts";
import { err, ok } from "../../../src/kernel/index.ts";
import { publish } from "../../../src/ledger/publish.ts";
import type { Disk, Signer } from "../../../src/ports.ts";
import { Random, simSigner } from "../../../src/sim/index.ts";
import { decisionEntry, outcomeEntry, startEntry } from "../ledger/entries.ts";

export const signer: Signer = simSigner("gateway.example/log", new Random(1));
export const thief: Signer = simSigner("gateway.example/log", new Random(2));
export const verifier: NoteVerifier = noteVerifier(signer.name, signer.publicKey);

export type Leaves = readonly Uint8Array[];
export type Files = Map<string, Uint8Array>;

export function leavesOf(count: number): Uint8Array[] {
  const entries = [startEntry()].map((entry) => encodeEntry(entry).bytes);
  for (let call = 0; entries.length < count; call++) {
    const decision = entries.length;
    const refused = call % 3 === 0;
    entries.push(encodeEntry(decisionEntry(`call-${call}`, refused ? "deny" : "allow")).bytes);
    if (!refused && entries.length < count)
      entries.push(encodeEntry(outcomeEntry(`call-${call}`, decision)).bytes);
  }
  return entries;
}

export function treeOf(leaves: Leaves): HashTree {
  const tree = new HashTree();
  for (const leaf of leaves) tree.append(leafHash(leaf));
  return tree;
}

/** The checkpoint of exactly these entries. */
export const checkpointOf = (leaves: Leaves, by: Signer = signer): string =>
  signCheckpoint(leaves.length, treeOf(leaves).root(), by);

/** The published files of a log of these entries. `checkpoint` may be one that does not fit. */
export async function filesOf(
  leaves: Leaves,
  checkpoint: string = checkpointOf(leaves),
): Promise<Files> {
  const files: Files = new Map();
  const disk = {
    replace: async (path: string, bytes: Uint8Array) => ok(void files.set(path, bytes)),
    list: async () => ok([]),
  } as unknown as Disk;
  const entries = (first: number, end: number): Leaves => leaves.slice(first, end);
  const { length: to } = leaves;
  await publish(disk, { tree: treeOf(leaves), from: 0, to, checkpoint, entries });
  return files;
}

export function readerOf(files: Files): LogFiles {
  return {
    read: async (path) => {
      const bytes = files.get(path);
      return bytes ? ok(bytes) : err({ kind: "not_found", code: "ENOENT", path });
    },
    list: async (folder) => {
      const names = [...files.keys()].filter((path) => path.startsWith(`${folder}/`));
      return ok(names.map((path) => path.slice(folder.length + 1)).sort());
    },
  };
}

/** The records of a journal: one for each pair of sizes in a row. */
export function recordsOf(leaves: Leaves, ...sizes: readonly number[]): JournalRecord[] {
  return sizes.slice(1).map((end, i) => ({
    first: sizes[i] ?? 0,
    checkpoint: checkpointOf(leaves.slice(0, end)),
    entries: leaves.slice(sizes[i], end),
  }));
}

/** Puts one segment of a journal among the files. */
export function putSegment(files: Files, records: readonly JournalRecord[], torn = 0): void {
  const bytes = Buffer.concat(records.map(encodeRecord));
  files.set(segmentPath(records[0]?.first ?? 0), bytes.subarray(0, bytes.length - torn));
}
