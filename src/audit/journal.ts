/**
 * The journal: what is durable before it is published as tiles. One record is one group commit: the signed checkpoint
 * and the entries it added. Layout, integers big-endian:
 *
 *     magic 4 | payload length 4 | SHA-256(magic, length)[:8] | SHA-256(payload)[:16] | payload
 *     payload = first index 8 | checkpoint length 4 | checkpoint | entries as an entry bundle
 */
import { assert, err, ok, type Result, sha256 } from "../kernel/index.ts";
import { decodeBundle, encodeBundle } from "./tile.ts";

export interface JournalRecord {
  /** Index of the first entry. */
  readonly first: number;
  /** Signed; covers exactly the entries up to the last of this record. */
  readonly checkpoint: string;
  readonly entries: readonly Uint8Array[];
}

const magic = Buffer.from("HFJ1");
const headBytes = 32;
const sectorBytes = 512;
const recordBytesMax = 64 * 1024 * 1024;

/** `journal/0000000000000042`: named by the index of its first entry, so that names sort. */
export function segmentPath(first: number): string {
  return `journal/${String(first).padStart(16, "0")}`;
}

/** The first index of a segment, from its file name. */
export function segmentFirst(name: string): number | undefined {
  return /^\d{16}$/.test(name) ? Number(name) : undefined;
}

export function encodeRecord({ first, checkpoint, entries }: JournalRecord): Uint8Array {
  const note = Buffer.from(checkpoint);
  const numbers = Buffer.alloc(12);
  numbers.writeBigUInt64BE(BigInt(first), 0);
  numbers.writeUInt32BE(note.length, 8);
  const payload = Buffer.concat([numbers, note, encodeBundle(entries)]);
  assert(payload.length <= recordBytesMax, "a group is bounded");
  return Buffer.concat([recordHead(payload.length), sha256(payload).subarray(0, 16), payload]);
}

/** What a segment holds. `tornBytes`: a last record that a crash cut, which nobody was told of. */
export interface JournalSegment {
  readonly records: readonly JournalRecord[];
  readonly wholeBytes: number;
  readonly tornBytes: number;
}

/**
 * Reads a segment. A record that does not check is a torn tail when nothing valid follows it and bytes of it are
 * missing (cut short, or a sector still zero); anything else is damage to what was durable, and an error.
 */
export function readSegment(bytes: Uint8Array): Result<JournalSegment, string> {
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const records: JournalRecord[] = [];
  let at = 0;
  while (at < file.length) {
    const end = recordEnd(file, at);
    if (end === undefined) break;
    const record = decodePayload(file.subarray(at + headBytes, end));
    if (!record.ok) return err(`the record at byte ${at} is malformed: ${record.error}`);
    records.push(record.value);
    at = end;
  }
  const tornBytes = file.length - at;
  if (tornBytes > 0 && !isTorn(file, at))
    return err(`the record at byte ${at} was complete and is damaged`);
  return ok({ records, wholeBytes: at, tornBytes });
}

function recordHead(payloadBytes: number): Buffer {
  const head = Buffer.alloc(8);
  magic.copy(head);
  head.writeUInt32BE(payloadBytes, 4);
  return Buffer.concat([head, sha256(head).subarray(0, 8)]);
}

/** The end of the record at `at`; `undefined` unless it is whole and its checksums hold. */
function recordEnd(file: Buffer, at: number): number | undefined {
  const payloadBytes = claimedBytes(file, at);
  const end = at + headBytes + (payloadBytes ?? 0);
  if (payloadBytes === undefined || end > file.length) return undefined;
  const sum = sha256(file.subarray(at + headBytes, end)).subarray(0, 16);
  return file.compare(sum, 0, 16, at + 16, at + headBytes) === 0 ? end : undefined;
}

/** The payload length, when the head is whole and its checksum holds. */
function claimedBytes(file: Buffer, at: number): number | undefined {
  if (at + headBytes > file.length) return undefined;
  const payloadBytes = file.readUInt32BE(at + 4);
  const intact = file.compare(recordHead(payloadBytes), 0, 16, at, at + 16) === 0;
  return intact && payloadBytes <= recordBytesMax ? payloadBytes : undefined;
}

function isTorn(file: Buffer, at: number): boolean {
  for (let next = file.indexOf(magic, at + 1); next >= 0; next = file.indexOf(magic, next + 1))
    if (recordEnd(file, next) !== undefined) return false;
  const claimed = claimedBytes(file, at);
  if (claimed !== undefined) {
    const end = at + headBytes + claimed;
    return end > file.length || hasZeroSector(file, at, end);
  }
  return file.length - at < headBytes || hasZeroSector(file, at, at + headBytes);
}

/** Whether some sector's share of `[start, end)` was never written. */
function hasZeroSector(file: Buffer, start: number, end: number): boolean {
  for (let at = start; at < end; ) {
    const next = Math.min(end, (Math.floor(at / sectorBytes) + 1) * sectorBytes);
    if (file.subarray(at, next).every((byte) => byte === 0)) return true;
    at = next;
  }
  return false;
}

function decodePayload(payload: Buffer): Result<JournalRecord, string> {
  if (payload.length < 12) return err("shorter than its numbers");
  const first = Number(payload.readBigUInt64BE(0));
  const noteEnd = 12 + payload.readUInt32BE(8);
  if (noteEnd > payload.length) return err("its checkpoint runs past the end");
  const entries = decodeBundle(payload.subarray(noteEnd));
  if (!entries.ok) return entries;
  if (entries.value.length === 0) return err("it has no entries");
  return ok({ first, checkpoint: payload.toString("utf8", 12, noteEnd), entries: entries.value });
}
