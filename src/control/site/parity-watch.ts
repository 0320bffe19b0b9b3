/**
 * While a site stands by it compares itself with the one that acts (AG-403 4.8). One that differs is no candidate: that is
 * known before it is needed, not after.
 */
import type { NoteVerifier } from "../../audit/index.ts";
import {
  ageMs,
  ageMsMax,
  type Comparison,
  type Drift,
  drifts,
  driftText,
  openEnvelope,
  type ParityState,
  parityType,
  readParity,
} from "../../failover/index.ts";
import {
  canonicalJson,
  err,
  type JsonObject,
  type JsonValue,
  ok,
  type Result,
} from "../../kernel/index.ts";
import type { GuardParts } from "./guard-parts.ts";
import type { KeptComparison } from "./kept-comparison.ts";
import type { OtherLease } from "./lease-holder.ts";

export interface ParityParts extends GuardParts {
  readonly kept: KeptComparison;
  /** The digest of what each file means; the error names the file. */
  readonly files: () => Promise<Result<Readonly<Record<string, string>>, string>>;
  /** `/parity?nonce=` of another site's guard. */
  readonly ask: (url: string, nonce: string) => Promise<Result<JsonValue, string>>;
  readonly guardKey: (site: string) => NoteVerifier | undefined;
  /** Brings here what differs there; what it could bring. */
  readonly synchronise: (from: string, differing: readonly Drift[]) => Promise<readonly string[]>;
}

/** Differences that outlive so many looks are told aloud: synchronising does not help. */
const looksUntilAlarm = 2;

export class ParityWatch {
  readonly #parts: ParityParts;
  readonly #policies = new Map<string, string>();
  #compared: Comparison | undefined;
  /** When that was, on the monotonic clock; not known of what an earlier run has compared. */
  #comparedMs: number | undefined;
  #looks = 0;
  #why = "it was not compared yet";

  constructor(parts: ParityParts) {
    this.#parts = parts;
  }

  /** What a gateway of this site decides with. */
  heard(instance: string, policyVersion: string): void {
    this.#policies.set(instance, policyVersion);
  }

