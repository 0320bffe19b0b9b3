/** Signed notes (`c2sp.org/signed-note`) with Ed25519: text, blank line, signature lines. */
import type { KeyObject } from "node:crypto";
import { ed25519Key, err, ok, type Result, sha256, verifyEd25519 } from "../kernel/index.ts";
import { fromBase64, toBase64 } from "./base64.ts";

/** Signature types of the specification that we know. */
export const signatureType = { ed25519: 0x01, cosignatureEd25519: 0x04 } as const;

const noteBytesMax = 1_000_000;
const signaturesMax = 64;
/** Names may hold no Unicode space, plus sign or control character. */
const namePattern = /^[^\s+\p{Cc}]+$/u;

export interface NoteSignature {
  readonly name: string;
  readonly keyId: number;
  /** Without the four bytes of the key id. */
  readonly signature: Uint8Array;
}

export interface Note {
  /** What is signed, with its final newline. */
  readonly text: string;
  readonly signatures: readonly NoteSignature[];
}

/** A public key under its name. Text form: vkey. */
export interface NoteVerifier {
  readonly name: string;
  readonly keyId: number;
  readonly type: number;
  readonly publicKey: Uint8Array;
  readonly key: KeyObject;
}

/** The first four bytes of `SHA-256(name || "\n" || type || key)`. */
function noteKeyId(name: string, type: number, publicKey: Uint8Array): number {
  const input = Buffer.concat([Buffer.from(`${name}\n`), Buffer.from([type]), publicKey]);
  return Buffer.from(sha256(input)).readUInt32BE(0);
}

/** `name+keyid+base64(type || key)`. */
export function encodeVkey(
  name: string,
  publicKey: Uint8Array,
  type: number = signatureType.ed25519,
): string {
  const id = noteKeyId(name, type, publicKey).toString(16).padStart(8, "0");
  return `${name}+${id}+${toBase64(Buffer.concat([Buffer.from([type]), publicKey]))}`;
}

/** Reads a vkey. The error says which part is wrong. */
export function parseVkey(vkey: string): Result<NoteVerifier, string> {
  const match = /^([^+]+)\+([0-9a-f]{8})\+(.+)$/.exec(vkey.trim());
  const [, name = "", id = "", encoded = ""] = match ?? [];
  if (!namePattern.test(name)) return err("a verifier key reads name+keyid+base64");
  const material = fromBase64(encoded);
  const type = material?.[0];
  if (material === undefined || type === undefined) return err("its key is not canonical base64");
  if (type !== signatureType.ed25519 && type !== signatureType.cosignatureEd25519)
    return err(`signature type ${type} is not supported; use Ed25519`);
  if (material.length !== 33) return err("an Ed25519 key has 32 bytes");
  const verifier = noteVerifier(name, material.subarray(1), type);
  if (verifier.keyId !== Number.parseInt(id, 16)) return err("its key id belongs to another key");
  return ok(verifier);
}

export function noteVerifier(
  name: string,
  publicKey: Uint8Array,
  type: number = signatureType.ed25519,
): NoteVerifier {
  const keyId = noteKeyId(name, type, publicKey);
  return { name, keyId, type, publicKey, key: ed25519Key(publicKey) };
}

/** A signature line, without its newline. */
function signatureLine(name: string, keyId: number, signature: Uint8Array): string {
  const id = Buffer.alloc(4);
  id.writeUInt32BE(keyId);
  return `— ${name} ${toBase64(Buffer.concat([id, signature]))}`;
}

/** Signs `text`, which must end in a newline. */
export function signNote(
  text: string,
  signer: {
    readonly name: string;
    readonly publicKey: Uint8Array;
    sign(message: Uint8Array): Uint8Array;
  },
): string {
  const keyId = noteKeyId(signer.name, signatureType.ed25519, signer.publicKey);
  return `${text}\n${signatureLine(signer.name, keyId, signer.sign(Buffer.from(text)))}\n`;
}

/** Takes a note apart without trusting it. */
export function parseNote(note: string): Result<Note, string> {
  if (note.length > noteBytesMax) return err("the note is over a megabyte");
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the specification bans exactly these
  if (/[\u0000-\u0009\u000b-\u001f]/.test(note)) return err("the note holds a control character");
  const at = note.lastIndexOf("\n\n");
  if (at < 0 || !note.endsWith("\n")) return err("the note has no signature block");
  const lines = note.slice(at + 2, -1).split("\n");
  if (lines.length > signaturesMax) return err(`the note has over ${signaturesMax} signatures`);
  const signatures: NoteSignature[] = [];
  for (const line of lines) {
    const [, name = "", encoded = ""] = /^— ([^ ]+) ([^ ]+)$/.exec(line) ?? [];
    const bytes = fromBase64(encoded);
    if (!namePattern.test(name) || bytes === undefined || bytes.length < 5)
      return err(`not a signature line: ${JSON.stringify(line.slice(0, 80))}`);
    const keyId = Buffer.from(bytes.subarray(0, 4)).readUInt32BE(0);
    signatures.push({ name, keyId, signature: bytes.subarray(4) });
  }
  return ok({ text: note.slice(0, at + 1), signatures });
}

/** The text, when `verifier` signed it. A signature that names the key and does not verify refuses the whole note. */
export function openNote(note: string, verifier: NoteVerifier): Result<Note, string> {
  if (verifier.type !== signatureType.ed25519)
    return err(`the key of ${verifier.name} does not sign notes: it is of type ${verifier.type}`);
  const parsed = parseNote(note);
  if (!parsed.ok) return parsed;
  const ours = parsed.value.signatures.filter(
    ({ name, keyId }) => name === verifier.name && keyId === verifier.keyId,
  );
  if (ours.length === 0) {
    const signers = parsed.value.signatures.map(({ name }) => name).join(", ");
    return err(`not signed by the key of ${verifier.name} (signed by: ${signers})`);
  }
  const message = Buffer.from(parsed.value.text);
  const valid = ours.every(({ signature }) => verifyEd25519(message, verifier.key, signature));
  return valid ? parsed : err(`the signature of ${verifier.name} does not verify`);
}
