/** One legacy client session on one process, in the shape of Streamable HTTP: answers to POST, and the GET stream. */

import { sliceJson } from "../../../kernel/index.ts";
import type { Clock, LinePeer } from "../../../ports.ts";
import { emptyResponse, type FrontResponse } from "../../http-front.ts";
import type { RpcRequest } from "../wire/json-rpc.ts";
import { Outlet } from "../wire/outlet.ts";
import { sseMessage } from "../wire/sse.ts";
import { eventStreamHeaders } from "../wire/upstream.ts";
import { LineLink } from "./line-link.ts";

const decoder = new TextDecoder();
/** Messages kept for a client that has no stream open. The oldest goes first. */
const keptMax = 256;

/**
 * Sends a request and answers with JSON when the first thing that comes is the answer, with a stream otherwise. When
 * the client leaves a cancellable request, the server is told.
 */
export async function answerFrom(
  link: LineLink,
  message: RpcRequest,
  signal: AbortSignal,
  cancellable: boolean,
): Promise<FrontResponse> {
  const outlet = new Outlet(signal);
  const headers = { "content-type": "application/json" };
  const event = (line: Uint8Array): void => {
    outlet.begin(200, eventStreamHeaders);
    outlet.write(sseMessage(decoder.decode(line))).catch(() => undefined);
  };
  const key = await link.request(message, {
    event,
    final: (line) => {
      if (!outlet.streaming) {
        outlet.whole({ status: cancellable ? statusOf(line) : 200, headers, body: line });
        return;
      }
      event(line);
      outlet.end();
    },
    broken: (failure) => outlet.fail(failure),
  });
  if (cancellable)
    signal.addEventListener("abort", () => void link.cancel(key).catch(() => undefined), {
      once: true,
    });
  return await outlet.response;
}

/** The HTTP status the stateless era gives to errors of the protocol itself. */
const errorStatus: ReadonlyMap<string, number> = new Map([
  ["-32700", 400],
  ["-32600", 400],
  ["-32601", 404],
  ["-32020", 400],
  ["-32021", 400],
  ["-32022", 400],
]);

function statusOf(message: Uint8Array): number {
  const code = sliceJson(message, ["error", "code"]);
  return (code === undefined ? undefined : errorStatus.get(decoder.decode(code))) ?? 200;
}

export class LineSession {
  readonly #link: LineLink;
  readonly #clock: Clock;
  #stream: Outlet | undefined;
  #kept: Uint8Array[] = [];
  #usedMs: number;

  constructor(peer: LinePeer, clock: Clock, closed: (why: string) => void) {
    this.#clock = clock;
    this.#usedMs = clock.monotonicMs();
    this.#link = new LineLink(
      peer,
      {
        message: (line) => this.#unrelated(line),
        closed: (why) => {
          this.#stream?.end();
          closed(why);
        },
      },
      false,
    );
  }

  get usedMs(): number {
    return this.#usedMs;
  }

  /** A request is open. */
  get calling(): boolean {
    return this.#link.newest !== undefined;
  }

  /** A request or the GET stream is open. */
  get busy(): boolean {
    return this.calling || this.#stream?.streaming === true;
  }

  async request(message: RpcRequest, signal: AbortSignal): Promise<FrontResponse> {
    this.#usedMs = this.#clock.monotonicMs();
    return await answerFrom(this.#link, message, signal, false);
  }

  async tell(line: Uint8Array): Promise<void> {
    this.#usedMs = this.#clock.monotonicMs();
    await this.#link.tell(oneLine(line));
    const cancelled = sliceJson(line, ["params", "requestId"]);
    if (cancelled !== undefined && isMethod(line, "notifications/cancelled"))
      this.#link.forget(decoder.decode(cancelled));
  }

  /** The GET stream: one at a time. */
  listen(signal: AbortSignal): FrontResponse | Promise<FrontResponse> {
    if (this.#stream?.streaming === true) return emptyResponse(409);
    const stream = new Outlet(signal);
    this.#stream = stream;
    stream.begin(200, eventStreamHeaders);
    for (const line of this.#kept.splice(0)) this.#unrelated(line);
    return stream.response;
  }

  async close(): Promise<void> {
    this.#stream?.end();
    await this.#link.close();
  }

  /**
   * A request of the server goes with the newest open call, which most likely caused it; a notification goes to the
   * GET stream. Without the one, the other; without both, it waits.
   */
  #unrelated(line: Uint8Array): void {
    const stream = this.#stream?.streaming === true ? this.#stream : undefined;
    const call = this.#link.newest;
    const ofCall = sliceJson(line, ["id"]) !== undefined || isMethod(line, "notifications/message");
    if (call !== undefined && (ofCall || stream === undefined)) call.event(line);
    else if (stream !== undefined)
      stream.write(sseMessage(decoder.decode(line))).catch(() => undefined);
    else {
      this.#kept.push(line);
      if (this.#kept.length > keptMax) this.#kept.shift();
    }
  }
}

function isMethod(line: Uint8Array, name: string): boolean {
  const method = sliceJson(line, ["method"]);
  return method !== undefined && decoder.decode(method) === JSON.stringify(name);
}

/** JSON text without the line breaks that may stand between its tokens. */
function oneLine(text: Uint8Array): Uint8Array {
  return text.some((byte) => byte === 10 || byte === 13)
    ? text.map((byte) => (byte === 10 || byte === 13 ? 32 : byte))
    : text;
}
