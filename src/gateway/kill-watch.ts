/**
 * The gateway's eye on the kill switch. It reads the stored state again and again and holds what it read for a lease;
 * when the lease runs out unread, writes stop by themselves, because a switch may have been thrown that nobody can see.
 * Reads go on: they change nothing.
 */
import type { EntryOrigin, KillEntry } from "../audit/index.ts";
import type { Identity } from "../identity/index.ts";
import { type JsonObject, splitToolId } from "../kernel/index.ts";
import type { Ledger } from "../ledger/index.ts";
import {
  escrowFor,
  type KillState,
  killKey,
  nothingStopped,
  readKillState,
  type Switch,
  type SwitchedCall,
  switchFor,
} from "../limits/index.ts";
import type { Clock, Log, Telemetry } from "../ports.ts";
import type { SharedState } from "../state/index.ts";
import type { ToolRequest } from "./call.ts";
import type { Hold } from "./hold.ts";
import { isoTime } from "./record.ts";
import type { ResolvedTool } from "./resolve.ts";

export interface KillWatchParts {
  readonly state: SharedState;
  readonly ledger: Ledger;
  readonly clock: Clock;
  readonly log: Log;
  readonly telemetry: Telemetry;
  readonly origin: EntryOrigin;
  readonly tenant: string;
  /** How long what was read may be believed, on the monotonic clock. */
  readonly leaseMs: number;
  readonly pollMs: number;
}

const lookWaitMsMax = 500;
/** How often a gateway says that it is there, in units of its lease. */
const presencePerLease = 0.5;

export class KillWatch {
  readonly #parts: KillWatchParts;
  #state: KillState = nothingStopped;
  /** When the newest good read began: what it shows is at least that new. */
  #readMs = Number.NEGATIVE_INFINITY;
  #saidMs = Number.NEGATIVE_INFINITY;
  #lastError = "it was not read yet";
  #recording: Promise<void> = Promise.resolve();
  /** One look for all the calls that wait for it. */
  #looking: Promise<void> | undefined;

  constructor(parts: KillWatchParts) {
    this.#parts = parts;
  }

