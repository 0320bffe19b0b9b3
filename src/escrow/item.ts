/**
 * A write that was held back: policy let it through, escrow kept it from the upstream, and a person says whether it is
 * carried out. Written as it is stored.
 */
import { isJsonArray, isJsonObject, type JsonObject, type JsonValue } from "../kernel/index.ts";

/**
 * `queued` → `released` (by a person) → `executing` (by one gateway) → `executed`, `failed`, or `unknown`: it may have
 * taken effect. `released` and `queued` again when nothing was sent. `discarded`: it never will be carried out.
 */
export type EscrowState =
  | "queued"
  | "released"
  | "executing"
  | "unknown"
  | "executed"
  | "failed"
  | "discarded";

/** What a call that is held back says of itself. `id` is its call id. */
export interface Draft {
  readonly id: string;
  readonly upstream: string;
  readonly tool: string;
  readonly face: string;
  readonly method: string;
  readonly tenant: string;
  readonly agent: string;
  readonly model: string | null;
  readonly principal: string | null;
  readonly delegation: readonly string[];
  /** Under which the upstream knows it, however often it is sent. */
  readonly idempotency_key: string;
  /** After obligations: exactly what would have been forwarded. */
  readonly args: JsonObject;
  readonly args_digest: string;
  readonly args_redacted: JsonObject;
  /** Obligations that `args` meets already. */
  readonly met: readonly JsonValue[];
  /** What else a face needs to send it, and policy to decide it anew. */
  readonly carry: JsonObject;
  /** The agent's own word for "this is the same write" (an `Idempotency-Key`), where it gave one. */
  readonly repeats: string | null;
  readonly risk: string;
  readonly policy_version: string;
  readonly determining_rules: readonly string[];
  /** Why writes are held back: whose word, and in a sentence. */
  readonly cause: Cause;
  /** The gateway that held it back. */
  readonly instance: string;
}

export interface Cause {
  readonly by: "switch" | "policy" | "breaker";
  readonly text: string;
}

/** Who has an item in hand: one run of one gateway, as the call `call`. */
export interface Claim {
  readonly call: string;
  readonly instance: string;
  /** Names the log that knows what became of the call: two gateways of one name have two logs. */
  readonly log: string;
  readonly run: string;
  readonly at_ms: number;
}

/** A word of a person on an item. */
export interface Word {
  readonly by: string;
  readonly reason: string;
  readonly at_ms: number;
}

export interface EscrowItem extends Omit<Draft, "args" | "carry"> {
  readonly v: 1;
  /** Grows with every change. */
  readonly version: number;
  readonly state: EscrowState;
  /** The order of the writes to one upstream. */
  readonly seq: number;
  /** Null once it is over: what is not needed any more is not kept. */
  readonly args: JsonObject | null;
  readonly carry: JsonObject | null;
  /** Of `args` and `carry`, while it is open. */
  readonly bytes: number;
  readonly queued_ms: number;
  readonly release: Word | null;
  /** How often it was tried since it was released. */
  readonly attempts: number;
  /** Not before this is it tried again. */
  readonly not_before_ms: number;
  /** Of the newest attempt, kept when it is over. */
  readonly claim: Claim | null;
  /** What happened last: why it waits again, why nobody knows, what the upstream said, why it was discarded. */
  readonly note: string | null;
  /** Who ended it, where that was a person. */
  readonly ended: Word | null;
  readonly closed_ms: number | null;
}

const states: ReadonlySet<unknown> = new Set<EscrowState>([
  "queued",
  "released",
  "executing",
  "unknown",
  "executed",
  "failed",
  "discarded",
]);

/** Over: nothing changes it any more. */
export function isClosed({ state }: Pick<EscrowItem, "state">): boolean {
  return state === "executed" || state === "failed" || state === "discarded";
}

/**
 * An item as it is stored; undefined for what this Holdfast did not write. The store gives back what was written, so the
 * check is for the form of another version.
 */
export function readItem(stored: JsonObject | undefined): EscrowItem | undefined {
  if (stored === undefined || stored["v"] !== 1 || !states.has(stored["state"])) return undefined;
  const texts = ["id", "upstream", "tool", "tenant", "agent", "idempotency_key", "args_digest"];
  if (!texts.every((name) => typeof stored[name] === "string")) return undefined;
  const { seq, version, claim, args, carry } = stored;
  if (!Number.isSafeInteger(seq) || !Number.isSafeInteger(version)) return undefined;
  if (claim !== null && !isJsonObject(claim)) return undefined;
  const whole = isJsonObject(args) && isJsonObject(carry) && isJsonArray(stored["met"]);
  return whole || args === null ? (stored as unknown as EscrowItem) : undefined;
}

export function itemJson(item: EscrowItem): JsonObject {
  return item as unknown as JsonObject;
}
