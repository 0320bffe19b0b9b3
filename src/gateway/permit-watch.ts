/**
 * The gateway's permit to operate. It asks the guard of its site again and again; what was answered is good for so long
 * from when it was asked, on the monotonic clock, and for nothing after that. No permit, no action (AG-403 4.2, 4.3).
 */
import type { EntryOrigin, NoteVerifier, PermitEntry } from "../audit/index.ts";
import { checkPermit, openEnvelope, type Permit, permitType } from "../failover/index.ts";
import type { JsonObject, JsonValue, Result } from "../kernel/index.ts";
import type { Ledger } from "../ledger/index.ts";
import type { Switch } from "../limits/index.ts";
import type { Clock, Entropy, Log, Telemetry } from "../ports.ts";
import type { SharedState } from "../state/index.ts";
import { type Entered, type Gate, lets, turnedAway } from "./admit.ts";
import { adopted, adoptedKey } from "./adoption.ts";
import type { Hold } from "./hold.ts";
import type { Asked, Judgement } from "./judge.ts";
import { isoTime } from "./record.ts";
import type { ResolvedTool } from "./resolve.ts";

/** What the guard answers: an envelope, or that its gate is closed. The error says why there was no answer. */
export type PermitAnswer = Result<
  | { readonly open: true; readonly envelope: JsonValue }
  | { readonly open: false; readonly why: string },
  string
>;

export interface PermitWatchParts {
  readonly askGuard: (question: JsonObject) => Promise<PermitAnswer>;
  readonly deployment: string;
  readonly tenant: string;
  readonly site: string;
  /** As it lies here now: a permit under another one is none. The error says why there is none. */
  readonly manifest: () => Promise<Result<KnownManifest, string>>;
  readonly state: SharedState;
  readonly fenceKey: string;
  readonly ledger: Ledger;
  readonly clock: Clock;
  readonly entropy: Entropy;
  readonly log: Log;
  readonly telemetry: Telemetry;
  /** Carries the epoch into everything that is recorded. */
  readonly origin: EntryOrigin & { epoch: number };
  /** What was acknowledged here, so that it is known elsewhere. */
  readonly acknowledged: () => JsonObject;
  readonly policyVersion: () => string | undefined;
}

export interface KnownManifest {
  readonly digest: string;
  /** Of the guard of the site. */
  readonly guardKey: NoteVerifier;
  readonly ttlMs: number;
}

interface Held {
  readonly permit: Permit;
  readonly untilMs: number;
}

const againMs = 200;
const refreshMsMax = 1_000;

export class PermitWatch implements Gate {
  readonly #parts: PermitWatchParts;
  #held: Held | undefined;
  #why = "the guard was not asked yet";
  #recorded: string | undefined;

  constructor(parts: PermitWatchParts) {
    this.#parts = parts;
  }

