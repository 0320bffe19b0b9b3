/** The key by which a guard signs permits and verdicts. */
import { join } from "node:path";
import { openSigner } from "../adapters/keys/index.ts";
import { encodeVkey, noteVerifier } from "../audit/index.ts";
import type { Config } from "../cli/index.ts";
import { err, type Result } from "../kernel/index.ts";
import type { Signer } from "../ports.ts";
import type { SiteManifest } from "./site-manifest.ts";

export function guardFolder({ data }: Pick<Config, "data">): string {
  return join(data, "guard");
}

/** The key that signs permits here. Its vkey belongs into the manifest, as `guard_key` of the site. */
export async function openGuardKey(
  config: Pick<Config, "data" | "site">,
): Promise<Result<Signer, string>> {
  const path = join(guardFolder(config), "keys", "guard.pem");
  const signer = await openSigner(path, `${config.site}.guard.holdfast`);
  return signer.ok ? signer : err(`${signer.error.path}: ${signer.error.detail}`);
}

/** Its verifier key, as the manifest wants it. Throws when the key file cannot be used. */
export async function guardKey(config: Pick<Config, "data" | "site">): Promise<string> {
  const signer = await openGuardKey(config);
  if (!signer.ok) throw new Error(signer.error);
  return encodeVkey(signer.value.name, signer.value.publicKey);
}

/** Permits that nobody accepts help nobody: said at the start, with what to do. */
export async function guardKeyOf(
  config: Config,
  { guardKey, site }: SiteManifest,
): Promise<Result<Signer, string>> {
  const signer = await openGuardKey(config);
  if (!signer.ok) return signer;
  const own = noteVerifier(signer.value.name, signer.value.publicKey);
  const same = Buffer.from(own.publicKey).equals(Buffer.from(guardKey.publicKey));
  const vkey = encodeVkey(signer.value.name, signer.value.publicKey);
  return same
    ? signer
    : err(`the manifest names another guard_key for ${site.id}; this guard's is ${vkey}`);
}
