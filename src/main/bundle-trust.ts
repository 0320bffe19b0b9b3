/** Opens a bundle: unpack, then check its signature and every digest against the keys that are trusted. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { readBundle } from "../adapters/bundle/index.ts";
import type { Config } from "../cli/index.ts";
import type { VerifiedBundle } from "../gateway/index.ts";
import { err, type Result } from "../kernel/index.ts";
import { bundleKeys, verifyBundle } from "../policy/index.ts";

/** Written by the control plane when it makes its key; public. */
export const bundlePublicKeyFile = "keys/bundle.pub.pem";

/** Files of the keys that sign this gateway's bundles: those configured, else the control plane's beside the data. */
export function trustedKeys({ bundle, data }: Config): readonly string[] {
  return bundle?.public_keys ?? [join(data, bundlePublicKeyFile)];
}

/** The keys are read each time, so that one that was replaced counts at once. The error is a sentence. */
export async function openBundle(
  keyFiles: readonly string[],
  archive: Uint8Array,
): Promise<Result<VerifiedBundle, string>> {
  const pems: string[] = [];
  for (const path of keyFiles) {
    try {
      pems.push(await readFile(path, "utf8"));
    } catch (thrown) {
      return err(`no key to check bundles with: ${path}: ${String(thrown)}`);
    }
  }
  const keys = bundleKeys(pems);
  if (!keys.ok) return err(`${keyFiles.join(", ")}: ${keys.error}`);
  const files = await readBundle(archive);
  if (!files.ok) return err(files.error.detail);
  const verified = verifyBundle(files.value, keys.value);
  return verified.ok ? verified : err(verified.error.detail);
}