  get status(): { readonly permit: Permit | null; readonly error: string | null } {
    return this.#current() === undefined
      ? { permit: null, error: this.#why }
      : { permit: this.#held?.permit ?? null, error: null };
  }

  enter(asked: Asked, judgement: Judgement): Entered {
    const hold = lets(judgement) ? this.#hold(asked.tool) : undefined;
    this.#monitor(asked, judgement);
    return hold === undefined ? { judgement } : turnedAway(asked, hold);
  }

  /** While something is not shown to be intact, every decision is told to people as it is made. */
  #monitor({ callId, tool, request }: Asked, { decision }: Judgement): void {
    if (this.#current()?.monitoring !== "enhanced") return;
    const { log, telemetry } = this.#parts;
    telemetry.count("decisions_under_enhanced_monitoring", { decision: decision.decision });
    log.write("warn", "decision_under_enhanced_monitoring", {
      ...{ call: callId, tool: tool.id, agent: request.identity.agent },
      decision: decision.decision,
    });
  }

  answer({ tool }: Asked): Hold | undefined {
    return this.#hold(tool);
  }

  recheck({ tool }: Asked): Hold | undefined {
    return this.#hold(tool);
  }

  /** Writes are held back while the site is degraded to escrow. */
  escrow(): Switch | undefined {
    const permit = this.#current();
    if (permit?.tier !== "escrow") return undefined;
    const { failover, site, issued } = permit;
    return {
      ...{ id: failover, mode: "escrow", scope: {}, by: `guard/${site}`, since: issued },
      reason: "the site is degraded: what it cannot show to be intact allows no writes",
    };
  }

  /** Before the first call: asks until there is a permit, or for one lifetime. */
  async firstLook(): Promise<void> {
    const { clock } = this.#parts;
    const endMs = clock.monotonicMs() + firstLookMsMax;
    await this.refresh();
    while (this.#current() === undefined && clock.monotonicMs() < endMs) {
      await clock.sleep(againMs);
      await this.refresh();
    }
  }

  async follow(signal: AbortSignal): Promise<void> {
    const { clock } = this.#parts;
    while (!signal.aborted) {
      await this.refresh();
      const lifetime = this.#held?.permit.lifetime_ms ?? 0;
      const waitMs = this.#current() === undefined ? againMs : Math.min(refreshMsMax, lifetime / 3);
      await clock.sleep(Math.max(waitMs, 50), signal);
    }
  }

  /** Asks once. An answer that is no permit takes the one before away only when the guard says that its gate is closed. */
  async refresh(): Promise<void> {
    const { askGuard, clock, entropy, origin, telemetry, acknowledged, policyVersion } =
      this.#parts;
    const nonce = Buffer.from(entropy.bytes(16)).toString("hex");
    const askedMs = clock.monotonicMs();
    const { instance } = origin;
    const policy = policyVersion();
    const answer = await askGuard({
      ...{ nonce, instance, acknowledged: acknowledged() },
      ...(policy === undefined ? {} : { policy_version: policy }),
    });
    if (!answer.ok) await this.#without(answer.error);
    else if (!answer.value.open) {
      this.#held = undefined;
      await this.#without(answer.value.why);
    } else {
      const permit = await this.#open(answer.value.envelope, nonce);
      if (!permit.ok) await this.#without(permit.error);
      else await this.#take({ permit: permit.value, untilMs: askedMs + permit.value.lifetime_ms });
    }
    telemetry.gauge("permit_valid", {}, this.#current() === undefined ? 0 : 1);
  }

  /** No new one; the one before runs out by itself. */
  async #without(why: string): Promise<void> {
    if (why !== this.#why) this.#parts.log.write("error", "no_permit", { why });
    this.#why = why;
    if (this.#current() === undefined) await this.#record("lost", undefined, why);
  }

  async #open(envelope: JsonValue, nonce: string): Promise<Result<Permit, string>> {
    const { manifest, deployment, tenant, site, origin } = this.#parts;
    const known = await manifest();
    if (!known.ok) return known;
    const { guardKey, digest, ttlMs } = known.value;
    const opened = openEnvelope(envelope, permitType, [guardKey]);
    if (!opened.ok) return opened;
    return checkPermit(opened.value.payload, {
      ...{ deployment, tenant, site, nonce, instance: origin.instance },
      ...{ manifest_digest: digest, epochMin: origin.epoch, lifetimeMsMax: ttlMs },
    });
  }

  /** A newer epoch counts once nobody of an older one can write any more, and the record says so. */
  async #take(held: Held): Promise<void> {
    const { origin, state, fenceKey, log } = this.#parts;
    const { permit } = held;
    if (permit.epoch > origin.epoch) {
      const fenced = await state.fence(fenceKey, permit.epoch, {
        key: adoptedKey,
        value: adopted(permit.deployment, permit.manifest_digest),
      });
      if (!fenced.ok) {
        this.#why = `the store does not take the epoch: ${fenced.error.detail}`;
        if (fenced.error.kind === "fenced")
          this.#parts.telemetry.count("zombie_writes_refused", {});
        log.write("error", "epoch_not_fenced", { ...fenced.error });
        return;
      }
      origin.epoch = permit.epoch;
    }
    if (!(await this.#record("held", permit, null))) return;
    this.#held = held;
    this.#why = "its time is over";
  }

  /** Once for each change. */
  async #record(
    state: PermitEntry["state"],
    permit: Permit | undefined,
    because: string | null,
  ): Promise<boolean> {
    const { origin, ledger, clock, tenant, deployment } = this.#parts;
    const change = JSON.stringify([state, origin.epoch, permit?.tier, permit?.monitoring]);
    if (change === this.#recorded) return true;
    const entry: PermitEntry = {
      ...{ ...origin, v: 1, kind: "permit", time: isoTime(clock.wallMs()), tenant, deployment },
      ...{
        state,
        manifest_digest: permit?.manifest_digest ?? "-",
        failover: permit?.failover ?? null,
      },
      ...{ tier: permit?.tier ?? "stop", monitoring: permit?.monitoring ?? "normal", because },
    };
    const appended = await ledger.append(entry);
    if (appended.ok) this.#recorded = change;
    return appended.ok;
  }

  #current(): Permit | undefined {
    const held = this.#held;
    return held !== undefined && this.#parts.clock.monotonicMs() < held.untilMs
      ? held.permit
      : undefined;
  }

  #hold({ effect }: Pick<ResolvedTool, "effect">): Hold | undefined {
    const permit = this.#current();
    if (permit === undefined)
      return { kind: "no_permit", detail: `this site has no permit to operate: ${this.#why}` };
    const { tier, site } = permit;
    if (tier === "stop" || (tier === "reads_only" && effect === "write"))
      return { kind: "degraded", detail: `${site} is degraded to ${tier}: ${effect}s are refused` };
    return undefined;
  }
}

const firstLookMsMax = 3_000;
