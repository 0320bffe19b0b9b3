/**
 * What was told, in the store, and the lease of the one process that tells. Every change is one transaction that checks the
 * lease: whoever lost it changes nothing any more.
 */
import {
  type Approval,
  approvalIn,
  approvalKeys,
  approvalWrites,
  openPrefix,
  presently,
  readApproval,
  turnedDown,
} from "../../approvals/index.ts";
import { canonicalJson, type JsonObject } from "../../kernel/index.ts";
import type { Log, StoredValue, StoreWrites } from "../../ports.ts";
import type { SharedState } from "../../state/index.ts";
import { type HeldDrills, heldDrillsPrefix, readHeldDrills } from "./held-drills.ts";
import {
  type Message,
  messageJson,
  messageKey,
  messagesPrefix,
  namesApprovals,
  readMessage,
} from "./message.ts";

const leaderKey = "notice/leader";
/** Another process takes over after it. */
const leaseMs = 8_000;
const page = 500;
/** What is beyond is a flood, and in no message. */
const valuesMax = 5_000;

export interface ToldStoreParts {
  readonly state: SharedState;
  readonly log: Log;
  readonly run: string;
}

type Changed = Pick<Message, "channel" | "id"> & { readonly message: Message | null };

export interface Told {
  readonly messages: readonly Message[];
  /** By id, as they are at this moment: open ones, and those that messages name. */
  readonly approvals: ReadonlyMap<string, Approval>;
  readonly drills: readonly HeldDrills[];
}

interface Owed {
  readonly message: Message;
  /** What lies in the store as long as nobody else has changed it. */
  readonly over: string;
}

export class ToldStore {
  readonly #parts: ToldStoreParts;
  /** What was told and the store could not be told of yet: told again by nobody while this process lives. */
  readonly #owed = new Map<string, Owed>();
  #isLeading = false;

  constructor(parts: ToldStoreParts) {
    this.#parts = parts;
  }

  get isLeading(): boolean {
    return this.#isLeading;
  }

