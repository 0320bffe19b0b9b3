/**
 * Which spans were counted, in the store: digests of 64 bits by batch, so that a trace that comes in parts, or a file that has
 * grown, is counted once. They are believed when their batch was taken, and forgotten with it.
 */
import { err, ok, type Result } from "../../kernel/index.ts";
import type { SharedState, StateError } from "../../state/index.ts";

const prefix = "model/spans/";
const takenPrefix = "model/taken/";
const keysPerChunk = 30_000;
const pageMax = 500;
const chunkPageMax = 16;

/** Of spans that began between these moments, both included. */
export interface CountedSpans {
  readonly keys: readonly string[];
  readonly fromAt: number;
  readonly toAt: number;
}

/** What a taken batch says of its spans. */
export interface SpansTaken {
  readonly chunks: number;
  readonly fromAt: number;
  readonly toAt: number;
}

/** Before the batch itself is committed. */
export async function writeCounted(
  state: SharedState,
  id: string,
  { keys, fromAt, toAt }: CountedSpans,
): Promise<Result<SpansTaken, StateError>> {
  let chunks = 0;
  for (let from = 0; from < keys.length; from += keysPerChunk) {
    const key = `${prefix}${id}/${String(chunks).padStart(6, "0")}`;
    const value = { keys: keys.slice(from, from + keysPerChunk).join(" ") };
    const wrote = await state.transact([key], () => ({
      writes: new Map([[key, value]]),
      result: undefined,
    }));
    if (!wrote.ok) return wrote;
    chunks += 1;
  }
  return ok({ chunks, fromAt, toAt });
}

/** Every span that was counted of a batch that has one of this time. The error is a sentence. */
export async function countedBetween(
  state: SharedState,
  fromAt: number,
  toAt: number,
): Promise<Result<ReadonlySet<string>, string>> {
  const found = new Set<string>();
  for (let after = ""; ; ) {
    const page = await state.list(takenPrefix, pageMax, after);
    if (!page.ok) return err(sentence(page.error));
    for (const { key, value } of page.value) {
      const spans = value["spans"] as SpansTaken | undefined;
      if (spans === undefined || spans.toAt < fromAt || spans.fromAt > toAt) continue;
      const read = await addKeys(state, key.slice(takenPrefix.length), found);
      if (!read.ok) return read;
    }
    const last = page.value.at(-1);
    if (last === undefined || page.value.length < pageMax) return ok(found);
    after = last.key;
  }
}

async function addKeys(
  state: SharedState,
  id: string,
  found: Set<string>,
): Promise<Result<void, string>> {
  for (let after = ""; ; ) {
    const page = await state.list(`${prefix}${id}/`, chunkPageMax, after);
    if (!page.ok) return err(sentence(page.error));
    for (const { value } of page.value)
      for (const key of String(value["keys"] ?? "").split(" ")) found.add(key);
    const last = page.value.at(-1);
    if (last === undefined || page.value.length < chunkPageMax) return ok(undefined);
    after = last.key;
  }
}

/** The chunks of a batch that is forgotten. */
export async function forgetCounted(state: SharedState, id: string, chunks: number): Promise<void> {
  for (let at = 0; at < chunks; at++) {
    const key = `${prefix}${id}/${String(at).padStart(6, "0")}`;
    await state.transact([key], () => ({ writes: new Map([[key, null]]), result: undefined }));
  }
}

function sentence({ kind, detail }: StateError): string {
  return `the store is ${kind}: ${detail}`;
}
