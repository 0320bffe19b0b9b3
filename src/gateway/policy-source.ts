/**
 * Where the gateway gets its policy: the signed bundle that the control plane stores. The gateway never asks the
 * control plane; it reads what was stored, so it goes on deciding when the control plane is dead. A bundle that is
 * unsigned, changed or unreadable never decides: the last good one stays.
 */
import type { EntryOrigin, PolicyEntry } from "../audit/index.ts";
import { type Result, sha256Hex } from "../kernel/index.ts";
import type { Ledger } from "../ledger/index.ts";
import { compile, type PolicySet } from "../policy/index.ts";
import type { Clock, Disk, Log, Telemetry } from "../ports.ts";
import type { ActivePolicy } from "./active-policy.ts";
import { isoTime } from "./record.ts";

/** A bundle whose signature and every digest were checked. */
export interface VerifiedBundle {
  readonly revision: string;
  readonly set: PolicySet;
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
  /** What was last complained of: each complaint is made once, not at every reading. */
  #complaint = "";
  #lastError: string | undefined;

  constructor(parts: PolicySourceParts) {
    this.#parts = parts;
  }

  /** Why the newest bundle does not decide, if it does not. */
  get lastError(): string | undefined {
    return this.#lastError;
  }

  /**
   * Reads the stored bundle once; activates it when it is new and good. While nothing decides yet and the newest is
   * absent or bad, the last good one does.
   */
  async refresh(): Promise<Refreshed> {
    const refreshed = await this.#refreshNewest();
    if (this.#parts.policy.current() === undefined) await this.#fallBack();
    return refreshed;
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
    const activated = await this.#activate(digest, opened.value);
    if (activated === "activated") await this.#keep(read.value);
    return activated;
  }

  /** Losing this copy loses nothing now: the newest decides. It is needed by a restart that finds the newest bad. */
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
    const error = this.#lastError;
    await this.#activate(sha256Hex(read.value), opened.value);
    this.#lastError = error;
  }

  /** Refreshes every `pollMs` until `signal` aborts. */
  async follow(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.refresh();
      await this.#parts.clock.sleep(this.#parts.pollMs, signal);
    }
  }

  async #activate(digest: string, bundle: VerifiedBundle): Promise<Refreshed> {
    const { ledger, origin, policy, clock, tenant, log } = this.#parts;
    if (policy.current()?.revision === bundle.revision) {
      this.#goodDigest = digest;
      return this.#unchanged();
    }
    const engine = compile(bundle.set, bundle.revision);
    const entry: PolicyEntry = {
      ...origin,
      v: 1,
      kind: "policy",
      time: isoTime(clock.wallMs()),
      tenant,
      policy_version: bundle.revision,
      bundle_digest: bundle.digest,
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
    this.#unchanged();
    log.write("info", "policy_activated", {
      revision: bundle.revision,
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
    const complaint = `${digest} ${error}`;
    if (complaint === this.#complaint) return "refused";
    this.#complaint = complaint;
    this.#lastError = error;
    this.#parts.telemetry.count("policy_bundle_refused", {});
    this.#parts.log.write("error", "policy_bundle_refused", {
      error,
      decides: this.#parts.policy.current()?.revision ?? "nothing",
    });
    return "refused";
  }
}
