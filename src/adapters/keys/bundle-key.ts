/** The ES256 key that signs policy bundles (OPA knows no EdDSA), and its public half beside it for whoever verifies. */
import { generateKeyPairSync } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { err, type Result } from "../../kernel/index.ts";
import { type BundleSigner, bundleSigner } from "../../policy/index.ts";
import { type KeyFileError, openPem } from "./pem-file.ts";

/** Opens `path`, making the key when absent; writes the public key (SPKI PEM) to `publicPath`. */
export async function openBundleKey(
  path: string,
  publicPath: string,
): Promise<Result<BundleSigner, KeyFileError>> {
  const pem = await openPem(path, newPem);
  if (!pem.ok) return pem;
  const signer = bundleSigner(pem.value);
  if (!signer.ok) return err({ path, detail: signer.error });
  await writeFile(publicPath, signer.value.publicKeyPem);
  return signer;
}

function newPem(): string {
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  return privateKey.export({ format: "pem", type: "pkcs8" }).toString();
}
