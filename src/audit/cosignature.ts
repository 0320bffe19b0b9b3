/** Cosignatures of witnesses on a checkpoint (`c2sp.org/tlog-cosignature`, the Ed25519 form). */
import { err, ok, type Result, verifyEd25519 } from "../kernel/index.ts";
import { type NoteVerifier, parseNote, signatureType } from "./note.ts";

export interface Cosignature {
  readonly witness: string;
  /** POSIX seconds at which the witness saw this as the largest consistent checkpoint. */
  readonly timeSeconds: number;
}

/** The statement of one witness about a checkpoint, when its signature holds. */
export function openCosignature(
  checkpoint: string,
  witness: NoteVerifier,
): Result<Cosignature, string> {
  if (witness.type !== signatureType.cosignatureEd25519)
    return err(`the key of ${witness.name} is not one of cosignatures`);
  const note = parseNote(checkpoint);
  if (!note.ok) return note;
  const line = note.value.signatures.find(
    ({ name, keyId }) => name === witness.name && keyId === witness.keyId,
  );
  if (line === undefined) return err(`not cosigned by ${witness.name}`);
  if (line.signature.length !== 72)
    return err("a cosignature has 8 bytes of time and 64 of Ed25519");
  const time = Buffer.from(line.signature).readBigUInt64BE(0);
  if (time > BigInt(Number.MAX_SAFE_INTEGER)) return err("its time is out of range");
  const message = Buffer.from(`cosignature/v1\ntime ${time}\n${note.value.text}`);
  if (!verifyEd25519(message, witness.key, line.signature.subarray(8)))
    return err(`the cosignature of ${witness.name} does not verify`);
  return ok({ witness: witness.name, timeSeconds: Number(time) });
}
