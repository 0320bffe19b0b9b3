/**
 * `holdfast mcp wrap -- <command …>`: one stdio server, enforced, for a desktop client that starts servers itself. The
 * client's lines become requests to the same face that serves HTTP, so both enforce the same.
 */
import type { Clock } from "../../ports.ts";
import type { FrontFace, FrontRequest, FrontResponse } from "../http-front.ts";
import { metaKey, mirroredHeaders } from "./wire/eras.ts";
import { jsonValueOf } from "./wire/inbound.ts";
import { metaOf, type RpcMessage, rpcMessageOf } from "./wire/json-rpc.ts";
import { sseEvents } from "./wire/sse.ts";

export interface WrapParts {
  /** The face of the one upstream, usually over a `StdioBridge`. */
  readonly face: FrontFace;
  /** The client's lines, without their newlines. */
  readonly input: AsyncIterable<Uint8Array>;
  /** Writes one line to the client; the newline is added by the writer. */
  readonly output: (line: Uint8Array) => Promise<void>;
  /** Headers that identify this client to the identifier, for instance `authorization`. */
  readonly headers: Readonly<Record<string, string>>;
  readonly clock: Clock;
  readonly answerBytesMax: number;
}

const encoder = new TextEncoder();
/** How long answers may still come after the client closed its side. */
const drainMs = 5_000;

/** Serves until the client's lines end. Requests run side by side; answers come as they are ready. */
export async function wrapStdio(parts: WrapParts): Promise<void> {
  const client = new WrappedClient(parts);
  await client.run();
}

class WrappedClient {
  readonly #parts: WrapParts;
  readonly #ending = new AbortController();
  readonly #drained = new AbortController();
  readonly #running = new Set<Promise<void>>();
  /** Stateless requests that can be cancelled by their id. */
  readonly #cancel = new Map<string, AbortController>();
  #session: string | undefined;
  #version: string | undefined;
  /** Output lines in the order they were given. */
  #written: Promise<void> = Promise.resolve();

  constructor(parts: WrapParts) {
    this.#parts = parts;
  }

  async run(): Promise<void> {
    for await (const line of this.#parts.input) {
      if (line.length === 0) continue;
      const message = jsonValueOf(line);
      const rpc = message === undefined ? undefined : rpcMessageOf(message);
      const done = this.#take(line, rpc);
      // What opens a session is awaited: nothing may overtake it.
      if (rpc?.kind !== "request" || rpc.method === "initialize") await done;
      // Ends with the client, so nothing waits for it.
      else if (rpc.method === "subscriptions/listen") done.catch(() => undefined);
      else this.#track(done);
    }
    await Promise.race([
      Promise.all(this.#running),
      this.#parts.clock.sleep(drainMs, this.#drained.signal),
    ]);
    this.#drained.abort();
    await this.#end();
  }

  #track(work: Promise<void>): void {
    const tracked = work.catch(() => undefined).finally(() => this.#running.delete(tracked));
    this.#running.add(tracked);
  }

  async #take(line: Uint8Array, rpc: RpcMessage | undefined): Promise<void> {
    if (rpc?.kind === "notification" && rpc.method === "notifications/cancelled") {
      const stateless = this.#cancel.get(JSON.stringify(rpc.params["requestId"]));
      if (stateless !== undefined) {
        stateless.abort();
        return;
      }
    }
    const stop = new AbortController();
    this.#ending.signal.addEventListener("abort", () => stop.abort(), { once: true });
    const key = rpc?.kind === "request" && isModern(rpc) ? JSON.stringify(rpc.id) : undefined;
    if (key !== undefined) this.#cancel.set(key, stop);
    try {
      const response = await this.#parts.face(this.#request("POST", line, rpc, stop.signal));
      this.#remember(response, rpc);
      await this.#relay(response);
      if (rpc?.kind === "notification" && rpc.method === "notifications/initialized")
        // Ends with the client, so nothing waits for it.
        this.#listen().catch(() => undefined);
    } finally {
      if (key !== undefined) this.#cancel.delete(key);
    }
  }

  #request(
    method: string,
    body: Uint8Array,
    rpc: RpcMessage | undefined,
    signal: AbortSignal,
  ): FrontRequest {
    const mirrored =
      rpc !== undefined && rpc.kind !== "response" && isModern(rpc)
        ? mirroredHeaders(rpc.method, rpc.params)
        : {};
    const flat: Readonly<Record<string, string>> = {
      "content-type": "application/json",
      accept: "application/json, text/event-stream",
      ...(this.#session === undefined ? {} : { "mcp-session-id": this.#session }),
      ...(this.#version === undefined ? {} : { "mcp-protocol-version": this.#version }),
      ...this.#parts.headers,
      ...mirrored,
    };
    const headers = Object.fromEntries(
      Object.entries(flat).map(([name, value]) => [name, [value]]),
    );
    return { method, path: "/", query: "", headers, body, signal };
  }

  #remember(response: FrontResponse, rpc: RpcMessage | undefined): void {
    if (rpc?.kind !== "request" || rpc.method !== "initialize") return;
    const id = response.headers["mcp-session-id"];
    const version = rpc.params["protocolVersion"];
    if (typeof id === "string") this.#session = id;
    if (typeof version === "string" && typeof id === "string") this.#version = version;
  }

  /** The legacy era's stream of what the server says on its own. */
  async #listen(): Promise<void> {
    if (this.#session === undefined) return;
    const empty = new Uint8Array();
    const request = this.#request("GET", empty, undefined, this.#ending.signal);
    const response = await this.#parts.face(request);
    if (response.status === 200) await this.#relay(response);
  }

  async #relay({ body }: FrontResponse): Promise<void> {
    if (body instanceof Uint8Array) {
      if (body.length > 0) await this.#write(body);
      return;
    }
    for await (const { data } of sseEvents(body, this.#parts.answerBytesMax))
      if (data !== undefined && data !== "") await this.#write(encoder.encode(data));
  }

  async #write(message: Uint8Array): Promise<void> {
    const line = message.map((byte) => (byte === 10 || byte === 13 ? 32 : byte));
    const next = this.#written.then(() => this.#parts.output(line));
    this.#written = next.catch(() => undefined);
    await next;
  }

  async #end(): Promise<void> {
    if (this.#session !== undefined) {
      const request = this.#request("DELETE", new Uint8Array(), undefined, this.#ending.signal);
      await this.#parts.face(request).catch(() => undefined);
    }
    this.#ending.abort();
  }
}

function isModern({ params }: Exclude<RpcMessage, { kind: "response" }>): boolean {
  return metaOf(params)[metaKey.protocolVersion] !== undefined;
}
