/** Passes an upstream's messages to the client as they are, but for the answers somebody waits to rewrite. */
import { hasMember, parseJsonStrict, sliceJson } from "../../../kernel/index.ts";
import { type HttpResponse, type TransportError, TransportFailure } from "../../../ports.ts";
import type { Outlet } from "../wire/outlet.ts";
import { type SseEvent, sseEvents, withData } from "../wire/sse.ts";

/** Gets the final message as it came and gives what the client is sent; runs once. */
export type Rewrite = (message: Uint8Array) => Promise<Uint8Array>;

/** Looks at a message of a stream. True: it was taken care of, and is not to be passed on. */
export type Screen = (
  message: Uint8Array,
  relay: (message: Uint8Array) => Promise<void>,
  ended: AbortSignal,
) => Promise<boolean>;

/** Event ids and questions kept for each session; older ones can no longer be resumed from, or answered. */
const keptMax = 1_000;

/** Requests of one client session that wait for their answer, whichever stream it comes on. */
export class OpenRequests {
  readonly #rewrites = new Map<string, Rewrite>();
  readonly #cancels = new Map<string, () => void>();
  readonly #eventIds = new Set<string>();
  readonly #questions = new Set<string>();

  /**
   * False when the id is already waiting: JSON-RPC ids are unique within a session, and two requests of one id could
   * take each other's answers. `cancelled` is called when the client says that it does not wait any more.
   */
  add(key: string, rewrite: Rewrite, cancelled?: () => void): boolean {
    if (this.#rewrites.has(key)) return false;
    this.#rewrites.set(key, rewrite);
    if (cancelled !== undefined) this.#cancels.set(key, cancelled);
    return true;
  }

  /** Takes back what `add` was given; an id that was used anew meanwhile stays. */
  remove(key: string, rewrite: Rewrite): void {
    const held = this.#rewrites.get(key);
    if (held !== undefined && held !== rewrite) return;
    this.#rewrites.delete(key);
    this.#cancels.delete(key);
  }

  cancel(key: string): void {
    this.#cancels.get(key)?.();
  }

  /** The rewrite for the request this message answers, or undefined. */
  take(message: Uint8Array): Rewrite | undefined {
    if (this.#rewrites.size === 0) return undefined;
    const key = answeredId(message);
    const rewrite = key === undefined ? undefined : this.#rewrites.get(key);
    if (key !== undefined) this.#rewrites.delete(key);
    return rewrite;
  }

  /** Notes an event id that was shown to this session. */
  shown(eventId: string): void {
    keep(this.#eventIds, eventId);
  }

  /** Notes a request of the server (elicitation, sampling, roots) that this session was sent. */
  asked(message: Uint8Array): void {
    const id = sliceJson(message, ["id"]);
    const key = id === undefined ? undefined : idText(id);
    if (key !== undefined && sliceJson(message, ["method"]) !== undefined)
      keep(this.#questions, key);
  }

  /** Whether the server waits for this answer of this session; once for each question. */
  mayAnswer(key: string): boolean {
    return this.#questions.delete(key);
  }

  /** Whether this session may ask for what follows the event (`Last-Event-ID`): only for what it was shown itself. */
  mayResume(eventId: string): boolean {
    return this.#eventIds.has(eventId);
  }
}

/** A message that any reader takes for an answer: `result` or `error`, and no `method`, not even one that stands twice. */
export function isAnswer(message: Uint8Array): boolean {
  const answers = [["result"], ["error"]] as const;
  return answers.some((path) => hasMember(message, path)) && !hasMember(message, ["method"]);
}

/** The id an answer is for, as `idKey` writes it, however its JSON spells it; undefined for what is no answer. */
export function answeredId(message: Uint8Array): string | undefined {
  const id = sliceJson(message, ["id"]);
  return id === undefined || !isAnswer(message) ? undefined : idText(id);
}

function idText(id: Uint8Array): string | undefined {
  const parsed = parseJsonStrict(id);
  return parsed.ok ? JSON.stringify(parsed.value) : undefined;
}

function keep(set: Set<string>, value: string): void {
  set.add(value);
  for (const oldest of set) {
    if (set.size <= keptMax) break;
    set.delete(oldest);
  }
}

/**
 * Whether a text is one JSON-RPC message whose kind is plain. What is not (a batch, a member that stands twice) could be
 * read as an answer by a client, past whoever waits to see it first.
 */
function isOneMessage(text: Uint8Array): boolean {
  return answeredId(text) !== undefined || sliceJson(text, ["method"]) !== undefined;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();

export interface Pumped {
  /** An event carried an id: the client may ask for the rest with `Last-Event-ID`. */
  readonly resumable: boolean;
}

/**
 * Copies an event stream to the outlet, event by event, until it ends. What answers no open request is seen by `screen`,
 * then by `otherwise`. Throws what reading throws. The outlet stays open. When the client leaves, reading goes on, unless
 * the stream can be resumed: then the rest is for the resumption.
 */
export async function pumpEvents(
  response: HttpResponse,
  outlet: Outlet,
  open: OpenRequests,
  eventBytesMax: number,
  otherwise: Rewrite,
  screen: Screen,
): Promise<Pumped> {
  let resumable = false;
  const ended = new AbortController();
  const screened = (event: SseEvent, message: Uint8Array): Promise<boolean> => {
    const relay = async (question: Uint8Array): Promise<void> => {
      open.asked(question);
      await outlet.write(withData(event, decoder.decode(question)));
    };
    return screen(message, relay, ended.signal);
  };
  let unseenBytes = 0;
  try {
    for await (const event of sseEvents(response.body, eventBytesMax)) {
      if (event.id !== undefined && event.id !== "") {
        resumable = true;
        open.shown(event.id);
      }
      if (outlet.closed) unseenBytes += event.raw.length;
      if (unseenBytes > eventBytesMax) throw new TransportFailure(unheard);
      const bytes = await rewritten(event, open, otherwise, screened);
      if (bytes !== undefined) await outlet.write(bytes);
      if (resumable && outlet.closed) break;
    }
  } finally {
    ended.abort();
  }
  return { resumable };
}

/** The client left and the server talks on: what its call comes to is waited for, but not through a flood. */
const unheard: TransportError = {
  kind: "unknown",
  reason: "too_large",
  detail: "the client is gone, and the server said too much without an answer",
};

const unreadable: TransportError = {
  kind: "unknown",
  reason: "broken",
  detail: "the server sent something that is not one JSON-RPC message",
};

/** What the client is sent for an event; undefined when it was taken care of. */
async function rewritten(
  event: SseEvent,
  open: OpenRequests,
  otherwise: Rewrite,
  screened: (event: SseEvent, message: Uint8Array) => Promise<boolean>,
): Promise<Uint8Array | undefined> {
  if (event.data === undefined || event.data.trim() === "") return event.raw;
  const message = encoder.encode(event.data);
  if (!isOneMessage(message)) throw new TransportFailure(unreadable);
  const rewrite = open.take(message);
  if (rewrite === undefined) {
    if (await screened(event, message)) return undefined;
    open.asked(message);
  }
  const changed = await (rewrite ?? otherwise)(message);
  return changed === message ? event.raw : withData(event, decoder.decode(changed));
}
