/** A legacy client's session with the aggregate, and the sessions it has in turn with the upstreams, opened when needed. */
import { isJsonObject, type JsonObject, sliceJson } from "../../../kernel/index.ts";
import type { FrontFace, FrontRequest, FrontResponse } from "../../http-front.ts";
import { jsonValueOf } from "../wire/inbound.ts";
import { innerAnswer, innerRequest } from "../wire/inner-request.ts";
import type { Outlet } from "../wire/outlet.ts";
import { sseEvents, sseMessage } from "../wire/sse.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder();

export class AggregateSession {
  readonly owner: string;
  readonly version: string;
  readonly #initialize: JsonObject;
  readonly #members: ReadonlyMap<string, FrontFace>;
  readonly #answerBytesMax: number;
  /** `undefined` inside: the server keeps no session. */
  readonly #inner = new Map<string, Promise<string | undefined>>();
  /** Which server asked the client what, by the id of its request. */
  readonly #askedBy = new Map<string, string>();
  #stream: { readonly request: FrontRequest; readonly outlet: Outlet } | undefined;

  constructor(
    owner: string,
    version: string,
    initialize: JsonObject,
    members: ReadonlyMap<string, FrontFace>,
    answerBytesMax: number,
  ) {
    this.owner = owner;
    this.version = version;
    this.#initialize = initialize;
    this.#members = members;
    this.#answerBytesMax = answerBytesMax;
  }

  /** Headers that put a request into this client's session with `server`, opening it first when it is new. */
  async headersFor(
    outer: FrontRequest,
    server: string,
  ): Promise<Record<string, string | undefined>> {
    const known = this.#inner.get(server) ?? this.#open(outer, server);
    this.#inner.set(server, known);
    known.catch(() => this.#inner.delete(server));
    return { "mcp-session-id": await known, "mcp-protocol-version": this.version };
  }

  /** Forgets the session with a server that says it does not know it any more. */
  forget(server: string): void {
    this.#inner.delete(server);
  }

  async #open(outer: FrontRequest, server: string): Promise<string | undefined> {
    const face = this.#members.get(server);
    if (face === undefined) return undefined;
    const signal = new AbortController().signal;
    const message = { jsonrpc: "2.0", id: "open", method: "initialize", params: this.#initialize };
    const bare = { "mcp-session-id": undefined, "mcp-protocol-version": undefined };
    const request = { ...innerRequest(outer, message, bare), signal };
    const answer = await innerAnswer(face, request, this.#answerBytesMax);
    const id = [answer.headers["mcp-session-id"] ?? []].flat()[0];
    if (answer.message === undefined || sliceJson(answer.message, ["result"]) === undefined)
      throw new Error(`${server} did not initialize (HTTP ${answer.status})`);
    const headers = { "mcp-session-id": id, "mcp-protocol-version": this.version };
    const ready = { jsonrpc: "2.0", method: "notifications/initialized" };
    await face({ ...innerRequest(outer, ready, headers), signal });
    if (this.#stream !== undefined) this.#attach(server, headers);
    return id;
  }

  /** Passes an answer on, noting what the server asks of the client meanwhile. */
  watched(server: string, response: FrontResponse): FrontResponse {
    const { body } = response;
    return body instanceof Uint8Array ? response : { ...response, body: this.#noted(server, body) };
  }

  async *#noted(server: string, body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    for await (const event of sseEvents(body, this.#answerBytesMax)) {
      if (event.data !== undefined) this.#note(server, encoder.encode(event.data));
      yield event.raw;
    }
  }

  #note(server: string, message: Uint8Array): void {
    const id = sliceJson(message, ["id"]);
    if (id !== undefined && sliceJson(message, ["method"]) !== undefined)
      this.#askedBy.set(decoder.decode(id), server);
  }

  /** The server that waits for this answer of the client; asked once. */
  asker(idKey: string): string | undefined {
    const server = this.#askedBy.get(idKey);
    this.#askedBy.delete(idKey);
    return server;
  }

  /** Sends a notification to every server with an open session. */
  async tellAll(outer: FrontRequest, message: JsonObject): Promise<void> {
    for (const server of this.#inner.keys()) {
      const headers = await this.headersFor(outer, server).catch(() => undefined);
      if (headers !== undefined)
        await this.#members.get(server)?.(innerRequest(outer, message, headers));
    }
  }

  /** Joins the servers' own streams into the client's. */
  async listen(request: FrontRequest, outlet: Outlet): Promise<void> {
    this.#stream = { request, outlet };
    request.signal.addEventListener("abort", () => {
      if (this.#stream?.outlet === outlet) this.#stream = undefined;
    });
    for (const server of this.#inner.keys()) {
      const headers = await this.headersFor(request, server).catch(() => undefined);
      if (headers !== undefined) this.#attach(server, headers);
    }
  }

  get listening(): Outlet | undefined {
    return this.#stream?.outlet;
  }

  #attach(server: string, headers: Record<string, string | undefined>): void {
    const stream = this.#stream;
    const face = this.#members.get(server);
    if (stream === undefined || face === undefined) return;
    const bare = { ...headers, "content-type": undefined, "last-event-id": undefined };
    const get = innerRequest(stream.request, undefined, bare, "GET");
    const relay = async (): Promise<void> => {
      const { body } = await face(get);
      if (body instanceof Uint8Array) return;
      // Event ids of several servers mean nothing together, so a joined stream cannot be resumed.
      for await (const { data } of sseEvents(body, this.#answerBytesMax)) {
        if (data === undefined || data === "") continue;
        this.#note(server, encoder.encode(data));
        await stream.outlet.write(sseMessage(data));
      }
    };
    relay().catch(() => undefined);
  }

  async close(outer: FrontRequest): Promise<void> {
    for (const [server, id] of this.#inner) {
      const headers = {
        "mcp-session-id": await id.catch(() => undefined),
        "content-type": undefined,
      };
      if (headers["mcp-session-id"] !== undefined)
        await this.#members.get(server)?.(innerRequest(outer, undefined, headers, "DELETE"));
    }
    this.#stream?.outlet.end();
  }
}

/** The client's own name for itself and what it can do, for the sessions with the upstreams. */
export function initializeParams(body: Uint8Array, version: string): JsonObject {
  const params = jsonValueOf(sliceJson(body, ["params"]));
  return { ...(isJsonObject(params) ? params : {}), protocolVersion: version };
}
