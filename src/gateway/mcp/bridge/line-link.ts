/**
 * One running stdio server and the requests open in it. Lines that belong to a request (its progress, its answer) go to
 * that request; what the server says on its own goes to `Unrelated`.
 */
import { type JsonObject, type JsonValue, sliceJson, spliceJson } from "../../../kernel/index.ts";
import { type LinePeer, TransportFailure } from "../../../ports.ts";
import { metaKey } from "../wire/eras.ts";
import { jsonValueOf } from "../wire/inbound.ts";
import { metaOf, type RpcRequest } from "../wire/json-rpc.ts";
import { jsonBytes } from "../wire/upstream.ts";

/** Takes what the server sends for one request. */
export interface LineSink {
  /** Progress or another message before the answer. */
  readonly event: (message: Uint8Array) => void;
  readonly final: (message: Uint8Array) => void;
  /** The server is gone. */
  readonly broken: (failure: TransportFailure) => void;
}

export interface Unrelated {
  readonly message: (message: Uint8Array) => void;
  readonly closed: (why: string) => void;
}

interface Open {
  readonly sink: LineSink;
  readonly id: JsonValue;
  readonly token: JsonValue | undefined;
}

const decoder = new TextDecoder();

export class LineLink {
  readonly #peer: LinePeer;
  readonly #open = new Map<string, Open>();
  /** Give every request an id of our own, so that many clients can share the server. */
  readonly #shared: boolean;
  #nextId = 0;
  #gone = false;

  constructor(peer: LinePeer, unrelated: Unrelated, shared: boolean) {
    this.#peer = peer;
    this.#shared = shared;
    this.#read(unrelated).catch(() => undefined);
  }

  get gone(): boolean {
    return this.#gone;
  }

  /** The sink of the newest open request, where a server's own request most likely belongs. */
  get newest(): LineSink | undefined {
    return [...this.#open.values()].at(-1)?.sink;
  }

  /** Sends a request. The returned key names it to `cancel`. Throws `TransportFailure`. */
  async request(message: RpcRequest, sink: LineSink): Promise<string> {
    this.#nextId += 1;
    const id: JsonValue = this.#shared ? this.#nextId : message.id;
    const key = JSON.stringify(id);
    const token = metaOf(message.params)["progressToken"];
    this.#open.set(key, { sink, id: message.id, token });
    const sent = await this.#peer.send(
      jsonBytes(this.#shared ? renamed(message, id, token) : message.value),
    );
    if (!sent.ok) {
      this.#open.delete(key);
      throw new TransportFailure(sent.error);
    }
    return key;
  }

  /** Sends a message that waits for no answer. Throws `TransportFailure`. */
  async tell(line: Uint8Array): Promise<void> {
    const sent = await this.#peer.send(line);
    if (!sent.ok) throw new TransportFailure(sent.error);
  }

  /** Tells the server that nobody waits any more; a late answer is dropped. */
  async cancel(key: string): Promise<void> {
    if (!this.#open.delete(key)) return;
    const params = { requestId: jsonValueOf(encoder.encode(key)) ?? null };
    await this.#peer.send(jsonBytes({ jsonrpc: "2.0", method: "notifications/cancelled", params }));
  }

  /** Drops a request whose client has cancelled it by itself. */
  forget(key: string): void {
    this.#open.delete(key);
  }

  async close(): Promise<void> {
    await this.#peer.close();
  }

  async #read(unrelated: Unrelated): Promise<void> {
    let why = "the process ended";
    try {
      for await (const line of this.#peer.lines) this.#route(line, unrelated);
    } catch (thrown) {
      why = String(thrown);
      await this.#peer.close();
    }
    this.#gone = true;
    const failure = new TransportFailure({ kind: "unknown", reason: "broken", detail: why });
    for (const { sink } of this.#open.values()) sink.broken(failure);
    this.#open.clear();
    unrelated.closed(`${why} (${await this.#peer.closed})`);
  }

  #route(line: Uint8Array, unrelated: Unrelated): void {
    if (line.length === 0) return;
    const isAnswer = sliceJson(line, ["method"]) === undefined;
    const key = isAnswer ? sliceJson(line, ["id"]) : requestKeyOf(line);
    const open = key === undefined ? undefined : this.#open.get(this.#keyOf(key, isAnswer));
    if (open === undefined) {
      // An answer nobody waits for is dropped: after a cancellation that is normal.
      if (!isAnswer) unrelated.message(line);
      return;
    }
    if (isAnswer) this.#open.delete(this.#keyOf(key ?? line, true));
    const own = this.#shared ? restored(line, open, isAnswer) : line;
    if (isAnswer) open.sink.final(own);
    else open.sink.event(own);
  }

  /** Progress names a request by its token; in a shared link the token is our id. */
  #keyOf(key: Uint8Array, isAnswer: boolean): string {
    const text = decoder.decode(key);
    if (isAnswer || this.#shared) return text;
    for (const [id, { token }] of this.#open)
      if (token !== undefined && JSON.stringify(token) === text) return id;
    return text;
  }
}

const encoder = new TextEncoder();

/** What ties a message of the server to a request: its progress token, or its subscription. */
function requestKeyOf(line: Uint8Array): Uint8Array | undefined {
  return (
    sliceJson(line, ["params", "progressToken"]) ??
    sliceJson(line, ["params", "_meta", metaKey.subscriptionId])
  );
}

function renamed(message: RpcRequest, id: JsonValue, token: JsonValue | undefined): JsonObject {
  const { value, params } = message;
  if (token === undefined) return { ...value, id };
  return { ...value, id, params: { ...params, _meta: { ...metaOf(params), progressToken: id } } };
}

/** Puts the client's own id and token back, leaving every other byte. */
function restored(line: Uint8Array, open: Open, isAnswer: boolean): Uint8Array {
  const edits: readonly (readonly [string, ...string[]])[] = isAnswer
    ? [["id"], ["result", "_meta", metaKey.subscriptionId]]
    : [
        ["params", "progressToken"],
        ["params", "_meta", metaKey.subscriptionId],
      ];
  let text = line;
  for (const path of edits) {
    if (sliceJson(text, path) === undefined) continue;
    const by = path.at(-1) === "progressToken" ? open.token : open.id;
    const spliced = spliceJson(text, path, JSON.stringify(by ?? null));
    if (spliced.ok) text = spliced.value;
  }
  return text;
}