  /** What people should know: the state in force, and whether it is still believed. */
  get status(): {
    readonly serial: number;
    readonly switches: readonly Switch[];
    readonly error: string | null;
  } {
    return { ...this.#state, error: this.#believed() ? null : this.#lastError };
  }

  /**
   * A process that was stopped and goes on has calls waiting and an old look: they wait for the next one, at most half a
   * second. Undefined, with nothing to wait for, while what was read is believed.
   */
  looked(): Promise<void> | undefined {
    return this.#believed() ? undefined : this.#lookSoon();
  }

  async #lookSoon(): Promise<void> {
    const enough = new AbortController();
    this.#looking ??= this.refresh().finally(() => {
      this.#looking = undefined;
    });
    await Promise.race([this.#looking, this.#parts.clock.sleep(lookWaitMsMax, enough.signal)]);
    enough.abort();
  }

  /** Decides at this moment; called before the decision is recorded and again right before it is forwarded. */
  hold({ identity }: ToolRequest, tool: ResolvedTool): Hold | undefined {
    if (tool.effect === "write" && !this.#believed())
      return { kind: "kill_state_unknown", detail: this.#lastError };
    // A few switches at most are thrown at any time, and almost always none.
    if (this.#state.switches.length === 0) return undefined;
    const by = switchFor(this.#state, switched(identity, tool));
    return by === undefined ? undefined : { kind: by.mode === "pause" ? "paused" : "dry_run", by };
  }

  /** The escrow that people have put over the call; a read passes all the same. */
  escrow({ identity }: ToolRequest, tool: ResolvedTool): Switch | undefined {
    if (this.#state.switches.length === 0) return undefined;
    return escrowFor(this.#state, switched(identity, tool));
  }

  /** Reads the stored state once. What cannot be read or understood leaves the old state, and its lease running. */
  async refresh(): Promise<void> {
    const { clock, state, telemetry } = this.#parts;
    const began = clock.monotonicMs();
    const read = await state.read([killKey]);
    const known = read.ok ? readKillState(read.value.get(killKey)) : read;
    if (!known.ok) {
      const error = typeof known.error === "string" ? known.error : known.error.detail;
      if (error !== this.#lastError) this.#parts.log.write("error", "kill_state_unread", { error });
      this.#lastError = error;
      telemetry.count("kill_state_unread", {});
    } else {
      this.#readMs = began;
      this.#lastError = "it was not read within its lease";
      this.#take(known.value);
    }
    telemetry.gauge("kill_state_believed", {}, this.#believed() ? 1 : 0);
    telemetry.gauge("kill_switches", {}, this.#state.switches.length);
  }

  /** Before the first call: looks until the state is known, or for one lease when it cannot be. */
  async firstLook(): Promise<void> {
    const { clock, leaseMs, pollMs } = this.#parts;
    const endMs = clock.monotonicMs() + leaseMs;
    await this.refresh();
    while (!this.#believed() && clock.monotonicMs() < endMs) {
      await clock.sleep(pollMs);
      await this.refresh();
    }
  }

  /** Refreshes every `pollMs` until `signal` aborts, and says in the store that this gateway is there. */
  async follow(signal: AbortSignal): Promise<void> {
    const { clock, pollMs } = this.#parts;
    const again = async (work: () => Promise<void>): Promise<void> => {
      while (!signal.aborted) {
        await work();
        await clock.sleep(pollMs, signal);
      }
    };
    // Apart: a write that waits for a lock must not hold up the next look.
    await Promise.all([again(() => this.refresh()), again(() => this.#sayPresence())]);
    await this.#recording;
    await this.#write(null);
  }

  #believed(): boolean {
    const { clock, leaseMs } = this.#parts;
    return clock.monotonicMs() - this.#readMs <= leaseMs;
  }

  /** In force first, recorded second: stopping never waits for a disk. */
  #take(state: KillState): void {
    if (state.serial === this.#state.serial) return;
    this.#state = state;
    this.#saidMs = Number.NEGATIVE_INFINITY;
    this.#parts.log.write("warn", "kill_state_changed", { ...state });
    // A ledger that cannot record this accepts no call either.
    this.#recording = this.#record(state);
  }

  async #record(state: KillState): Promise<void> {
    const { ledger, origin, clock, tenant, log } = this.#parts;
    const entry: KillEntry = {
      ...origin,
      v: 1,
      kind: "kill",
      time: isoTime(clock.wallMs()),
      tenant,
      serial: state.serial,
      switches: state.switches,
    };
    const appended = await ledger.append(entry);
    if (!appended.ok) log.write("error", "kill_state_not_recorded", { ...appended.error });
  }

  /** Who throws a switch waits until every gateway that is there says that it is in force. */
  async #sayPresence(): Promise<void> {
    const { clock, leaseMs, origin } = this.#parts;
    if (clock.monotonicMs() - this.#saidMs < leaseMs * presencePerLease) return;
    const said = await this.#write({
      site: origin.site,
      kill_serial: this.#state.serial,
      seen: isoTime(clock.wallMs()),
    });
    if (said) this.#saidMs = clock.monotonicMs();
  }

  /** Presence only informs: when it cannot be written, nothing else changes. */
  async #write(presence: JsonObject | null): Promise<boolean> {
    const key = presencePrefix + encodeURIComponent(this.#parts.origin.instance);
    const written = await this.#parts.state.transact([key], () => ({
      writes: new Map([[key, presence]]),
      result: undefined,
    }));
    return written.ok;
  }
}

function switched(identity: Identity, tool: ResolvedTool): SwitchedCall {
  return {
    agents: [identity.agent, ...identity.delegation],
    tool: tool.id,
    upstream: splitToolId(tool.id).server,
    tenant: identity.tenant,
    model: identity.model,
  };
}

/** Where gateways say that they are there. */
export const presencePrefix = "gateway/";
