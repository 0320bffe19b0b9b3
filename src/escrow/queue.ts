/**
 * The queue as changes of stored values: what an item's step reads, and what it writes. Everything beside the item itself
 * (the order of release, who holds the lane, how much is held) follows from its state, so the two never differ.
 */
import { err, isJsonObject, type JsonObject, ok, type Result } from "../kernel/index.ts";
import { type Draft, type EscrowItem, isClosed, itemJson, readItem, type Word } from "./item.ts";
import {
  agentUsageKey,
  bindingKey,
  closedKey,
  laneKey,
  queueKey,
  releasedKey,
  unrecordedKey,
  usageKey,
} from "./keys.ts";
import { queued, type Step } from "./life.ts";

type Values = ReadonlyMap<string, JsonObject>;

export interface Change<T> {
  readonly writes: ReadonlyMap<string, JsonObject | null>;
  readonly result: T;
}

/** How much may be held: writes, and bytes of their arguments. */
export interface EscrowBounds {
  readonly itemsMax: number;
  readonly bytesMax: number;
  readonly itemsPerAgentMax: number;
  readonly bytesPerAgentMax: number;
}

export type Held =
  | { readonly kind: "queued"; readonly item: EscrowItem }
  /** The same write is held already, as `id`; asked for `asks` times now. */
  | { readonly kind: "again"; readonly id: string; readonly asks: number }
  /** Nothing was held: a bound is reached, told in a sentence. */
  | { readonly kind: "full"; readonly detail: string };

interface Usage {
  readonly items: number;
  readonly bytes: number;
}

/** What `hold` reads and writes. */
export function holdKeys(draft: Draft): readonly string[] {
  const { id, upstream, tenant, agent } = draft;
  const usage = [usageKey, agentUsageKey(tenant, agent)];
  return [queueKey(id), laneKey(upstream), bindingKey(draft), ...usage];
}

/** Puts a write at the end of its upstream's lane, once, if there is room. */
export function hold(
  values: Values,
  draft: Draft,
  bounds: EscrowBounds,
  nowMs: number,
): Change<Held> {
  const binding = bindingKey(draft);
  const before = values.get(binding);
  const known = before?.["id"];
  if (typeof known === "string") {
    const asks = countOf(before, "asks") + 1;
    const writes = new Map([[binding, { id: known, asks }]]);
    return { writes, result: { kind: "again", id: known, asks } };
  }
  const bytes = Buffer.byteLength(JSON.stringify([draft.args, draft.carry]));
  const full = fullness(values, draft, bounds, bytes);
  if (full !== undefined) return { writes: new Map(), result: { kind: "full", detail: full } };
  const lane = readLane(values.get(laneKey(draft.upstream)));
  const item = queued(draft, lane.seq + 1, bytes, nowMs);
  const writes = new Map<string, JsonObject | null>([
    [queueKey(item.id), itemJson(item)],
    [laneKey(item.upstream), laneJson({ ...lane, seq: item.seq })],
    [binding, { id: item.id, asks: 1 }],
  ]);
  for (const key of usageKeys(item)) writes.set(key, counted(values.get(key), 1, bytes));
  return { writes, result: { kind: "queued", item } };
}

function fullness(
  values: Values,
  { tenant, agent }: Draft,
  bounds: EscrowBounds,
  bytes: number,
): string | undefined {
  const all = usageOf(values.get(usageKey));
  const own = usageOf(values.get(agentUsageKey(tenant, agent)));
  if (own.items >= bounds.itemsPerAgentMax)
    return `${agent} has ${own.items} writes in escrow already (limits.escrow_items_per_agent_max)`;
  if (own.bytes + bytes > bounds.bytesPerAgentMax)
    return `the arguments of ${agent} in escrow would be over ${bounds.bytesPerAgentMax} bytes (limits.escrow_bytes_per_agent_max)`;
  if (all.items >= bounds.itemsMax)
    return `${all.items} writes are in escrow already (limits.escrow_items_max)`;
  return all.bytes + bytes > bounds.bytesMax
    ? `the arguments in escrow would be over ${bounds.bytesMax} bytes (limits.escrow_bytes_max)`
    : undefined;
}

/** What `step` reads and writes of an item. */
export function itemKeys(item: EscrowItem): readonly string[] {
  return [
    ...[queueKey(item.id), closedKey(item.id), laneKey(item.upstream), releasedKey(item)],
    ...[bindingKey(item), ...usageKeys(item)],
  ];
}

/** A step that a person took is also left for a gateway to record; its key must be named too (`unrecordedKey`). */
export interface PersonsStep {
  readonly step: "released" | "discarded" | "settled";
  readonly word: Word;
}

