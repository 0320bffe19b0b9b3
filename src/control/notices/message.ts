/** What was told where, as it lies in the store: so that a restart, or a second control process, tells nothing twice. */
import { isJsonObject, type JsonObject } from "../../kernel/index.ts";
import { exponentialMs } from "../../limits/index.ts";
import type { Notice, NoticePlace, NotifyError } from "../../ports.ts";
import { fingerprint } from "./notice-of.ts";

export const messagesPrefix = "notice/open/";

export interface Message {
  readonly v: 1;
  readonly id: string;
  readonly channel: string;
  readonly kind: Notice["kind"];
  /** Ids; of a flood those that were over when it was last looked at, the oldest of them. */
  readonly approvals: readonly string[];
  readonly flood: {
    readonly tenant: string | null;
    readonly agent: string | null;
    readonly max: number;
    readonly count: number;
  } | null;
  /** Drills that are overdue: each with the moment since when, null if it was never held. */
  readonly drills?: {
    readonly deployment: string;
    readonly overdue: readonly { readonly scenario: string; readonly due_ms: number | null }[];
  };
  readonly is_escalation: boolean;
  readonly first_ms: number;
  /** Set before the first message is sent: a run that died may have sent it, and the next one sends it again by the same id. */
  readonly sending_by: string | null;
  /** Null until it is delivered. */
  readonly place: JsonObject | null;
  /** Fingerprint of the notice as people see it. */
  readonly shown: string | null;
  /** When it last made a noise. */
  readonly noise_ms: number;
  readonly reminders: number;
  /** People were told how it ended, where that is told by a message of its own. */
  readonly announced: boolean;
  /** Tries that failed since one succeeded. */
  readonly failures: number;
  readonly not_before_ms: number;
  readonly error: string | null;
}

export function messageKey({ channel, id }: Pick<Message, "channel" | "id">): string {
  return `${messagesPrefix}${encodeURIComponent(channel)}/${encodeURIComponent(id)}`;
}

type First = Pick<
  Message,
  "id" | "channel" | "kind" | "approvals" | "flood" | "drills" | "is_escalation"
>;

export function firstMessage(first: First, nowMs: number): Message {
  return {
    ...{ v: 1, ...first, first_ms: nowMs, sending_by: null, place: null, shown: null },
    ...{ noise_ms: nowMs, reminders: 0, announced: false },
    ...{ failures: 0, not_before_ms: 0, error: null },
  };
}

export function readMessage(stored: JsonObject | undefined): Message | undefined {
  if (stored?.["v"] !== 1 || typeof stored["id"] !== "string") return undefined;
  const { place, approvals } = stored;
  if (!Array.isArray(approvals) || (place !== null && !isJsonObject(place))) return undefined;
  return stored as unknown as Message;
}

/** A flood names questions that it is told instead of, and drills are no questions. */
export function namesApprovals({ kind }: Message): boolean {
  return kind === "question" || kind === "digest";
}

export function messageJson(message: Message): JsonObject {
  return message as unknown as JsonObject;
}

export type Telling = "deliver" | "update" | "remind";

const again = { baseMs: 1_000, maxMs: 300_000 };
/** Somebody has to change something first. */
const refusedAgainMs = 60_000;

/** A reminder is counted before it is sent: one too few is better than one each second. */
export function claimedNoise(
  message: Message,
  how: Telling,
  notice: Notice,
  nowMs: number,
): Message {
  if (how !== "remind") return message;
  const { reminders } = message;
  return notice.status === "open"
    ? { ...message, noise_ms: nowMs, reminders: reminders + 1 }
    : { ...message, announced: true };
}

/** Once people were told. */
export function toldAs(
  message: Message,
  notice: Notice,
  place: NoticePlace,
  how: Telling,
  nowMs: number,
): Message {
  const isNoise = how === "deliver" || message.kind === "flood";
  const well = { sending_by: null, failures: 0, not_before_ms: 0, error: null };
  return {
    ...{ ...message, ...well, place },
    shown: how === "remind" ? message.shown : fingerprint(notice),
    noise_ms: isNoise ? nowMs : message.noise_ms,
  };
}

/** Once they were not: again later, and ever more rarely. */
export function failed(
  message: Message,
  { kind, detail, retryAfterMs = 0 }: NotifyError,
  nowMs: number,
): Message {
  const failures = message.failures + 1;
  const waitMs = Math.max(
    exponentialMs(again, failures),
    kind === "refused" ? refusedAgainMs : 0,
    retryAfterMs,
  );
  const error = `${kind}: ${detail}`;
  return { ...message, sending_by: null, failures, not_before_ms: nowMs + waitMs, error };
}
