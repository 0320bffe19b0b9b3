/** The manifest that this site goes by: signed, checked, and with this site in it. */
import { readFile } from "node:fs/promises";
import { type NoteVerifier, parseVkey } from "../audit/index.ts";
import {
  type Config,
  type FailoverConfig,
  type ManifestReader,
  manifestReader,
} from "../cli/index.ts";
import type { Manifest, Site } from "../failover/index.ts";
import { err, ok, type Result } from "../kernel/index.ts";

export interface SiteManifest {
  readonly manifest: Manifest;
  readonly digest: string;
  readonly site: Site;
  readonly guardKey: NoteVerifier;
}

/** Reads it again and again; a file that did not change is not checked again. */
export class SiteManifests {
  readonly #config: Pick<Config, "site" | "tenant">;
  readonly #failover: FailoverConfig;
  readonly #reader: ManifestReader;
  #last: { readonly text: string; readonly read: Result<SiteManifest, string> } | undefined;

  static async open(
    config: Pick<Config, "site" | "tenant">,
    failover: FailoverConfig,
  ): Promise<SiteManifests> {
    return new SiteManifests(config, failover, await manifestReader());
  }

  private constructor(
    config: Pick<Config, "site" | "tenant">,
    failover: FailoverConfig,
    reader: ManifestReader,
  ) {
    this.#config = config;
    this.#failover = failover;
    this.#reader = reader;
  }

  /** The error is a sentence for the operator. Missing, changed or of another site: nothing is let through (AG-403 4.1). */
  async read(): Promise<Result<SiteManifest, string>> {
    const { manifest: path } = this.#failover;
    let text: string;
    try {
      text = await readFile(path, "utf8");
    } catch (thrown) {
      const code = (thrown as NodeJS.ErrnoException).code ?? String(thrown);
      return err(`${path}: ${code}; sign one with holdfast failover manifest sign`);
    }
    if (this.#last?.text !== text)
      this.#last = { text, read: siteManifest(this.#config, this.#failover, this.#reader, text) };
    return this.#last.read;
  }
}

function siteManifest(
  { site: id, tenant }: Pick<Config, "site" | "tenant">,
  failover: FailoverConfig,
  reader: ManifestReader,
  text: string,
): Result<SiteManifest, string> {
  const { manifest: path, manifest_keys: keys, signatures_min: signatures } = failover;
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
