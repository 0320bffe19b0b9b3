/** An Ed25519 key in a file, as a `Signer`. */
import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  sign,
} from "node:crypto";
import { err, ok, type Result } from "../../kernel/index.ts";
import type { Signer } from "../../ports.ts";
import { type KeyFileError, openPem } from "./pem-file.ts";

/** Opens the key, or makes it when the file is absent. `name` is the name it signs under. */
export async function openSigner(
  path: string,
  name: string,
): Promise<Result<Signer, KeyFileError>> {
  const pem = await openPem(path, newPem);
  if (!pem.ok) return pem;
  try {
    const key = createPrivateKey(pem.value);
    if (key.asymmetricKeyType !== "ed25519")
      return err({ path, detail: `the key is ${key.asymmetricKeyType}, not Ed25519` });
    return ok(signer(name, key));
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error);
    return err({ path, detail: `no Ed25519 key in PKCS#8 PEM: ${detail}` });
  }
}

function newPem(): string {
  const { privateKey } = generateKeyPairSync("ed25519");
  return privateKey.export({ format: "pem", type: "pkcs8" }).toString();
}

function signer(name: string, key: KeyObject): Signer {
  // SPKI of Ed25519 ends in the 32 raw bytes (RFC 8410).
  const publicKey = createPublicKey(key).export({ format: "der", type: "spki" }).subarray(-32);
  return { name, publicKey, sign: (message) => sign(null, message, key) };
}
