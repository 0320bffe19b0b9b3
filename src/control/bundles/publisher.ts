/**
 * From the policy folder to the stored bundle: check, build, sign, replace. A folder with any error publishes nothing:
 * the last good bundle stays whole, and what is wrong is reported.
 */
import { err, type JsonObject, type Result, type ToolId } from "../../kernel/index.ts";
import {
  type BundleFiles,
  type BundleSigner,
  buildBundle,
  bundleDigest,
  bundleKeys,
  formatDiagnostic,
  loadPolicySet,
  nextSerial,
  type PolicyFile,
  type RegoBundles,
  revisionOf,
  signBundle,
  type VerifiedBundle,
  verifyBundle,
} from "../../policy/index.ts";
import type { Clock, Disk, Log } from "../../ports.ts";

export const currentBundlePath = "bundles/current.tar.gz";

export interface PublisherParts {
  readonly clock: Clock;
  readonly disk: Disk;
  readonly log: Log;
  readonly signer: BundleSigner;
  readonly archive: (files: BundleFiles) => Promise<Uint8Array>;
  /** The files of an archive that `archive` made. */
  readonly unpack: (archive: Uint8Array) => Promise<Result<BundleFiles, { detail: string }>>;
  /** Argument schemas by tool, as known now, for checking `args.x`; asked at each publication. */
  readonly toolSchemas: () => ReadonlyMap<ToolId, JsonObject>;
}

/** What the control plane tells of its bundle. */
export interface BundleStatus {
  readonly revision: string | null;
  /** Zero while there is no bundle. */
  readonly serial: number;
  readonly rules: number;
  /** Why the newest sources were not published; empty when they were. */
  readonly errors: readonly string[];
}

export class BundlePublisher {
  readonly #parts: PublisherParts;
  #status: BundleStatus = {
    ...{ revision: null, serial: 0, rules: 0 },
    errors: ["no policy was read yet"],
  };
  /** What is stored and served. A signature differs each time it is made, so the same content is never signed again. */
  #current: { readonly archive: Uint8Array; readonly digest: string } | undefined;
  readonly #listeners = new Set<() => void>();
  /** Publications one after the other: an older snapshot never overtakes a newer one. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(parts: PublisherParts) {
    this.#parts = parts;
  }

  get status(): BundleStatus {
    return this.#status;
  }

  /** Called after each new archive; returns the way to stop. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** The newest good archive. */
  get archive(): Uint8Array | undefined {
    return this.#current?.archive;
  }

  /**
   * Serves what was published before this process started, when it is there and signed by our key. Call before the first
   * `publish`; what is stored and cannot be served is logged, and the next publication replaces it.
   */
  resume(): Promise<BundleStatus> {
    const resumed = this.#last.then(() => this.#resume());
    this.#last = resumed;
    return resumed;
  }

  async #resume(): Promise<BundleStatus> {
    const { disk, log } = this.#parts;
    const stored = await disk.read(currentBundlePath);
    if (!stored.ok) {
      const { kind, code, path } = stored.error;
      if (kind !== "not_found") log.write("error", "stored_bundle_refused", { path, detail: code });
      return this.#status;
    }
    const opened = await this.#open(stored.value);
    if (!opened.ok) {
      const { error: detail } = opened;
      log.write("error", "stored_bundle_refused", { path: currentBundlePath, detail });
      return this.#status;
    }
    const { revision, serial, set, digest } = opened.value;
    this.#current = { archive: stored.value, digest };
    this.#status = { ...this.#status, revision, serial, rules: set.rules.length };
    log.write("info", "bundle_resumed", { revision, serial, rules: set.rules.length });
    return this.#status;
  }

  async #open(archive: Uint8Array): Promise<Result<VerifiedBundle, string>> {
    const { signer, unpack } = this.#parts;
    const keys = bundleKeys([signer.publicKeyPem]);
    if (!keys.ok) return keys;
    const files = await unpack(archive);
    if (!files.ok) return err(files.error.detail);
    const verified = verifyBundle(files.value, keys.value);
    return verified.ok ? verified : err(verified.error.detail);
  }

  /** Publishes what these files say, or keeps what was published and says why. The same content stays the same archive. */
  publish(
    files: readonly PolicyFile[],
    regoBundles: RegoBundles = new Map(),
  ): Promise<BundleStatus> {
    const published = this.#last.then(() => this.#publish(files, regoBundles));
    this.#last = published;
    return published;
  }

  async #publish(files: readonly PolicyFile[], regoBundles: RegoBundles): Promise<BundleStatus> {
    const { clock, disk, log, signer, archive: pack } = this.#parts;
    const { set, modules, diagnostics } = loadPolicySet(files, {
      ...{ toolSchemas: this.#parts.toolSchemas(), regoBundles },
    });
    if (set === undefined) return this.#keep(diagnostics.map(formatDiagnostic));
    const revision = revisionOf(set);
    const rules = set.rules.length;
    let { serial } = this.#status;
    const same = buildBundle(set, { revision, serial }, modules);
    if (this.#current?.digest !== bundleDigest(same)) {
      serial = nextSerial(serial, clock.wallMs());
      const unsigned = buildBundle(set, { revision, serial }, modules);
      const signed = signBundle(unsigned, signer);
      if (!signed.ok) return this.#keep([signed.error.detail]);
      const archive = await pack(signed.value);
      const stored = await disk.replace(currentBundlePath, archive);
      if (!stored.ok)
        return this.#keep([`${stored.error.path} could not be stored: ${stored.error.code}`]);
      this.#current = { archive, digest: bundleDigest(unsigned) };
      log.write("info", "bundle_published", { revision, serial, rules });
      for (const listener of [...this.#listeners]) listener();
    }
    this.#status = { revision, serial, rules, errors: [] };
    return this.#status;
  }

  /** The sources could not even be read. */
  unreadable(detail: string): BundleStatus {
    return this.#keep([detail]);
  }

  #keep(errors: readonly string[]): BundleStatus {
    this.#status = { ...this.#status, errors };
    this.#parts.log.write("error", "policies_refused", {
      errors,
      published: this.#status.revision,
    });
    return this.#status;
  }
}