  async state(nonce: string): Promise<Result<ParityState, string>> {
    const { manifest, digest, site, deployment, files } = this.#parts;
    const read = await files();
    if (!read.ok) return read;
    return {
      ok: true,
      value: {
        ...{ format: "holdfast.parity/v1", deployment, tenant: manifest.tenant, site: site.id },
        ...{ nonce, manifest_version: manifest.version, manifest_digest: digest },
        policies: [...new Set(this.#policies.values())].sort(),
        files: read.value,
      },
    };
  }

  /** What the run before this one has compared last. Before anything else. */
  async recall(): Promise<void> {
    const recalled = await this.#parts.kept.recall();
    const comparison = recalled.ok ? recalled.value : undefined;
    // It may have died before its log said so too.
    const logged = comparison === undefined ? recalled : await this.#logged(comparison);
    if (logged.ok) this.#compared = comparison;
    else this.#why = `what was compared last is not known: ${logged.error}`;
  }

  get status(): {
    readonly drifts: readonly Drift[] | null;
    readonly compared: string | null;
    readonly why: string;
  } {
    const { drifts = null, compared = null } = this.#compared ?? {};
    return { drifts, compared, why: this.#why };
  }

  /** Whether this site is a candidate: compared, the same, and unchanged since. The sentence says why not. */
  async verdict(): Promise<{
    readonly verdict: "pass" | "fail" | "inconclusive";
    readonly because: string;
  }> {
    const { lease, site } = this.#parts;
    const { seen, other } = lease;
    const isOurs = seen?.site === site.id;
    const acted = isOurs ? seen.from?.site : seen?.site;
    if (acted === undefined) return { verdict: "pass", because: "no other site has acted before" };
    // From its first verdict on, the others are compared with this site.
    if (isOurs && seen.verdict !== null)
      return { verdict: "pass", because: `it was the same as ${acted} when it began to act` };
    const own = await this.state("-");
    if (!own.ok) return { verdict: "inconclusive", because: own.error };
    const compared = this.#compared;
    if (compared === undefined) return { verdict: "inconclusive", because: this.#why };
    if (compared.drifts.length > 0)
      return { verdict: "fail", because: compared.drifts.map(driftText).join("; ") };
    // A gateway that was first heard since then changes nothing: it is the comparison that counts.
    if (drifts(own.value, compared.own).length > 0)
      return { verdict: "fail", because: "it has changed since it was compared" };
    const tooOld = this.#tooOld(compared, acted, other);
    return tooOld === undefined
      ? { verdict: "pass", because: `the same as ${acted}, compared ${compared.compared}` }
      : { verdict: "inconclusive", because: tooOld };
  }

  /** Why it says nothing of what the other site had in the end. */
  #tooOld(compared: Comparison, acted: string, other: OtherLease | undefined): string | undefined {
    const { acting, compared: when } = compared;
    if (acting.site !== acted || other?.site !== acted)
      return `it was compared with ${acting.site} (${when}), and ${acted} acted after that`;
    const { lastMs } = other;
    const seen =
      lastMs === undefined || this.#comparedMs === undefined
        ? undefined
        : { comparedMs: this.#comparedMs, lastMs };
    const { rules, manifest } = this.#parts;
    const age = ageMs(compared, other, rules.ttlMs, seen);
    if (age === undefined)
      return `it was compared ${when}, and nobody knows for how long ${acted} acted after that`;
    const max = ageMsMax(manifest.objectives);
    return age <= max
      ? undefined
      : `it was compared ${when}, and ${acted} may have acted for ${Math.ceil(age / 1_000)} s after that; ${max / 1_000} s are allowed`;
  }

  /** Compares every `parity_seconds` while another site acts. */
  async follow(signal: AbortSignal): Promise<void> {
    const { clock, manifest } = this.#parts;
    while (!signal.aborted) {
      await this.look();
      await clock.sleep(manifest.objectives.parity_seconds * 1_000, signal);
    }
  }

  async look(): Promise<void> {
    const { lease, site, manifest, clock } = this.#parts;
    if (lease.seen === undefined) await lease.look();
    const { other } = lease;
    const acting = manifest.sites.find(({ id }) => id === lease.seen?.site);
    if (acting === undefined || acting.id === site.id || other?.site !== acting.id) return;
    const comparedMs = clock.monotonicMs();
    const compared = new Date(clock.wallMs()).toISOString();
    const there = await this.#askOf(acting.id, acting.guard_url);
    const own = await this.state("-");
    // A site that cannot be asked may be the one that just died: what was compared last still stands.
    if (!there.ok || !own.ok) {
      this.#why = there.ok ? (own.ok ? "" : own.error) : there.error;
      return;
    }
    const found = drifts(own.value, there.value);
    const { site: id, epoch, beat } = other;
    const comparison: Comparison = {
      ...{ format: "holdfast.comparison/v1", acting: { site: id, epoch, beat }, compared },
      ...{ own: own.value, drifts: found },
    };
    const durable = await this.#durable(comparison);
    if (!durable.ok) {
      this.#why = durable.error;
      return;
    }
    this.#compared = comparison;
    this.#comparedMs = comparedMs;
    this.#told(acting.id, found);
    if (found.length > 0) await this.#parts.synchronise(acting.guard_url, found);
  }

  /** It counts once it would be known after a crash too. */
  async #durable(comparison: Comparison): Promise<Result<void, string>> {
    const kept = await this.#parts.kept.keep(comparison);
    return kept.ok ? await this.#logged(comparison) : kept;
  }

  /** The log has each finding once: a drift, and its end. */
  async #logged({ acting, compared, drifts: found }: Comparison): Promise<Result<void, string>> {
    const { guardLog, site } = this.#parts;
    const about: JsonObject = {
      ...{ site: site.id, acting: acting.site, compared },
      drifts: found.map((each) => ({ ...each })),
    };
    const { compared: before, known } = guardLog.history;
    if (before !== undefined && findingOf(before) === findingOf(about)) return ok(undefined);
    return guardLog.append({ step: "compared", about, epoch: known.epoch, failover: "-" });
  }

  #told(acting: string, found: readonly Drift[]): void {
    const { telemetry, log, deployment, site } = this.#parts;
    this.#looks = found.length === 0 ? 0 : this.#looks + 1;
    const labels = { deployment, site: site.id };
    telemetry.gauge("failover_parity_drift", labels, found.length);
    telemetry.gauge("failover_parity_alarm", labels, this.#looks > looksUntilAlarm ? 1 : 0);
    if (found.length > 0 && (this.#looks === 1 || this.#looks === looksUntilAlarm + 1))
      log.write("error", "parity_drift", {
        acting,
        drifts: found.map(driftText),
        looks: this.#looks,
      });
  }

  async #askOf(site: string, url: string): Promise<Result<ParityState, string>> {
    const { ask, entropy, guardKey, deployment, manifest } = this.#parts;
    const nonce = Buffer.from(entropy.bytes(16)).toString("hex");
    const key = guardKey(site);
    if (key === undefined) return err(`the manifest has no usable key of ${site}`);
    const answer = await ask(url, nonce);
    if (!answer.ok) return answer;
    const opened = openEnvelope(answer.value, parityType, [key]);
    if (!opened.ok) return err(`the parity of ${site}: ${opened.error}`);
    return readParity(opened.value.payload, { deployment, tenant: manifest.tenant, site, nonce });
  }
}

/** What makes it worth another entry. */
function findingOf({ acting, drifts: found }: JsonObject): string {
  return canonicalJson([acting ?? null, found ?? null]);
}