/**
 * One step of the item `id`, which must lie in the queue. `take` sees the item and, for a claim, who has the lane of its
 * upstream: one write of an upstream is in hand at a time, or there would be no order.
 */
export function step(
  values: Values,
  of: EscrowItem,
  take: (item: EscrowItem, lane: Lane) => Step,
  said?: PersonsStep,
): Change<Step> {
  const item = readItem(values.get(queueKey(of.id)));
  const refuse = (why: string): Change<Step> => ({ writes: new Map(), result: err(why) });
  if (item === undefined) {
    const over = readItem(values.get(closedKey(of.id)));
    return refuse(`${of.id} is ${over?.state ?? "not in escrow"}${over ? "; that is final" : ""}`);
  }
  const lane = readLane(values.get(laneKey(item.upstream)));
  const taken = take(item, lane);
  if (!taken.ok) return { writes: new Map(), result: taken };
  const after = taken.value;
  const writes = new Map<string, JsonObject | null>([
    [laneKey(item.upstream), laneJson(laneAfter(lane, after))],
    [releasedKey(item), after.state === "released" ? releasedJson(after) : null],
  ]);
  if (isClosed(after)) close(values, item, after, writes);
  else writes.set(queueKey(after.id), itemJson(after));
  if (said !== undefined) writes.set(unrecordedKey(after), unrecordedJson(after, said));
  return { writes, result: ok(after) };
}

function close(
  values: Values,
  item: EscrowItem,
  after: EscrowItem,
  writes: Map<string, JsonObject | null>,
): void {
  writes.set(queueKey(item.id), null);
  writes.set(closedKey(item.id), itemJson(after));
  if (values.get(bindingKey(item))?.["id"] === item.id) writes.set(bindingKey(item), null);
  for (const key of usageKeys(item)) writes.set(key, counted(values.get(key), -1, -item.bytes));
}

function releasedJson({ id, not_before_ms }: EscrowItem): JsonObject {
  return { id, not_before_ms };
}

function unrecordedJson(item: EscrowItem, { step: taken, word }: PersonsStep): JsonObject {
  const { id, version, tenant, agent, tool, args_digest, state } = item;
  return { step: taken, id, version, tenant, agent, tool, args_digest, state, ...word };
}

/** One upstream's order. `holder` is its one item that is being carried out, or of which nobody knows. */
export interface Lane {
  readonly seq: number;
  /** Counts the changes of `holder`. */
  readonly turn: number;
  readonly holder: Holder | null;
}

export interface Holder {
  readonly id: string;
  readonly state: "executing" | "unknown";
  readonly call: string;
  readonly instance: string;
  readonly log: string;
  readonly run: string;
}

export function readLane(stored: JsonObject | undefined): Lane {
  const holder = stored?.["holder"];
  return {
    seq: countOf(stored, "seq"),
    turn: countOf(stored, "turn"),
    holder: isJsonObject(holder) ? (holder as unknown as Holder) : null,
  };
}

function laneJson({ seq, turn, holder }: Lane): JsonObject {
  return { seq, turn, holder: holder === null ? null : { ...holder } };
}

function laneAfter(lane: Lane, after: EscrowItem): Lane {
  const { id, state, claim } = after;
  const turn = lane.turn + 1;
  if ((state === "executing" || state === "unknown") && claim !== null) {
    const { call, instance, log, run } = claim;
    return { ...lane, turn, holder: { id, state, call, instance, log, run } };
  }
  return lane.holder?.id === id ? { ...lane, turn, holder: null } : lane;
}

/**
 * The lane is free, and nobody had it since it was read in `turn`: what was first then is first now. The error says who
 * has it, or had.
 */
export function laneFree({ holder, turn }: Lane, readTurn: number): Result<undefined, string> {
  if (holder !== null) return err(`${holder.id} is ${holder.state} (${holder.instance})`);
  return turn === readTurn ? ok(undefined) : err("another item was in hand meanwhile");
}

function usageKeys({ tenant, agent }: EscrowItem): readonly string[] {
  return [usageKey, agentUsageKey(tenant, agent)];
}

export function usageOf(stored: JsonObject | undefined): Usage {
  return { items: countOf(stored, "items"), bytes: countOf(stored, "bytes") };
}

/** Nothing held is nothing stored. */
function counted(stored: JsonObject | undefined, items: number, bytes: number): JsonObject | null {
  const before = usageOf(stored);
  const after = { items: before.items + items, bytes: before.bytes + bytes };
  return after.items <= 0 ? null : after;
}

function countOf(stored: JsonObject | undefined, field: string): number {
  const value = stored?.[field];
  return typeof value === "number" ? value : 0;
}
