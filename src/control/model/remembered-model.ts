/** The graph of what is stored and not yet to be forgotten, kept up with the store. */
import { err, ok, type Result, sha256Hex } from "../../kernel/index.ts";
import {
  Graph,
  type ModelEvent,
  type Remembrance,
  rememberedKinds,
  retained,
} from "../../model/index.ts";
import type { Batch, ModelLog } from "./model-log.ts";

/** More batches than this are merged: reading many small ones costs more than writing one anew. */
const batchesMax = 128;
/** So many are left then, the large ones each for itself. */
const batchesLeft = 32;

export interface Refreshed {
  readonly batches: number;
  readonly events: number;
}

export class RememberedModel {
  readonly #log: ModelLog;
  readonly #rules: Remembrance;
  #graph = new Graph();
  #read: ReadonlySet<string> = new Set();

  constructor(log: ModelLog, rules: Remembrance) {
    this.#log = log;
    this.#rules = rules;
  }

  /** As of the last `refresh`. */
  get graph(): Graph {
    return this.#graph;
  }

  /**
   * Reads what is new. Where batches were merged, all of it is read again, and what is to be forgotten by `nowMs` is left
   * out; the graph of before stays whole for who is looking at it.
   */
  async refresh(
    nowMs: number,
    progress?: (done: number, of: number) => void,
  ): Promise<Result<Refreshed, string>> {
    const batches = await this.#log.batches();
    if (!batches.ok) return batches;
    this.#takeMerged(batches.value);
    const names = new Set(batches.value.map(({ id }) => id));
    const isReplaced = [...this.#read].some((id) => !names.has(id));
    if (isReplaced || this.#read.size === 0) return await this.#readAnew(nowMs, progress);
    for (const batch of batches.value.filter(({ id }) => !this.#read.has(id))) {
      const events = await this.#log.read(batch);
      if (!events.ok) return events;
      if (events.value === undefined) return await this.#readAnew(nowMs, progress);
      // Which facts are still in force is seen only among all of them, when all are read.
      const isFact = ({ type }: ModelEvent): boolean => type === "node" || type === "edge";
      const facts = events.value.filter(
        (event) => isFact(event) && this.#rules[event.type].remember,
      );
      this.#graph.add(facts);
      this.#graph.add(
        retained(
          events.value.filter((event) => !isFact(event)),
          this.#rules,
          nowMs,
        ),
      );
      this.#read = new Set([...this.#read, batch.id]);
    }
    return ok({ batches: this.#read.size, events: this.#graph.eventCount });
  }

  /** A batch that holds what was read, and nothing else, need not be read. */
  #takeMerged(batches: readonly Batch[]): void {
    for (const { id, merges } of batches)
      if (merges?.every((each) => this.#read.has(each)) === true)
        this.#read = new Set([id, ...[...this.#read].filter((each) => !merges.includes(each))]);
  }

  async #readAnew(
    nowMs: number,
    progress?: (done: number, of: number) => void,
  ): Promise<Result<Refreshed, string>> {
    const all = await this.#log.readAll(progress);
    if (!all.ok) return all;
    this.#graph = new Graph();
    this.#graph.add(retained(all.value.events, this.#rules, nowMs));
    this.#read = new Set(all.value.batches.map(({ id }) => id));
    return ok({ batches: this.#read.size, events: this.#graph.eventCount });
  }
}

export interface Forgotten {
  readonly before: number;
  readonly after: number;
}

/** Removes from the store what is to be forgotten by `nowMs`, and what is there twice. Nothing else changes. */
export async function forget(
  log: ModelLog,
  rules: Remembrance,
  nowMs: number,
): Promise<Result<Forgotten, string>> {
  const all = await log.readAll();
  if (!all.ok) return all;
  const { batches, events } = all.value;
  const before = batches.reduce((sum, batch) => sum + batch.events, 0);
  const graph = new Graph();
  graph.add(retained(events, rules, nowMs));
  const left = [...graph.events()];
  if (left.length < before || batches.length > batchesMax) {
    const replaced = await log.replace(batches, { ...named(batches, nowMs), events: left });
    if (!replaced.ok) return replaced;
    if (replaced.value === "moved") return err("another process merged the stored model meanwhile");
  }
  const keepMs = Math.max(...rememberedKinds.map((kind) => rules[kind].keepMs));
  const taken = await log.forgetTaken(nowMs - keepMs);
  return taken.ok ? ok({ before, after: left.length }) : taken;
}

/** Puts many small batches together, as they are; nothing is forgotten. False: there is no need to. */
export async function mergeSmall(
  log: ModelLog,
  batches: readonly Batch[],
  nowMs: number,
): Promise<Result<boolean, string>> {
  if (!isScattered(batches)) return ok(false);
  const small = batches
    .toSorted((a, b) => a.events - b.events)
    .slice(0, batches.length - batchesLeft);
  const graph = new Graph();
  for (const batch of small) {
    const events = await log.read(batch);
    if (!events.ok) return events;
    if (events.value === undefined) return ok(false);
    graph.add(events.value);
  }
  const merges = small.map(({ id }) => id);
  const replaced = await log.replace(small, {
    ...{ ...named(small, nowMs), events: [...graph.events()], merges },
  });
  return replaced.ok ? ok(replaced.value === "replaced") : replaced;
}

/** Whether there are so many batches that `forget` should merge them. */
export function isScattered(batches: readonly Batch[]): boolean {
  return batches.length > batchesMax;
}

function named(batches: readonly Batch[], nowMs: number): { id: string; source: string } {
  const names = batches.map(({ id }) => id).join(" ");
  return { id: `merged-${sha256Hex(`${nowMs} ${names}`)}`, source: "merged" };
}
