/** What was told where, as it lies in the store: so that a restart, or a second control process, tells nothing twice. */
import { isJsonObject, type JsonObject } from "../../kernel/index.ts";
import type { Notice } from "../../ports.ts";

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

type First = Pick<Message, "id" | "channel" | "kind" | "approvals" | "flood" | "is_escalation">;

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

export function messageJson(message: Message): JsonObject {
  return message as unknown as JsonObject;
}
