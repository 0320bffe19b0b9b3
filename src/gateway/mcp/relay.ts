/** Passes an upstream's messages to the client as they are, but for the answers somebody waits to rewrite. */
import { sliceJson, spliceJson } from "../../kernel/index.ts";
import type { HttpResponse } from "../../ports.ts";
import type { Outlet } from "./outlet.ts";
import { type SseEvent, sseEvents, withData } from "./sse.ts";
import { contentTypeOf } from "./upstream.ts";

/** Gets the final message as it came and gives what the client is sent; runs once. */
export type Rewrite = (message: Uint8Array) => Promise<Uint8Array>;

/** Looks at a message of a stream. True: it was taken care of, and is not to be passed on. */
export type Screen = (
  message: Uint8Array,
  relay: (message: Uint8Array) => Promise<void>,
  ended: AbortSignal,
) => Promise<boolean>;

/**
 * A message that any reader takes for an answer: `result` or `error`, and no `method`. Reading a member calls one that
 * stands twice absent; writing it refuses.
 */
export function isAnswer(message: Uint8Array): boolean {
  const answers = [["result"], ["error"]] as const;
  if (!answers.some((path) => sliceJson(message, path) !== undefined)) return false;
  return sliceJson(message, ["method"]) === undefined && spliceJson(message, ["method"], "0").ok;
}

/** A body that a client would take for something else than an answer. */
export function isUnasked(response: HttpResponse, body: Uint8Array): boolean {
  const json = contentTypeOf(response) === "application/json";
  return json && response.status < 300 && body.length > 0 && !isAnswer(body);
}

/** Requests of one client session that wait for their answer, whichever stream it comes on. */
export class OpenRequests {
  readonly #rewrites = new Map<string, Rewrite>();
  readonly #cancels = new Map<string, () => void>();

  /**
   * False when the id is already waiting: JSON-RPC ids are unique within a session. `cancelled` is called when the
   * client says that it does not wait any more.
   */
  add(key: string, rewrite: Rewrite, cancelled?: () => void): boolean {
    if (this.#rewrites.has(key)) return false;
    this.#rewrites.set(key, rewrite);
    if (cancelled !== undefined) this.#cancels.set(key, cancelled);
    return true;
  }

  remove(key: string): void {
    this.#rewrites.delete(key);
    this.#cancels.delete(key);
  }

  cancel(key: string): void {
    this.#cancels.get(key)?.();
  }

  /** The rewrite for the request this message answers, or undefined. */
  take(message: Uint8Array): Rewrite | undefined {
    if (this.#rewrites.size === 0) return undefined;
    const id = sliceJson(message, ["id"]);
    if (id === undefined || !isAnswer(message)) return undefined;
    const key = decoder.decode(id);
    const rewrite = this.#rewrites.get(key);
    this.#rewrites.delete(key);
    return rewrite;
  }
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();

export interface Pumped {
  /** An event carried an id: the client may ask for the rest with `Last-Event-ID`. */
  readonly resumable: boolean;
}

/**
 * Copies an event stream to the outlet, event by event, until it ends. Throws what reading throws. The outlet stays
 * open. When the client leaves, reading goes on, unless the stream can be resumed: then the rest is for the resumption.
 * `screen` sees what the server says unasked.
 */
export async function pumpEvents(
  response: HttpResponse,
  outlet: Outlet,
  open: OpenRequests,
  eventBytesMax: number,
  screen: Screen,
): Promise<Pumped> {
  let resumable = false;
  const ended = new AbortController();
  try {
    for await (const event of sseEvents(response.body, eventBytesMax)) {
      resumable ||= event.id !== undefined && event.id !== "";
      await pass(event, outlet, open, (message) =>
        screen(
          message,
          (changed) => outlet.write(withData(event, decoder.decode(changed))),
          ended.signal,
        ),
      );
      if (resumable && outlet.closed) break;
    }
  } finally {
    ended.abort();
  }
  return { resumable };
}

async function pass(
  event: SseEvent,
  outlet: Outlet,
  open: OpenRequests,
  screened: (message: Uint8Array) => Promise<boolean>,
): Promise<void> {
  const message =
    event.data === undefined || event.data === "" ? undefined : encoder.encode(event.data);
  if (message === undefined) return await outlet.write(event.raw);
  const rewrite = open.take(message);
  if (rewrite === undefined) {
    if (!(await screened(message))) await outlet.write(event.raw);
    return;
  }
  const rewritten = await rewrite(message);
  await outlet.write(
    rewritten === message ? event.raw : withData(event, decoder.decode(rewritten)),
  );
}