  /** The time on the store's clock while this process is the one that tells; undefined while another is, or nobody can be. */
  async lead(): Promise<number | undefined> {
    const { state, run, log } = this.#parts;
    const led = await state.transact([leaderKey], (values, nowMs) => {
      const stored = values.get(leaderKey);
      const until = Number(stored?.["until_ms"] ?? 0);
      // A clock that jumped back must not leave everybody waiting for it.
      const isTaken = stored !== undefined && stored["run"] !== run && nowMs < until;
      if (isTaken && until - nowMs <= leaseMs) return { writes: new Map(), result: undefined };
      const isFresh =
        stored?.["run"] === run && until - nowMs > leaseMs / 2 && until - nowMs <= leaseMs;
      if (isFresh) return { writes: new Map(), result: nowMs };
      const lease = { run, until_ms: nowMs + leaseMs };
      return { writes: new Map([[leaderKey, lease]]), result: nowMs };
    });
    const nowMs = led.ok ? led.value : undefined;
    if (!led.ok && this.#isLeading) log.write("error", "notices_store_away", { ...led.error });
    if (nowMs !== undefined && !this.#isLeading) log.write("info", "notices_leading", { run });
    this.#isLeading = nowMs !== undefined;
    return nowMs;
  }

  async resign(): Promise<void> {
    const { state, run } = this.#parts;
    await state.transact([leaderKey], (values) => ({
      writes: values.get(leaderKey)?.["run"] === run ? new Map([[leaderKey, null]]) : new Map(),
      result: undefined,
    }));
  }

  /** Undefined when the store cannot be read: then nothing is known, and nothing is done. */
  async told(nowMs: number): Promise<Told | undefined> {
    const stored = await this.#list(messagesPrefix);
    const open = stored && (await this.#list(openPrefix));
    const held = open && (await this.#list(heldDrillsPrefix));
    if (stored === undefined || open === undefined || held === undefined) return undefined;
    const there = new Set(stored.map(({ key }) => key));
    for (const key of this.#owed.keys()) if (!there.has(key)) this.#owed.delete(key);
    const messages = stored.flatMap(({ key, value }) => this.#known(key, readMessage(value)));
    const approvals = new Map<string, Approval>();
    const add = (approval: Approval | undefined): void => {
      if (approval !== undefined) approvals.set(approval.id, presently(approval, nowMs));
    };
    for (const { value } of open) add(readApproval(value));
    const named = messages.filter(namesApprovals).flatMap((each) => each.approvals);
    const ended = await this.#read(named.filter((id) => !approvals.has(id)));
    for (const each of ended ?? []) add(each);
    const drills = held.flatMap(({ value }) => readHeldDrills(value) ?? []);
    return ended && { messages, approvals, drills };
  }

  /** What this process told goes before what it could write down; what another has written since goes before both. */
  #known(key: string, stored: Message | undefined): readonly Message[] {
    const owed = this.#owed.get(key);
    if (stored !== undefined && owed?.over === textOf(stored)) return [owed.message];
    this.#owed.delete(key);
    return stored === undefined ? [] : [stored];
  }

  async #list(prefix: string): Promise<readonly StoredValue[] | undefined> {
    const all: StoredValue[] = [];
    for (let after = ""; all.length < valuesMax; ) {
      const listed = await this.#parts.state.list(prefix, page, after);
      if (!listed.ok) return undefined;
      all.push(...listed.value);
      const last = listed.value.at(-1);
      if (last === undefined || listed.value.length < page) break;
      after = last.key;
    }
    return all;
  }

  async #read(ids: readonly string[]): Promise<readonly Approval[] | undefined> {
    const keys = [...new Set(ids)].map(approvalKeys);
    if (keys.length === 0) return [];
    const read = await this.#parts.state.read(keys.flatMap(({ open, closed }) => [open, closed]));
    if (!read.ok) return undefined;
    return keys.flatMap((each) => approvalIn(read.value, each) ?? []);
  }

  /** False when this process is not the one that tells any more, or the store cannot be told. */
  async commit({ channel, id, message }: Changed): Promise<boolean> {
    const { state, run, log } = this.#parts;
    const key = messageKey({ channel, id });
    const done = await state.transact([leaderKey, key], (values) => {
      const isOurs = values.get(leaderKey)?.["run"] === run;
      const value: JsonObject | null = message === null ? null : messageJson(message);
      const writes: StoreWrites = isOurs ? new Map([[key, value]]) : new Map();
      return { writes, result: isOurs };
    });
    if (!done.ok) log.write("error", "notice_not_stored", { channel, id, ...done.error });
    return done.ok && done.value;
  }

  /** After people were told: what cannot be written over `stored` now is owed, and goes before it. */
  async commitTold(stored: Message, message: Message): Promise<void> {
    if (await this.commit({ ...message, message })) return;
    this.#owed.set(messageKey(message), { message, over: textOf(stored) });
  }

  /** False while something is owed to this channel: what comes next would be built on it. */
  async payOwed(channel: string): Promise<boolean> {
    let isPaid = true;
    for (const [key, { message }] of this.#owed) {
      if (message.channel !== channel) continue;
      if (await this.commit({ ...message, message })) this.#owed.delete(key);
      else isPaid = false;
    }
    return isPaid;
  }

  /** True when it was declined here, by nobody's vote. */
  async decline(id: string, because: string): Promise<boolean> {
    const keys = approvalKeys(id);
    const done = await this.#parts.state.transact([keys.open, keys.closed], (values, nowMs) => {
      const found = approvalIn(values, keys);
      const after = found && turnedDown(presently(found, nowMs), because, nowMs);
      const isChanged = after !== undefined && after.state === "declined" && after !== found;
      return { writes: isChanged ? approvalWrites(after) : new Map(), result: isChanged };
    });
    return done.ok && done.value;
  }
}

function textOf(message: Message): string {
  return canonicalJson(messageJson(message));
}
