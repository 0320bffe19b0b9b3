/**
 * What gateways tell each other of their breakers. A breaker that opens or closes here is put into the shared state,
 * recorded in the log and counted, all after the fact: no call waits for any of it. What others, people among them, have
 * put there is taken over at the next look. While the store is away each gateway goes by its own breakers, and tells
 * later.
 */
import type { BreakerEntry, EntryOrigin } from "../audit/index.ts";
import type { Ledger } from "../ledger/index.ts";
import {
  type Breaker,
  type BreakerOf,
  breakerKey,
  breakerName,
  breakerPrefix,
  closedBreaker,
  keptChange,
  openForMs,
  readBreakerKey,
  readSharedBreaker,
  type SharedBreaker,
  sharedBreakerJson,
} from "../limits/index.ts";
import type { Clock, Entropy, Log, StoredValue, Telemetry } from "../ports.ts";
import type { SharedState, StateChange } from "../state/index.ts";
import type { Breakers } from "./breakers.ts";
import { isoTime } from "./record.ts";

export interface BreakerBoardParts {
  readonly breakers: Breakers;
  /** Those that are configured here. */
  readonly upstreams: readonly string[];
  readonly state: SharedState;
  readonly ledger: Pick<Ledger, "append">;
  readonly clock: Clock;
  readonly entropy: Entropy;
  readonly log: Log;
  readonly telemetry: Telemetry;
  readonly origin: EntryOrigin;
  readonly tenant: string;
  readonly pollMs: number;
}

/** What this gateway knows of one breaker in the store. */
interface Posted {
  readonly of: BreakerOf;
  /** The newest change that is in force here. */
  change: SharedBreaker;
  /** The newest change that was seen in the store. */
  seen: string | undefined;
  /** Not yet in the store. */
  isOwed: boolean;
  isWriting: boolean;
  /** When the store last acknowledged. */
  ackedMs: number;
}

const pageMax = 1_000;
/** How long a closing stays for others to see. */
const closingKeptMs = 60_000;
/** A half-open breaker whose tool nobody calls any more. */
const forgottenAfterMs = 3_600_000;

export class BreakerBoard {
  readonly #parts: BreakerBoardParts;
  readonly #posted = new Map<string, Posted>();
  #error: string | undefined = "it was not read yet";
  #recording: Promise<void> = Promise.resolve();
  #hasEnded = false;

  constructor(parts: BreakerBoardParts) {
    this.#parts = parts;
    parts.breakers.onChange((of, before, after) => this.#changed(of, before, after));
  }

  /** For people: those that are not closed, and whether others know. */
  get status(): { readonly breakers: readonly BreakerStatus[]; readonly error: string | null } {
    const { breakers } = this.#parts;
    return {
      breakers: breakers.held.map((each) => this.#statusOf(each)),
      error: this.#error ?? null,
    };
  }

  /** Reads the store once, takes over what is new there, and writes what is owed. */
  async refresh(): Promise<void> {
    const began = this.#parts.clock.monotonicMs();
    const listed = await this.#list();
    if (typeof listed === "string") {
      if (listed !== this.#error)
        this.#parts.log.write("warn", "breakers_unread", { error: listed });
      this.#error = listed;
    } else {
      this.#error = undefined;
      this.#takeOver(listed, began);
    }
    for (const posted of this.#posted.values()) if (posted.isOwed) await this.#write(posted);
    this.#forgetUncalled();
    this.#parts.breakers.tidy();
    this.#gauge();
  }

  /** Refreshes every `pollMs` until `signal` aborts. */
  async follow(signal: AbortSignal): Promise<void> {
    const { clock, pollMs } = this.#parts;
    while (!signal.aborted) {
      await this.refresh();
      await clock.sleep(pollMs, signal);
    }
    // What is cut off while the gateway stops says nothing of those it called.
    this.#hasEnded = true;
    await this.#recording;
  }

  async #list(): Promise<readonly StoredValue[] | string> {
    const all: StoredValue[] = [];
    for (;;) {
      const page = await this.#parts.state.list(breakerPrefix, pageMax, all.at(-1)?.key ?? "");
      if (!page.ok) return `the store is ${page.error.kind}: ${page.error.detail}`;
      all.push(...page.value);
      if (page.value.length < pageMax) return all;
    }
  }

  #takeOver(listed: readonly StoredValue[], began: number): void {
    const present = new Set<string>();
    for (const { key, value } of listed) {
      const of = readBreakerKey(key);
      const shared = readSharedBreaker(value);
      if (of === undefined || !this.#parts.upstreams.includes(of.upstream)) continue;
      present.add(breakerName(of));
      if (shared === undefined) this.#parts.log.write("error", "breaker_misread", { key });
      else this.#seen(of, shared, began);
    }
    this.#closeAbsent(present, began);
  }

  #closeAbsent(present: ReadonlySet<string>, began: number): void {
    for (const [name, posted] of this.#posted) {
      if (present.has(name) || !isSettled(posted, began)) continue;
      // Its closing was there for a minute, and this gateway did not look.
      if (posted.seen !== undefined && posted.change.state === "open") {
        const by = "another gateway or a person";
        this.#adopt(posted, this.#closing("its record is gone", by), undefined);
      }
      if (posted.change.state === "closed") this.#posted.delete(name);
    }
  }

  #seen(of: BreakerOf, shared: SharedBreaker, began: number): void {
    const posted = this.#posted.get(breakerName(of));
    if (posted === undefined && shared.state === "open") {
      const fresh = { ...unposted, of, change: shared, seen: shared.id };
      this.#posted.set(breakerName(of), fresh);
      this.#inForce(fresh, shared);
    } else if (posted !== undefined && isSettled(posted, began)) {
      if (posted.change.id !== shared.id) this.#adopt(posted, shared, shared.id);
    }
    if (shared.state === "closed") this.#sweep(of, shared);
  }

  #adopt(posted: Posted, change: SharedBreaker, seen: string | undefined): void {
    posted.change = change;
    posted.seen = seen;
    this.#inForce(posted, change);
  }

