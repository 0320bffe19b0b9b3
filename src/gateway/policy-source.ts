/**
 * Where the gateway gets its policy: the signed bundle that the control plane stores. The gateway never asks the
 * control plane; it reads what was stored, so it goes on deciding when the control plane is dead. A bundle that is
 * unsigned, changed or unreadable never decides: the last good one stays. Neither does one that is older than a bundle
 * that decided here before: the log remembers the highest serial.
 */
import type { EntryOrigin, PolicyEntry } from "../audit/index.ts";
import { type Result, sha256Hex } from "../kernel/index.ts";
import type { Ledger } from "../ledger/index.ts";
import { compile, type PolicySet, type RegoModules } from "../policy/index.ts";
import type { Clock, Disk, Log, RegoRuntime, Telemetry } from "../ports.ts";
import type { ActivePolicy } from "./active-policy.ts";
import { isoTime } from "./record.ts";

/** A bundle whose signature and every digest were checked. */
export interface VerifiedBundle {
  readonly revision: string;
  /** Grows with each bundle of the same signer. */
  readonly serial: number;
  readonly set: PolicySet;
  /** Users' own Rego that its conditions name. */
  readonly modules?: RegoModules;
  readonly digest: string;
}

export interface PolicySourceParts {
  readonly disk: Disk;
  readonly clock: Clock;
  readonly ledger: Ledger;
  readonly policy: ActivePolicy;
  readonly log: Log;
  readonly telemetry: Telemetry;
  readonly origin: EntryOrigin;
  readonly tenant: string;
  /** Unpacks and verifies; the error is a sentence. */
  readonly open: (archive: Uint8Array) => Promise<Result<VerifiedBundle, string>>;
  readonly rego?: RegoRuntime;
  /** Where the control plane stores the newest bundle. */
  readonly path: string;
  /** The gateway's own copy of the last bundle that decided: what a restart falls back on. */
  readonly lastGoodPath: string;
  readonly pollMs: number;
}

export type Refreshed = "unchanged" | "activated" | "absent" | "refused";

export class PolicySource {
  readonly #parts: PolicySourceParts;
  /** Of the newest archive that was good. */
  #goodDigest = "";
  /** Of the newest bundle that was recorded, in this run or before. */
  #serial: number;
  /** Readings one after the other, whoever asks for them. */
  #last: Promise<unknown> = Promise.resolve();
  /** What was last complained of: each complaint is made once, not at every reading. */
  #complaint = "";
  #lastError: string | undefined;

  constructor(parts: PolicySourceParts) {
    this.#parts = parts;
    this.#serial = parts.ledger.bundleSerial;
  }

  /** The serial below which no bundle decides any more; 0 before the first. */
  get serial(): number {
    return this.#serial;
  }

  /** Why the newest bundle does not decide, if it does not. */
  get lastError(): string | undefined {
    return this.#lastError;
  }

  /**
   * Reads the stored bundle once; activates it when it is new and good. While nothing decides yet and the newest is
   * absent or bad, the last good one does.
   */
  refresh(): Promise<Refreshed> {
    return this.#alone(() => this.#refresh());
  }

  async #refresh(): Promise<Refreshed> {
    const refreshed = await this.#refreshNewest();
    if (this.#parts.policy.current() === undefined) await this.#fallBack();
    return refreshed;
  }

  /**
   * Takes a bundle that came from elsewhere: when it is good and not older, it is stored as the newest (durable) and
   * decides. One that is not leaves everything as it was.
   */
  offer(archive: Uint8Array): Promise<Refreshed> {
    return this.#alone(() => this.#offer(archive));
  }

