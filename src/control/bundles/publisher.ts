/**
 * From the policy folder to the stored bundle: check, build, sign, replace. A folder with any error publishes nothing:
 * the last good bundle stays whole, and what is wrong is reported.
 */
import type { JsonObject, Result, ToolId } from "../../kernel/index.ts";
import {
  type BundleFiles,
  type BundleSigner,
  buildBundle,
  formatDiagnostic,
  loadPolicySet,
  type PolicyFile,
  revisionOf,
  signBundle,
} from "../../policy/index.ts";
import type { Disk, Log } from "../../ports.ts";

export const currentBundlePath = "bundles/current.tar.gz";

export interface PublisherParts {
  readonly disk: Disk;
  readonly log: Log;
  readonly signer: BundleSigner;
  readonly archive: (files: BundleFiles) => Promise<Uint8Array>;
  /** Argument schemas by tool, as known now, for checking `args.x`; asked at each publication. */
  readonly toolSchemas: () => ReadonlyMap<ToolId, JsonObject>;
}

/** What the control plane tells of its bundle. */
export interface BundleStatus {
  readonly revision: string | null;
  readonly rules: number;
  /** Why the newest sources were not published; empty when they were. */
  readonly errors: readonly string[];
}

export class BundlePublisher {
  readonly #parts: PublisherParts;
  #status: BundleStatus = { revision: null, rules: 0, errors: ["no policy was read yet"] };
  #archive: Uint8Array | undefined;
  /** Publications one after the other: an older snapshot never overtakes a newer one. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(parts: PublisherParts) {
    this.#parts = parts;
  }

  get status(): BundleStatus {
    return this.#status;
  }

  /** The newest good archive. */
  get archive(): Uint8Array | undefined {
    return this.#archive;
  }

  /** What an earlier run published, verified by the caller: it stays the last good until something newer is. */
  restore(archive: Uint8Array, published: Pick<BundleStatus, "revision" | "rules">): void {
    this.#archive = archive;
    this.#status = { ...this.#status, ...published };
  }

  /** Publishes what these files say, or keeps what was published and says why. */
  publish(files: readonly PolicyFile[]): Promise<BundleStatus> {
    const published = this.#last.then(() => this.#publish(files));
    this.#last = published;
    return published;
  }

  async #publish(files: readonly PolicyFile[]): Promise<BundleStatus> {
    const built = await this.#build(files);
    if (!built.ok) return this.#keep(built.error);
    const { archive, revision, rules } = built.value;
    const stored = await this.#parts.disk.replace(currentBundlePath, archive);
    if (!stored.ok)
      return this.#keep([`${stored.error.path} could not be stored: ${stored.error.code}`]);
    const changed = this.#status.revision !== revision;
    this.#archive = archive;
    this.#status = { revision, rules, errors: [] };
    if (changed) this.#parts.log.write("info", "bundle_published", { revision, rules });
    return this.#status;
  }

  /** The sources could not even be read. */
  unreadable(detail: string): BundleStatus {
    return this.#keep([detail]);
  }

  async #build(
    files: readonly PolicyFile[],
  ): Promise<Result<{ archive: Uint8Array; revision: string; rules: number }, readonly string[]>> {
    const loaded = loadPolicySet(files, { toolSchemas: this.#parts.toolSchemas() });
    const { set } = loaded;
    if (set === undefined) return { ok: false, error: loaded.diagnostics.map(formatDiagnostic) };
    const revision = revisionOf(set);
    const signed = signBundle(buildBundle(set, revision), this.#parts.signer);
    if (!signed.ok) return { ok: false, error: [signed.error.detail] };
    const archive = await this.#parts.archive(signed.value);
    return { ok: true, value: { archive, revision, rules: set.rules.length } };
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
