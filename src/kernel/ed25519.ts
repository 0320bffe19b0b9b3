/** Ed25519 (RFC 8032) in one place, so that every signature is held to the same rules. */
import { createPublicKey, type KeyObject, verify } from "node:crypto";

const spkiPrefix = Buffer.from("302a300506032b6570032100", "hex");

/** A public key from its 32 bytes. Whether they are a point shows when a signature is verified. */
export function ed25519Key(bytes: Uint8Array): KeyObject {
  const der = Buffer.concat([spkiPrefix, bytes]);
  return createPublicKey({ key: der, format: "der", type: "spki" });
}

/**
 * The strict verification of RFC 8032 section 5.1.7, without cofactor. Besides, what several verifiers judge differently
 * is false: points of small order as key or as R, and encodings that are not canonical.
 */
export function verifyEd25519(message: Uint8Array, key: KeyObject, signature: Uint8Array): boolean {
  return verify(null, message, key, signature);
}
