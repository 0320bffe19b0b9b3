/** Opens a stored bundle: unpack, then check its signature and every digest against the key beside the data. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { readBundle } from "../adapters/bundle/index.ts";
import type { VerifiedBundle } from "../gateway/index.ts";
import { err, type Result } from "../kernel/index.ts";
import { bundleKeys, verifyBundle } from "../policy/index.ts";

/** Written by the control plane when it makes its key; public. */
export const bundlePublicKeyFile = "keys/bundle.pub.pem";

export async function openBundle(
  dataFolder: string,
  archive: Uint8Array,
): Promise<Result<VerifiedBundle, string>> {
  const path = join(dataFolder, bundlePublicKeyFile);
  let pem: string;
  try {
    pem = await readFile(path, "utf8");
  } catch (thrown) {
    return err(`no key to check bundles with: ${path}: ${String(thrown)}`);
  }
  const keys = bundleKeys([pem]);
  if (!keys.ok) return err(`${path}: ${keys.error}`);
  const files = await readBundle(archive);
  if (!files.ok) return err(files.error.detail);
  const verified = verifyBundle(files.value, keys.value);
  return verified.ok ? verified : err(verified.error.detail);
}
