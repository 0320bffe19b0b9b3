/** Held writes as people see and change them. */
import { systemClock } from "../adapters/clock/index.ts";
import {
  closedKey,
  closedPrefix,
  type EscrowItem,
  itemKeys,
  type PersonsStep,
  queueKey,
  queuePrefix,
  readItem,
  step,
  unrecordedKey,
} from "../escrow/index.ts";
import { err, type JsonObject, ok, type Result } from "../kernel/index.ts";
import type { SharedState, StateError } from "../state/index.ts";

const pageMax = 200;
const itemsMax = 100_000;

/** Every open item, or every closed one, in the order of their upstreams. */
export async function itemsOf(
  state: SharedState,
  which: "open" | "closed",
): Promise<Result<readonly EscrowItem[], string>> {
  const prefix = which === "open" ? queuePrefix : closedPrefix;
  const items: EscrowItem[] = [];
  for (let after = ""; items.length < itemsMax; ) {
    const listed = await state.list(prefix, pageMax, after);
    if (!listed.ok) return err(unreachable(listed.error));
    for (const { key, value } of listed.value) {
      const item = readItem(value);
      if (item === undefined) return err(`${key} was written by another version of Holdfast`);
      items.push(item);
    }
    const last = listed.value.at(-1);
    if (last === undefined || listed.value.length < pageMax) break;
    after = last.key;
  }
  return ok(items.sort((a, b) => a.upstream.localeCompare(b.upstream) || a.seq - b.seq));
}

/** The item of this id, open or over. */
export async function itemOf(state: SharedState, id: string): Promise<Result<EscrowItem, string>> {
  const read = await state.read([queueKey(id), closedKey(id)]);
  if (!read.ok) return err(unreachable(read.error));
  const stored = read.value.get(queueKey(id)) ?? read.value.get(closedKey(id));
  if (stored === undefined) return err(`${id} is not in escrow`);
  const item = readItem(stored);
  return item === undefined ? err(`${id} was written by another version of Holdfast`) : ok(item);
}

/** A person's step on an item; what a gateway is to record of it lies beside it in the same transaction. */
export async function take(
  state: SharedState,
  item: EscrowItem,
  said: Omit<PersonsStep, "word"> & { readonly by: string; readonly reason: string },
  change: (item: EscrowItem, nowMs: number) => Result<EscrowItem, string>,
): Promise<Result<EscrowItem, string>> {
  const next = unrecordedKey({ ...item, version: item.version + 1 });
  const done = await state.transact([...itemKeys(item), next], (values, nowMs) => {
    const word = { by: said.by, reason: said.reason.trim(), at_ms: nowMs };
    return step(
      values,
      item,
      (now) =>
        now.version === item.version
          ? change(now, nowMs)
          : err(`${now.id} has changed meanwhile: it is ${now.state} now; look at it again`),
      { step: said.step, word },
    );
  });
  if (done.ok) return done.value;
  return err(
    done.error.kind === "unknown"
      ? `the store did not answer, so it may or may not have changed: ${done.error.detail}; look with holdfast escrow show ${item.id}`
      : `${unreachable(done.error)}; nothing has changed`,
  );
}

function unreachable({ kind, detail }: StateError): string {
  return `the store is ${kind}: ${detail}`;
}

/** Everything but what may not be shown: the arguments stand in it as they stand in the record, redacted. */
export function shownJson(item: EscrowItem, withArguments: boolean): JsonObject {
  const { args, carry, met, ...shown } = item;
  return {
    ...(shown as unknown as JsonObject),
    ...(withArguments ? { args, carry } : {}),
  };
}

/** What an agent or an upstream said may hold terminal control characters. */
export function printable(text: string): string {
  return text.replace(/\p{C}/gu, "�");
}

/** `12 s`, `3 min`, `5 h`, `2 d`. */
export function age(sinceMs: number): string {
  const seconds = Math.max(0, Math.round((systemClock.wallMs() - sinceMs) / 1_000));
  if (seconds < 120) return `${seconds} s`;
  if (seconds < 7_200) return `${Math.round(seconds / 60)} min`;
  return seconds < 172_800
    ? `${Math.round(seconds / 3_600)} h`
    : `${Math.round(seconds / 86_400)} d`;
}
