/**
 * The model's memory in the shared state: batches of events. A batch is written in chunks, and exists from the one commit
 * that names it; a process that dies before leaves chunks that nobody reads, and the same batch may be written again.
 * Merging many batches into one, without what is forgotten, is one commit too: nobody ever sees half of either.
 */
import {
  canonicalJson,
  err,
  type JsonObject,
  type JsonValue,
  ok,
  type Result,
} from "../../kernel/index.ts";
import { eventBytesMax, faultOf, type ModelEvent } from "../../model/index.ts";
import type { SharedState, StateError } from "../../state/index.ts";
import {
  type CountedSpans,
  countedBetween,
  forgetCounted,
  type SpansTaken,
  writeCounted,
} from "./counted-spans.ts";

const batchPrefix = "model/batch/";
const chunkPrefix = "model/chunk/";
/** Stays when the batch is merged into another, so that its source is not taken again. */
const takenPrefix = "model/taken/";
const pageMax = 500;
/** Chunks are larger than the small values of others: few are read at once. */
const chunkPageMax = 16;
/** Batches that may come and go while everything is read. */
const readingsMax = 5;

/** What a batch is called: visible ASCII without `/`. The same content has the same name, and is taken once. */
export interface Batch {
  readonly id: string;
  /** Where it is from, for people. */
  readonly source: string;
  readonly chunks: number;
  readonly events: number;
  readonly writtenAtMs: number;
  /** Names of the batches whose events these are, all of them. */
  readonly merges?: readonly string[];
}

export interface NewBatch {
  readonly id: string;
  readonly source: string;
  readonly events: readonly ModelEvent[];
  readonly merges?: readonly string[];
  /** Spans that its traffic counts; they are not counted again. */
  readonly spans?: CountedSpans;
  /** It comes once, and nobody will tell it again: that it was taken need not be remembered when it is merged. */
  readonly isPassing?: true;
}

export type Taken = "taken" | "repeated";

export class ModelLog {
  readonly #state: SharedState;

  constructor(state: SharedState) {
    this.#state = state;
  }

  /** Whether the batch was taken before. */
  async has(id: string): Promise<Result<boolean, string>> {
    return await this.#isThere(takenPrefix + id);
  }

