/**
 * Carries out what people have let go: the oldest item of each upstream first, one at a time, by one gateway.
 *
 *   claim (store) → decide anew → decision entry → forward under the key of the held call → outcome entry → settle (store)
 *
 * A gateway that dies in between leaves the item in its hand. Its next run asks its own log; another gateway waits until
 * it is silent. What may have been sent is sent again only to an upstream that acts once on one key; otherwise nobody
 * knows, and a person says what became of it.
 */

import type { CallOutcome, EntryOrigin } from "../../audit/index.ts";
import {
  type Attempt,
  attempted,
  type Claim,
  claimed,
  type EscrowItem,
  type Holder,
  itemKeys,
  type Lane,
  laneFree,
  laneKey,
  queueKey,
  readItem,
  readLane,
  releasedPrefix,
  step,
} from "../../escrow/index.ts";
import { callId, type JsonObject, type Result, splitToolId } from "../../kernel/index.ts";
import type { Clock, Entropy, Log, Telemetry } from "../../ports.ts";
import type { SharedState } from "../../state/index.ts";
import type { Forward, Forwarded, Spine, ToolRequest } from "../call.ts";
import { presencePrefix } from "../kill-watch.ts";
import { attemptIn, attemptLost, attemptOf } from "./attempt.ts";
import { heldCall } from "./held-call.ts";

/** How a face sends a held call; the error says why it cannot any more. */
export type Sender = (request: ToolRequest, carry: JsonObject) => Result<Forward<unknown>, string>;

export interface ExecutorParts {
  readonly state: SharedState;
  readonly spine: Pick<Spine, "govern">;
  readonly clock: Clock;
  readonly entropy: Entropy;
  readonly log: Log;
  readonly telemetry: Telemetry;
  readonly origin: EntryOrigin;
  /** Names the log of this gateway, by its key. */
  readonly logName: string;
  /** Names this life of the instance; no two are the same. */
  readonly run: string;
  /** By upstream. */
  readonly senders: ReadonlyMap<string, Sender>;
  /** Upstreams that act once on all requests of one idempotency key. */
  readonly honouring: ReadonlySet<string>;
  /** What the log of this gateway says of these calls: absent for one that no entry lets through. */
  readonly fateOf: (
    calls: ReadonlySet<string>,
  ) => Promise<Result<ReadonlyMap<string, CallOutcome>, string>>;
}

const pollMs = 250;
/**
 * A claim is good for so long: a gateway that was frozen in between sends nothing when it wakes. Others wait twice as long
 * from when they first saw the claim, so none takes over what may still be sent.
 */
const claimMsMax = 30_000;
const silentMs = 2 * claimMsMax;

const tooLate: Forwarded<undefined> = {
  outcome: "not_sent",
  detail: "it was in hand for so long that another gateway may have it",
  resultBytes: 0,
  answer: undefined,
};

interface Holding extends Holder {
  readonly upstream: string;
}

export class EscrowExecutor {
  readonly #parts: ExecutorParts;
  /** Upstreams whose lane this process is working on. */
  readonly #working = new Set<string>();
  /** Attempts that ended, of which the store could not be told yet. */
  readonly #unsettled = new Map<string, { readonly item: EscrowItem; readonly came: Attempt }>();
  /** Attempts of dead runs that the log was asked about. */
  readonly #asked = new Set<string>();
  /** The claims of other gateways with their newest sign of life, and when it was first seen, on the monotonic clock. */
  readonly #signs = new Map<string, { readonly sign: string; readonly sinceMs: number }>();
  #holders: readonly Holding[] = [];

  constructor(parts: ExecutorParts) {
    this.#parts = parts;
  }

  /** By upstream: the write that is in hand, or of which nobody knows. */
  get status(): Readonly<Record<string, { readonly id: string; readonly state: string }>> {
    return Object.fromEntries(
      this.#holders.map(({ upstream, id, state }) => [upstream, { id, state }]),
    );
  }