  #alone<T>(read: () => Promise<T>): Promise<T> {
    const next = this.#last.then(read);
    this.#last = next.catch(() => undefined);
    return next;
  }

  async #offer(archive: Uint8Array): Promise<Refreshed> {
    const { disk, path } = this.#parts;
    const digest = sha256Hex(archive);
    if (digest === this.#goodDigest) return this.#unchanged();
    const opened = await this.#parts.open(archive);
    if (!opened.ok) return this.#refused(digest, opened.error);
    const older = this.#older(opened.value);
    if (older !== undefined) return this.#refused(digest, older);
    const stored = await disk.replace(path, archive);
    if (!stored.ok)
      return this.#refused(digest, `${path} could not be stored: ${stored.error.code}`);
    return this.#refresh();
  }

  async #refreshNewest(): Promise<Refreshed> {
    const { disk, path } = this.#parts;
    const read = await disk.read(path);
    if (!read.ok) return this.#absent(read.error.code);
    const digest = sha256Hex(read.value);
    if (digest === this.#goodDigest) return this.#unchanged();
    // A refused archive is opened again each time: what was wrong may have been the key beside it.
    const opened = await this.#parts.open(read.value);
    if (!opened.ok) return this.#refused(digest, opened.error);
    return await this.#activate(digest, opened.value, read.value);
  }

  /**
   * Losing this copy loses nothing now: the newest decides. It is needed by a restart that finds the newest bad, so it is
   * there before the log forbids all older ones.
   */
  async #keep(archive: Uint8Array): Promise<void> {
    const { disk, lastGoodPath, log } = this.#parts;
    const kept = await disk.replace(lastGoodPath, archive);
    if (!kept.ok) log.write("error", "last_good_bundle_not_kept", { ...kept.error });
  }

  /** Why the newest does not decide stays the last error. */
  async #fallBack(): Promise<void> {
    const { disk, lastGoodPath } = this.#parts;
    const read = await disk.read(lastGoodPath);
    if (!read.ok) return;
    const opened = await this.#parts.open(read.value);
    if (!opened.ok) return;
    const why = this.#lastError;
    const refreshed = await this.#activate(sha256Hex(read.value), opened.value, undefined);
    if (refreshed === "refused")
      this.#lastError = `${why}; the last good bundle: ${this.#lastError}`;
    else this.#lastError = why;
  }

  /** Refreshes every `pollMs` until `signal` aborts. */
  async follow(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.refresh();
      await this.#parts.clock.sleep(this.#parts.pollMs, signal);
    }
  }

  #older({ serial, revision }: VerifiedBundle): string | undefined {
    const decides = this.#parts.policy.current()?.revision ?? revision;
    if (serial === this.#serial && decides !== revision)
      return `revision ${revision} has the serial ${serial} of revision ${decides}, which decides: give each bundle its own`;
    if (serial >= this.#serial) return undefined;
    return `it is older than what decided here before: revision ${revision} has the serial ${serial}, the log has ${this.#serial}; to return to an old policy, publish its text again (docs/opa.md)`;
  }

  /** `keep` is what to fall back on later, when `bundle` is not that already. */
  async #activate(
    digest: string,
    bundle: VerifiedBundle,
    keep: Uint8Array | undefined,
  ): Promise<Refreshed> {
    const { ledger, origin, policy, clock, tenant, log } = this.#parts;
    const older = this.#older(bundle);
    if (older !== undefined) return this.#refused(digest, older);
    if (policy.current()?.revision === bundle.revision && bundle.serial === this.#serial) {
      this.#goodDigest = digest;
      return this.#unchanged();
    }
    const loaded = await this.#parts.rego?.load(bundle.modules ?? new Map());
    if (loaded?.ok === false) return this.#refused(digest, loaded.error);
    if (keep !== undefined) await this.#keep(keep);
    const engine = compile(bundle.set, bundle.revision);
    const entry: PolicyEntry = {
      ...origin,
      v: 1,
      kind: "policy",
      time: isoTime(clock.wallMs()),
      tenant,
      policy_version: bundle.revision,
      bundle_digest: bundle.digest,
      bundle_serial: bundle.serial,
    };
    const appended = await ledger.append(entry);
    // A revision that is not in the log decides nothing; the ledger refuses every call from here on anyway.
    if (!appended.ok)
      return this.#refused(
        digest,
        `its activation could not be recorded: ${appended.error.detail}`,
      );
    policy.activate(engine);
    this.#goodDigest = digest;
    this.#serial = bundle.serial;
    this.#unchanged();
    log.write("info", "policy_activated", {
      revision: bundle.revision,
      serial: bundle.serial,
      rules: bundle.set.rules.length,
    });
    return "activated";
  }

  /** The newest archive decides, so nothing is wrong any more. */
  #unchanged(): Refreshed {
    this.#lastError = undefined;
    this.#complaint = "";
    return "unchanged";
  }

  #absent(code: string): Refreshed {
    if (this.#parts.policy.current() === undefined)
      this.#lastError = `no bundle is stored at ${this.#parts.path} (${code})`;
    return "absent";
  }

  #refused(digest: string, error: string): Refreshed {
    this.#lastError = error;
    const complaint = `${digest} ${error}`;
    if (complaint === this.#complaint) return "refused";
    this.#complaint = complaint;
    this.#parts.telemetry.count("policy_bundle_refused", {});
    this.#parts.log.write("error", "policy_bundle_refused", {
      error,
      decides: this.#parts.policy.current()?.revision ?? "nothing",
    });
    return "refused";
  }
}