  /**
   * Takes the batch whole, or not at all; ok means durable. An event that cannot be kept refuses the batch, and the error
   * says which member of which. `progress` hears of chunks.
   */
  async write(
    { id, source, events, spans, isPassing }: NewBatch,
    progress: (done: number, of: number) => void = () => undefined,
  ): Promise<Result<Taken, string>> {
    const chunked = chunksOf(events);
    if (!chunked.ok) return chunked;
    const present = await this.has(id);
    if (!present.ok || present.value) return present.ok ? ok("repeated") : present;
    const texts = chunked.value;
    for (const [at, chunk] of texts.entries()) {
      const wrote = await this.#put(chunkKey(id, at), { events: chunk });
      if (!wrote.ok) return err(sentence(wrote.error));
      progress(at + 1, texts.length);
    }
    const counted =
      spans === undefined ? ok(undefined) : await writeCounted(this.#state, id, spans);
    if (!counted.ok) return err(sentence(counted.error));
    const about = { source, ...(counted.value !== undefined && { spans: { ...counted.value } }) };
    const [key, taken] = [batchPrefix + id, takenPrefix + id];
    const committed = await this.#state.transact([key, taken], (values, nowMs) => {
      if (values.has(taken) || values.has(key))
        return { writes: new Map(), result: "repeated" as const };
      const batch = { id, source, chunks: texts.length, events: events.length, writtenAtMs: nowMs };
      const writes = new Map<string, JsonObject>([[key, batch]]);
      if (isPassing !== true) writes.set(taken, { ...about, atMs: nowMs });
      return { writes, result: "taken" as const };
    });
    return committed.ok ? committed : err(sentence(committed.error));
  }

  /** The spans that were counted, of batches with spans of this time. The error is a sentence. */
  async countedSpans(fromAt: number, toAt: number): Promise<Result<ReadonlySet<string>, string>> {
    return await countedBetween(this.#state, fromAt, toAt);
  }

  /** Every batch there is, by name. */
  async batches(): Promise<Result<readonly Batch[], string>> {
    const found: Batch[] = [];
    for (let after = ""; ; ) {
      const page = await this.#state.list(batchPrefix, pageMax, after);
      if (!page.ok) return err(sentence(page.error));
      for (const { key, value } of page.value) {
        const batch = readBatch(value);
        if (batch === undefined)
          return err(`${key} in the store is not ours, or of a newer Holdfast`);
        found.push(batch);
      }
      const last = page.value.at(-1);
      if (last === undefined || page.value.length < pageMax) return ok(found);
      after = last.key;
    }
  }

  /** The events of one batch; undefined when it was merged into another meanwhile. */
  async read(batch: Batch): Promise<Result<readonly ModelEvent[] | undefined, string>> {
    const prefix = `${chunkPrefix}${batch.id}/`;
    const events: ModelEvent[] = [];
    for (let [at, after] = [0, ""]; at < batch.chunks; ) {
      const page = await this.#state.list(prefix, Math.min(chunkPageMax, batch.chunks - at), after);
      if (!page.ok) return err(sentence(page.error));
      const last = page.value.at(-1);
      if (last === undefined) return await this.#isGone(batch);
      for (const { value } of page.value) events.push(...eventsIn(value));
      at += page.value.length;
      after = last.key;
    }
    return events.length === batch.events ? ok(events) : await this.#isGone(batch);
  }

  /** All events of all batches of one moment. The same event may be in several. */
  async readAll(
    progress: (done: number, of: number) => void = () => undefined,
  ): Promise<
    Result<{ readonly batches: readonly Batch[]; readonly events: ModelEvent[] }, string>
  > {
    for (let reading = 0; reading < readingsMax; reading++) {
      const batches = await this.batches();
      if (!batches.ok) return batches;
      const events = await this.#readEach(batches.value, progress);
      if (!events.ok) return events;
      if (events.value !== undefined) return ok({ batches: batches.value, events: events.value });
    }
    return err("the stored model was merged again and again while it was read; try again");
  }

  /**
   * Puts `events` in the place of `batches`: they, and nothing else, are forgotten or replaced. `moved`: another process
   * did the same first, and nothing happened.
   */
  async replace(
    batches: readonly Batch[],
    merged: NewBatch,
  ): Promise<Result<"replaced" | "moved", string>> {
    const chunked = chunksOf(merged.events);
    if (!chunked.ok) return chunked;
    for (const [at, chunk] of chunked.value.entries()) {
      const wrote = await this.#put(chunkKey(merged.id, at), { events: chunk });
      if (!wrote.ok) return err(sentence(wrote.error));
    }
    const old = batches.map(({ id }) => batchPrefix + id);
    const own = batchPrefix + merged.id;
    const committed = await this.#state.transact([...old, own], (values, nowMs) => {
      if (!old.every((key) => values.has(key)))
        return { writes: new Map(), result: "moved" as const };
      const writes = new Map<string, JsonObject | null>(old.map((key) => [key, null]));
      const { id, source, events, merges } = merged;
      const batch = { id, source, chunks: chunked.value.length, events: events.length };
      if (events.length > 0)
        writes.set(own, { ...batch, writtenAtMs: nowMs, ...(merges !== undefined && { merges }) });
      return { writes, result: "replaced" as const };
    });
    if (!committed.ok) return err(sentence(committed.error));
    const over =
      committed.value === "replaced" ? batches : [{ ...merged, chunks: chunked.value.length }];
    for (const batch of over) await this.#removeChunks(batch.id, batch.chunks);
    return committed;
  }

  /** Forgets which sources were taken before `atMs`: they would be taken again, and nothing of them is left. */
  async forgetTaken(atMs: number): Promise<Result<void, string>> {
    for (let after = ""; ; ) {
      const page = await this.#state.list(takenPrefix, pageMax, after);
      if (!page.ok) return err(sentence(page.error));
      for (const { key, value } of page.value)
        if (Number(value["atMs"]) < atMs) {
          const spans = value["spans"] as SpansTaken | undefined;
          await forgetCounted(this.#state, key.slice(takenPrefix.length), spans?.chunks ?? 0);
          await this.#put(key, null);
        }
      const last = page.value.at(-1);
      if (last === undefined || page.value.length < pageMax) return ok(undefined);
      after = last.key;
    }
  }

  async #readEach(
    batches: readonly Batch[],
    progress: (done: number, of: number) => void,
  ): Promise<Result<ModelEvent[] | undefined, string>> {
    const all: ModelEvent[] = [];
    for (const [at, batch] of batches.entries()) {
      const events = await this.read(batch);
      if (!events.ok) return events;
      if (events.value === undefined) return ok(undefined);
      for (const event of events.value) all.push(event);
      progress(at + 1, batches.length);
    }
    return ok(all);
  }

  /** Chunks are missing: of a batch that is no more that is well, of one that still is it is damage. */
  async #isGone(batch: Batch): Promise<Result<undefined, string>> {
    const present = await this.#isThere(batchPrefix + batch.id);
    if (!present.ok) return present;
    return present.value
      ? err(
          `batch ${batch.id} (${batch.source}) has lost events in the store; remove it and ingest its source again`,
        )
      : ok(undefined);
  }

  async #isThere(key: string): Promise<Result<boolean, string>> {
    const read = await this.#state.read([key]);
    return read.ok ? ok(read.value.size > 0) : err(sentence(read.error));
  }

  async #put(key: string, value: JsonObject | null): Promise<Result<void, StateError>> {
    return await this.#state.transact([key], () => ({
      writes: new Map([[key, value]]),
      result: undefined,
    }));
  }

  /** What cannot be removed stays as chunks that no batch names. */
  async #removeChunks(id: string, chunks: number): Promise<void> {
    for (let at = 0; at < chunks; at++) await this.#put(chunkKey(id, at), null);
  }
}