  /**
   * Until `signal` aborts. What is being carried out then is a call under way like any other: it ends by itself, and its
   * item is settled or left to the next run.
   */
  async follow(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.look(signal);
      await this.#parts.clock.sleep(pollMs, signal);
    }
  }

  /** One look at every lane. Begins the work of those that have some, and does not wait for it. */
  async look(signal: AbortSignal): Promise<void> {
    for (const { item, came } of [...this.#unsettled.values()]) await this.#settle(item, came);
    const { state, senders, telemetry } = this.#parts;
    const upstreams = [...senders.keys()];
    const [read, listed] = await Promise.all([
      state.read(upstreams.map(laneKey)),
      state.list(releasedPrefix, 1),
    ]);
    if (!read.ok || !listed.ok) return;
    const holders: Holding[] = [];
    for (const upstream of upstreams) {
      const lane = readLane(read.value.get(laneKey(upstream)));
      // Nothing was ever held back here.
      if (lane.seq === 0) continue;
      telemetry.gauge("escrow_unknown", { upstream }, lane.holder?.state === "unknown" ? 1 : 0);
      if (lane.holder !== null) holders.push({ ...lane.holder, upstream });
      const isIdle = lane.holder === null && listed.value.length === 0;
      if (!(isIdle || this.#working.has(upstream))) this.#work(upstream, signal);
    }
    this.#holders = holders;
  }

  #work(upstream: string, signal: AbortSignal): void {
    this.#working.add(upstream);
    this.#lane(upstream, signal)
      .catch((thrown: unknown) =>
        this.#parts.log.write("error", "escrow_failed", { upstream, detail: String(thrown) }),
      )
      .finally(() => this.#working.delete(upstream));
  }

  /** Carries out item after item, until there is none or the first one waits. */
  async #lane(upstream: string, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const { state } = this.#parts;
      const read = await state.read([laneKey(upstream)]);
      if (!read.ok) return;
      const lane = readLane(read.value.get(laneKey(upstream)));
      if (lane.holder !== null && !(await this.#recovered(lane.holder))) return;
      if (lane.holder !== null) continue;
      const sinceMs = this.#parts.clock.monotonicMs();
      const item = await this.#claimFirst(upstream, lane);
      if (item === undefined) return;
      await this.#settle(item, await this.#carryOut(item, sinceMs));
    }
  }

  async #claimFirst(upstream: string, { turn }: Lane): Promise<EscrowItem | undefined> {
    const { state, clock, entropy, origin, logName: log, run } = this.#parts;
    const listed = await state.list(`${releasedPrefix}${encodeURIComponent(upstream)}/`, 1);
    const id = listed.ok ? listed.value[0]?.value["id"] : undefined;
    const first = typeof id === "string" ? await this.#read(id) : undefined;
    if (first === undefined) return undefined;
    const call = callId(clock.wallMs(), entropy.bytes(10));
    const done = await state.transact(itemKeys(first), (values, nowMs) => {
      const claim: Claim = { call, instance: origin.instance, log, run, at_ms: nowMs };
      return step(values, first, (item, lane) => {
        const free = laneFree(lane, turn);
        return free.ok ? claimed(item, claim) : free;
      });
    });
    // A claim that may or may not be there is found later as one of a call that was never decided.
    return done.ok && done.value.ok ? done.value.value : undefined;
  }

  /** `sinceMs`: before it was claimed, on the monotonic clock. */
  async #carryOut(item: EscrowItem, sinceMs: number): Promise<Attempt> {
    const { spine, senders, log, clock } = this.#parts;
    const held = heldCall(item);
    const sender = senders.get(item.upstream);
    if (held === undefined || sender === undefined)
      return { kind: "back", note: "this gateway cannot read it" };
    const forward = sender(held.request, held.carry);
    if (!forward.ok) return { kind: "back", note: forward.error };
    try {
      const governed = await spine.govern(held.request, async (judged) =>
        clock.monotonicMs() - sinceMs > claimMsMax ? tooLate : await forward.value(judged),
      );
      return attemptOf(governed, this.#facts(item));
    } catch (thrown) {
      log.write("error", "escrow_failed", { item: item.id, detail: String(thrown) });
      return attemptIn("unknown", this.#facts(item));
    }
  }

  /** Whether the lane goes on: the item that was in the hand of a dead gateway is not any more. */
  async #recovered({ id, call, state, instance, log, run }: Holder): Promise<boolean> {
    const { logName, run: ownRun, fateOf } = this.#parts;
    if (this.#unsettled.has(call)) return false;
    const item = await this.#read(id);
    if (item === undefined) return false;
    if (item.claim?.call !== call) return true;
    if (log === logName) {
      // A person says what became of it, unless the log does.
      if (this.#asked.has(call) && (state === "unknown" || run === ownRun)) return false;
      const fates = await fateOf(new Set([call]));
      if (!fates.ok) return false;
      this.#asked.add(call);
      const came = attemptIn(fates.value.get(call), this.#facts(item));
      if (state === "unknown" && came.kind === "unknown") return false;
      return await this.#settle(item, came);
    }
    if (state === "unknown" || !(await this.#isSilent(instance, call))) return false;
    return await this.#settle(item, attemptLost(instance, this.#facts(item)));
  }

  /**
   * Whether a gateway has given no new sign of life since its claim was seen, for long enough. Its clock is not believed, nor
   * is the end of its signs: a gateway that stops in order still ends its calls.
   */
  async #isSilent(instance: string, call: string): Promise<boolean> {
    const { state, clock } = this.#parts;
    const key = presencePrefix + encodeURIComponent(instance);
    const read = await state.read([key]);
    if (!read.ok) return false;
    const sign = `${call} ${String(read.value.get(key)?.["seen"] ?? "")}`;
    const nowMs = clock.monotonicMs();
    const known = this.#signs.get(instance);
    if (known?.sign === sign) return nowMs - known.sinceMs > silentMs;
    this.#signs.set(instance, { sign, sinceMs: nowMs });
    return false;
  }

  /** True when the store knows what came of it. What it cannot be told now it is told later, or by the next run. */
  async #settle(item: EscrowItem, came: Attempt): Promise<boolean> {
    const { state, log, telemetry } = this.#parts;
    const call = item.claim?.call ?? "";
    const done = await state.transact(itemKeys(item), (values, nowMs) =>
      step(values, item, (now) => attempted(now, call, came, nowMs)),
    );
    const fields = { item: item.id, call, tool: item.tool, came: came.kind, note: came.note };
    if (!done.ok) {
      this.#unsettled.set(call, { item, came });
      log.write("error", "escrow_not_settled", { ...fields, ...done.error });
      return false;
    }
    this.#unsettled.delete(call);
    const level = came.kind === "executed" || came.kind === "again" ? "info" : "warn";
    log.write(level, "escrow_attempt", fields);
    const { server: upstream } = splitToolId(item.tool as ToolRequest["tool"]);
    telemetry.count("escrow_attempts", { upstream, came: came.kind });
    return true;
  }

  async #read(id: string): Promise<EscrowItem | undefined> {
    const key = queueKey(id);
    const read = await this.#parts.state.read([key]);
    return read.ok ? readItem(read.value.get(key)) : undefined;
  }

  #facts(item: EscrowItem): { readonly honoured: boolean; readonly attempt: number } {
    return { honoured: this.#parts.honouring.has(item.upstream), attempt: item.attempts };
  }
}
