/** Checkpoints (`c2sp.org/tlog-checkpoint`): a signed note of origin, tree size and root hash. */
import { err, ok, type Result } from "../kernel/index.ts";
import { fromBase64, parseDecimal, toBase64 } from "./base64.ts";
import { type NoteVerifier, openNote, parseNote, signNote } from "./note.ts";
import { emptyRoot, hashBytes, sameHash } from "./tree.ts";

export interface Checkpoint {
  readonly origin: string;
  readonly size: number;
  readonly rootHash: Uint8Array;
}

/** The note text: what gets signed. */
function checkpointText({ origin, size, rootHash }: Checkpoint): string {
  return `${origin}\n${size}\n${toBase64(rootHash)}\n`;
}

/** A checkpoint whose origin is the name of its key. */
export function signCheckpoint(
  size: number,
  rootHash: Uint8Array,
  signer: Parameters<typeof signNote>[1],
): string {
  return signNote(checkpointText({ origin: signer.name, size, rootHash }), signer);
}

/** Reads the text of a note that was, or need not be, verified. Extension lines are allowed and ignored. */
export function parseCheckpointText(text: string): Result<Checkpoint, string> {
  const [origin = "", sizeLine = "", rootLine = "", ...extensions] = text.split("\n");
  const size = parseDecimal(sizeLine);
  const rootHash = fromBase64(rootLine);
  if (origin === "") return err("a checkpoint begins with its origin");
  if (size === undefined) return err("its second line is no tree size");
  if (rootHash?.length !== hashBytes) return err("its third line is no root hash");
  if (extensions.pop() !== "" || extensions.includes("")) return err("it has an empty line");
  if (size === 0 && !sameHash(rootHash, emptyRoot)) return err("the empty tree has another root");
  return ok({ origin, size, rootHash });
}

/** Verifies the signature, then reads. The origin must be the name of the key. */
export function openCheckpoint(note: string, verifier: NoteVerifier): Result<Checkpoint, string> {
  const opened = openNote(note, verifier);
  if (!opened.ok) return opened;
  const checkpoint = parseCheckpointText(opened.value.text);
  if (checkpoint.ok && checkpoint.value.origin !== verifier.name)
    return err(`its origin is ${checkpoint.value.origin}, the key is of ${verifier.name}`);
  return checkpoint;
}

/** Reads a checkpoint without trusting it: for naming, never for proving. */
export function peekCheckpoint(note: string): Result<Checkpoint, string> {
  const parsed = parseNote(note);
  return parsed.ok ? parseCheckpointText(parsed.value.text) : parsed;
}
