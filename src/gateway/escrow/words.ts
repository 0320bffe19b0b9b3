/**
 * What people said about held writes, into the log: who let one go, discarded it or said what became of it, and why. One
 * gateway records each word; after a crash in between, another may record it once more.
 */

import type { EntryOrigin, EscrowEntry } from "../../audit/index.ts";
import { closedPrefix, readItem, unrecordedPrefix, usageKey, usageOf } from "../../escrow/index.ts";
import type { JsonObject } from "../../kernel/index.ts";
import type { Ledger } from "../../ledger/index.ts";
import type { Clock, Log, StoredValue, Telemetry } from "../../ports.ts";
import type { SharedState } from "../../state/index.ts";
import { isoTime } from "../record.ts";

export interface EscrowWordsParts {
  readonly state: SharedState;
  readonly ledger: Ledger;
  readonly clock: Clock;
  readonly log: Log;
  readonly telemetry: Telemetry;
  readonly origin: EntryOrigin;
  readonly run: string;
}

const pollMs = 500;
const pageMax = 100;
/** Whoever has a word in hand for longer than this has died. */
const recordingMs = 30_000;
const sweepMs = 10 * 60_000;
const keptMs = 30 * 86_400_000;

export class EscrowWords {
  readonly #parts: EscrowWordsParts;
  #sweptMs = Number.NEGATIVE_INFINITY;

  constructor(parts: EscrowWordsParts) {
    this.#parts = parts;
  }

  async follow(signal: AbortSignal): Promise<void> {
    const { clock } = this.#parts;
    while (!signal.aborted) {
      await this.record();
      if (clock.monotonicMs() - this.#sweptMs > sweepMs) await this.#sweep();
      await clock.sleep(pollMs, signal);
    }
  }

  /** Records what is there to be recorded. */
  async record(): Promise<void> {
    const { state, telemetry } = this.#parts;
    const [read, listed] = await Promise.all([
      state.read([usageKey]),
      state.list(unrecordedPrefix, pageMax),
    ]);
    if (read.ok) {
      const { items, bytes } = usageOf(read.value.get(usageKey));
      telemetry.gauge("escrow_items", {}, items);
      telemetry.gauge("escrow_bytes", {}, bytes);
    }
    if (!listed.ok) return;
    for (const { key } of listed.value) await this.#recordOne(key);
  }

  async #recordOne(key: string): Promise<void> {
    const { state, ledger, log, run } = this.#parts;
    const taken = await state.transact([key], (values, nowMs) => {
      const word = values.get(key);
      const since = Number(word?.["recording_ms"] ?? Number.NEGATIVE_INFINITY);
      if (word === undefined || nowMs - since < recordingMs)
        return { writes: new Map(), result: undefined };
      const recording = { ...word, recorder: run, recording_ms: nowMs };
      return { writes: new Map([[key, recording]]), result: word };
    });
    if (!taken.ok || taken.value === undefined) return;
    const appended = await ledger.append(this.#entry(taken.value));
    if (!appended.ok) {
      log.write("error", "escrow_word_not_recorded", { ...appended.error });
      return;
    }
    await state.transact([key], () => ({ writes: new Map([[key, null]]), result: undefined }));
  }

  #entry(word: JsonObject): EscrowEntry {
    const { origin, clock } = this.#parts;
    const text = (name: string): string => String(word[name] ?? "");
    return {
      ...origin,
      v: 1,
      kind: "escrow",
      time: isoTime(clock.wallMs()),
      tenant: text("tenant"),
      step: text("step") as EscrowEntry["step"],
      item: text("id"),
      agent_id: text("agent"),
      tool: text("tool"),
      args_digest: text("args_digest"),
      by: text("by"),
      reason: text("reason"),
      said: isoTime(Number(word["at_ms"])),
    };
  }

  /** What is over for thirty days is forgotten; the log remembers. Ids begin with the time, so the oldest come first. */
  async #sweep(): Promise<void> {
    const { state, clock } = this.#parts;
    this.#sweptMs = clock.monotonicMs();
    const listed = await state.list(closedPrefix, pageMax);
    if (!listed.ok) return;
    const old = listed.value.filter((each) => isOld(each, clock.wallMs())).map(({ key }) => key);
    if (old.length === 0) return;
    await state.transact(old, () => ({
      writes: new Map(old.map((key) => [key, null])),
      result: undefined,
    }));
    if (old.length === pageMax) this.#sweptMs = Number.NEGATIVE_INFINITY;
  }
}

function isOld({ value }: StoredValue, nowMs: number): boolean {
  const closed = readItem(value)?.closed_ms;
  return closed !== undefined && closed !== null && nowMs - closed > keptMs;
}