function chunkKey(id: string, at: number): string {
  return `${chunkPrefix}${id}/${String(at).padStart(6, "0")}`;
}

/** As many events to a chunk as fit; each is looked at before any is written. */
function chunksOf(events: readonly ModelEvent[]): Result<readonly JsonValue[][], string> {
  const chunks: JsonValue[][] = [];
  let room = 0;
  for (const [at, event] of events.entries()) {
    const fault = faultOf(event);
    if (fault !== undefined)
      return err(`event ${at} (${event.type}, ${event.origin.reference}): ${fault}`);
    const value = event as unknown as JsonValue;
    const size = canonicalJson(value).length;
    if (size > eventBytesMax)
      return err(
        `event ${at} (${event.type}, ${event.origin.reference}): ${size} characters; ${eventBytesMax} are kept`,
      );
    if (size > room) {
      chunks.push([]);
      room = eventBytesMax;
    }
    room -= size;
    chunks.at(-1)?.push(value);
  }
  return ok(chunks);
}

function eventsIn(value: JsonObject): readonly ModelEvent[] {
  const events = value["events"];
  return Array.isArray(events) ? (events as unknown as readonly ModelEvent[]) : [];
}

function readBatch(value: JsonObject): Batch | undefined {
  const { id, source, chunks, events, writtenAtMs } = value;
  if (typeof id !== "string" || typeof source !== "string") return undefined;
  if (![chunks, events, writtenAtMs].every((each) => typeof each === "number")) return undefined;
  return value as unknown as Batch;
}

function sentence({ kind, detail }: StateError): string {
  return `the store is ${kind}: ${detail}`;
}
