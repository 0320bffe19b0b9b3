/** Passes an upstream's messages to the client as they are, but for the answers somebody waits to rewrite. */
import { sliceJson } from "../../kernel/index.ts";
import type { HttpResponse } from "../../ports.ts";
import type { Outlet } from "./outlet.ts";
import { sseEvents, withData } from "./sse.ts";

/** Gets the final message as it came and gives what the client is sent; runs once. */
export type Rewrite = (message: Uint8Array) => Promise<Uint8Array>;

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
    if (id === undefined || sliceJson(message, ["method"]) !== undefined) return undefined;
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
 */
export async function pumpEvents(
  response: HttpResponse,
  outlet: Outlet,
  open: OpenRequests,
  eventBytesMax: number,
): Promise<Pumped> {
  let resumable = false;
  for await (const event of sseEvents(response.body, eventBytesMax)) {
    resumable ||= event.id !== undefined && event.id !== "";
    const message = event.data === undefined ? undefined : encoder.encode(event.data);
    const rewrite = message === undefined ? undefined : open.take(message);
    const bytes =
      message === undefined || rewrite === undefined
        ? event.raw
        : withData(event, decoder.decode(await rewrite(message)));
    await outlet.write(bytes);
    if (resumable && outlet.closed) break;
  }
  return { resumable };
}
