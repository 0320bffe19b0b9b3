/** Receipts: `c2sp.org/tlog-proof@v1`, one text that proves an entry is in the log, offline. */
import { err, ok, type Result } from "../kernel/index.ts";
import { fromBase64, parseDecimal, toBase64 } from "./base64.ts";
import { type Checkpoint, openCheckpoint } from "./checkpoint.ts";
import type { NoteVerifier } from "./note.ts";
import { hashBytes, leafHash, verifyInclusion } from "./tree.ts";

const magic = "c2sp.org/tlog-proof@v1";
/** A path in a tree of 2^53 leaves. */
const proofHashesMax = 53;
const receiptBytesMax = 2_000_000;

export interface TlogProof {
  readonly index: number;
  readonly proof: readonly Uint8Array[];
  /** The signed note, verbatim. */
  readonly checkpoint: string;
  /** Not authenticated by the format; ours carries the entry, which the proof then authenticates. */
  readonly extra?: Uint8Array;
}

export function formatProof({ index, proof, checkpoint, extra }: TlogProof): string {
  const lines = [magic];
  if (extra !== undefined) lines.push(`extra ${toBase64(extra)}`);
  lines.push(`index ${index}`, ...proof.map(toBase64), "", "");
  return `${lines.slice(0, -1).join("\n")}\n${checkpoint}`;
}

export function parseProof(text: string): Result<TlogProof, string> {
  if (text.length > receiptBytesMax) return err("the receipt is over two megabytes");
  const at = text.indexOf("\n\n");
  if (at < 0) return err("no empty line before the checkpoint");
  const lines = text.slice(0, at).split("\n");
  if (lines.shift() !== magic) return err(`the first line is not ${magic}`);
  const extra = takeExtra(lines);
  if (!extra.ok) return extra;
  const indexLine = lines.shift() ?? "";
  const index = indexLine.startsWith("index ") ? parseDecimal(indexLine.slice(6)) : undefined;
  if (index === undefined) return err("no line `index N`");
  if (lines.length > proofHashesMax) return err(`more than ${proofHashesMax} hashes`);
  const proof: Uint8Array[] = [];
  for (const line of lines) {
    const hash = fromBase64(line);
    if (hash?.length !== hashBytes) return err(`not a hash: ${JSON.stringify(line.slice(0, 60))}`);
    proof.push(hash);
  }
  const checkpoint = text.slice(at + 2);
  return ok({ index, proof, checkpoint, ...(extra.value ? { extra: extra.value } : {}) });
}

function takeExtra(lines: string[]): Result<Uint8Array | undefined, string> {
  if (!lines[0]?.startsWith("extra ")) return ok(undefined);
  const extra = fromBase64((lines.shift() ?? "").slice("extra ".length));
  return extra ? ok(extra) : err("the extra line is not canonical base64");
}

/** What a verified receipt proves. */
export interface Proven {
  readonly index: number;
  readonly entry: Uint8Array;
  readonly checkpoint: Checkpoint;
}

/** Verifies a receipt that carries its entry: the log's signature, then that the entry is where it says. */
export function verifyReceipt(text: string, verifier: NoteVerifier): Result<Proven, string> {
  const parsed = parseProof(text);
  if (!parsed.ok) return parsed;
  const { index, proof, extra } = parsed.value;
  if (extra === undefined) return err("the receipt does not carry its entry");
  const checkpoint = openCheckpoint(parsed.value.checkpoint, verifier);
  if (!checkpoint.ok) return err(`its checkpoint: ${checkpoint.error}`);
  const { size, rootHash: root } = checkpoint.value;
  if (!verifyInclusion({ index, size, leaf: leafHash(extra), root, proof }))
    return err(`the entry is not at index ${index} of the signed tree of ${size}`);
  return ok({ index, entry: extra, checkpoint: checkpoint.value });
}
