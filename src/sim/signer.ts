/** The `Signer` port with a key from a seed. Ed25519 is deterministic, so the same seed signs the same bytes. */
import { createPrivateKey, createPublicKey, sign } from "node:crypto";
import type { Signer } from "../ports.ts";
import type { Random } from "./random.ts";

const pkcs8Prefix = Buffer.from("302e020100300506032b657004220420", "hex");

export function simSigner(name: string, random: Random): Signer {
  const der = Buffer.concat([pkcs8Prefix, random.bytes(32)]);
  const key = createPrivateKey({ key: der, format: "der", type: "pkcs8" });
  const publicKey = createPublicKey(key).export({ format: "der", type: "spki" }).subarray(-32);
  return { name, publicKey, sign: (message) => sign(null, message, key) };
}