  /** What the store says is in force here. */
  #inForce({ of }: Posted, change: SharedBreaker): void {
    const { breakers, clock } = this.#parts;
    const before = breakers.of(of);
    breakers.put(of, asBreaker(change, clock));
    if (before.kind !== "closed" || change.state !== "closed") this.#tell(of, change);
  }

  /** A breaker of this gateway has changed by itself. */
  #changed(of: BreakerOf, before: Breaker, after: Breaker): void {
    if (this.#hasEnded) return;
    if (after.kind === "half_open") {
      this.#parts.telemetry.count("breaker_transitions", { upstream: of.upstream, to: after.kind });
      return;
    }
    const by = `gateway ${this.#parts.origin.instance}`;
    const change =
      after.kind === "open" ? this.#opening(after, by) : this.#closing("it answered", by);
    if (before.kind === "closed" && change.state === "closed") return;
    const name = breakerName(of);
    const posted = this.#posted.get(name) ?? { ...unposted, of, change };
    posted.change = change;
    posted.isOwed = breakerKey(of) !== undefined;
    this.#posted.set(name, posted);
    this.#tell(of, change);
    this.#write(posted).catch(() => undefined);
  }

  #opening(
    { times, cause, untilMs }: Breaker & { readonly kind: "open" },
    by: string,
  ): SharedBreaker {
    const { clock } = this.#parts;
    const openMs =
      untilMs === undefined ? null : Math.max(0, Math.round(untilMs - clock.monotonicMs()));
    return { ...this.#fresh(), state: "open", openMs, times, cause, by };
  }

  #closing(cause: string, by: string): SharedBreaker {
    return { ...this.#fresh(), state: "closed", openMs: 0, times: 0, cause, by };
  }

  #fresh(): { readonly id: string; readonly sinceMs: number } {
    const { entropy, clock } = this.#parts;
    return {
      id: `brk-${Buffer.from(entropy.bytes(6)).toString("hex")}`,
      sinceMs: Math.max(0, Math.round(clock.wallMs())),
    };
  }

  /** One write of a breaker at a time; what changes meanwhile is owed until the next. */
  async #write(posted: Posted): Promise<void> {
    const key = breakerKey(posted.of);
    if (posted.isWriting || key === undefined) return;
    posted.isWriting = true;
    const { change, seen } = posted;
    const { state, clock, log } = this.#parts;
    const wallMs = clock.wallMs();
    const written = await state.transact([key], (values): StateChange<SharedBreaker> => {
      const value = values.get(key);
      const stored = value === undefined ? undefined : readSharedBreaker(value);
      const kept = keptChange(stored, change, seen, wallMs);
      const writes = kept === change ? new Map([[key, sharedBreakerJson(change)]]) : new Map();
      return { writes, result: kept };
    });
    posted.isWriting = false;
    if (!written.ok) {
      log.write("warn", "breaker_not_stored", { key, ...written.error });
      return;
    }
    posted.ackedMs = clock.monotonicMs();
    posted.seen = written.value.id;
    if (posted.change !== change) return await this.#write(posted);
    posted.isOwed = false;
    if (written.value !== change) this.#adopt(posted, written.value, written.value.id);
  }

  /** Everyone has had the time to see the closing. */
  #sweep(of: BreakerOf, closing: SharedBreaker): void {
    const key = breakerKey(of);
    const { state, clock } = this.#parts;
    if (key === undefined || Math.abs(clock.wallMs() - closing.sinceMs) < closingKeptMs) return;
    const gone = state.transact([key], (values) => {
      const isSame = values.get(key)?.["id"] === closing.id;
      return { writes: isSame ? new Map([[key, null]]) : new Map(), result: undefined };
    });
    gone.catch(() => undefined);
  }

  #forgetUncalled(): void {
    const { breakers, clock } = this.#parts;
    for (const { of, breaker } of breakers.held) {
      if (breaker.kind !== "half_open") continue;
      if (clock.monotonicMs() - breaker.sinceMs < forgottenAfterMs) continue;
      breakers.put(of, closedBreaker);
      this.#changed(of, breaker, closedBreaker);
    }
  }

  #tell(of: BreakerOf, change: SharedBreaker): void {
    const { log, telemetry } = this.#parts;
    telemetry.count("breaker_transitions", { upstream: of.upstream, to: change.state });
    const level = change.state === "open" ? "warn" : "info";
    const { id, openMs: open_ms, times, cause, by } = change;
    log.write(level, `breaker_${change.state}`, {
      ...{ breaker: breakerName(of), change: id, open_ms, times, cause, by },
    });
    const recorded = this.#record(of, change);
    this.#recording = Promise.all([this.#recording, recorded]).then(() => undefined);
    this.#gauge();
  }

  async #record({ upstream, tool }: BreakerOf, change: SharedBreaker): Promise<void> {
    const { ledger, origin, clock, tenant, log } = this.#parts;
    const entry: BreakerEntry = {
      ...origin,
      v: 1,
      kind: "breaker",
      time: isoTime(clock.wallMs()),
      tenant,
      upstream,
      tool: tool ?? null,
      state: change.state,
      change: change.id,
      times: change.times,
      open_ms: change.openMs,
      cause: change.cause,
      by: change.by,
    };
    const appended = await ledger.append(entry);
    if (!appended.ok) log.write("error", "breaker_not_recorded", { ...appended.error });
  }

  #gauge(): void {
    const { breakers, telemetry, upstreams } = this.#parts;
    const { held } = breakers;
    for (const upstream of upstreams) {
      const state = stateNumbers[breakers.of({ upstream }).kind];
      const tools = held.filter(({ of }) => of.upstream === upstream && of.tool !== undefined);
      telemetry.gauge("breaker_state", { upstream }, state);
      telemetry.gauge("breaker_tools_open", { upstream }, tools.length);
    }
  }

  #statusOf({ of, breaker }: { readonly of: BreakerOf; readonly breaker: Breaker }): BreakerStatus {
    const posted = this.#posted.get(breakerName(of));
    const untilMs = breaker.kind === "open" ? breaker.untilMs : undefined;
    const closesMs = untilMs === undefined ? null : untilMs - this.#parts.clock.monotonicMs();
    return {
      breaker: breakerName(of),
      state: breaker.kind,
      ...(breaker.kind === "closed" ? {} : { times: breaker.times, cause: breaker.cause }),
      ...(breaker.kind === "open" ? { retry_after_ms: closesMs && Math.ceil(closesMs) } : {}),
      by: posted?.change.by ?? `gateway ${this.#parts.origin.instance}`,
      shared: posted?.isOwed !== true,
    };
  }
}

export interface BreakerStatus {
  readonly breaker: string;
  readonly state: Breaker["kind"];
  readonly times?: number;
  readonly cause?: string;
  /** `null`: until people close it. */
  readonly retry_after_ms?: number | null;
  readonly by: string;
  /** Whether it stands in the store. */
  readonly shared: boolean;
}

const unposted = {
  seen: undefined,
  isOwed: false,
  isWriting: false,
  ackedMs: Number.NEGATIVE_INFINITY,
} as const;

const stateNumbers: Readonly<Record<Breaker["kind"], number>> = {
  closed: 0,
  half_open: 1,
  open: 2,
};

/** Whether what was read since `began` shows all that this gateway wrote. */
function isSettled({ isOwed, isWriting, ackedMs }: Posted, began: number): boolean {
  return !(isOwed || isWriting) && ackedMs < began;
}

function asBreaker(change: SharedBreaker, clock: Clock): Breaker {
  if (change.state === "closed") return closedBreaker;
  const { times, cause } = change;
  const leftMs = openForMs(change, clock.wallMs());
  const untilMs = leftMs === undefined ? undefined : clock.monotonicMs() + leftMs;
  return { kind: "open", times: Math.max(1, times), cause, untilMs };
}
