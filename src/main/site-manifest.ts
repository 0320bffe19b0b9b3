/** The manifest that this site goes by: signed, checked, and with this site in it. */
import { readFile } from "node:fs/promises";
import { type NoteVerifier, parseVkey } from "../audit/index.ts";
import { type Config, type FailoverConfig, manifestReader } from "../cli/index.ts";
import type { Manifest, Site } from "../failover/index.ts";
import { err, ok, type Result } from "../kernel/index.ts";

export interface SiteManifest {
  readonly manifest: Manifest;
  readonly digest: string;
  readonly site: Site;
  readonly guardKey: NoteVerifier;
}

/** The error is a sentence for the operator. Missing, changed or of another site: nothing is let through (AG-403 4.1). */
export async function siteManifest(
  { site: id, tenant }: Pick<Config, "site" | "tenant">,
  failover: FailoverConfig,
): Promise<Result<SiteManifest, string>> {
  const { manifest: path, manifest_keys: keys, signatures_min: signatures } = failover;
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (thrown) {
    return err(
      `${path}: ${String((thrown as NodeJS.ErrnoException).code ?? thrown)}; sign one with holdfast failover manifest sign`,
    );
  }
  const reader = await manifestReader();
  const read = reader.readSigned(text, keys, new Date().toISOString(), signatures);
  if (!read.ok) return err(`${path}: ${read.error.join("; ")}`);
  const { manifest, digest } = read.value;
  const site = manifest.sites.find((each) => each.id === id);
  if (site === undefined)
    return err(
      `${path} has no site ${id}; it has ${manifest.sites.map((each) => each.id).join(", ")}`,
    );
  if (manifest.tenant !== tenant)
    return err(`${path} is of tenant ${manifest.tenant}, and this configuration of ${tenant}`);
  const guardKey = parseVkey(site.guard_key);
  if (!guardKey.ok) return err(`${path}: the guard_key of ${id}: ${guardKey.error}`);
  return ok({ manifest, digest, site, guardKey: guardKey.value });
}
