/**
 * A session of the older era, kept by the gateway in front of a server that speaks only the stateless one: what the
 * server asks with `input_required` becomes a request to the client, and `subscriptions/listen` becomes the GET stream.
 */
import { isJsonObject, type JsonObject, sliceJson, spliceJson } from "../../../kernel/index.ts";
import type { Clock, HttpRequest, HttpTransport } from "../../../ports.ts";
import { TransportFailure } from "../../../ports.ts";
import { emptyResponse, type FrontResponse, jsonResponse } from "../../http-front.ts";
import { type Deferred, deferred } from "../wire/deferred.ts";
import { legacyVersions, metaKey, mirroredHeaders, modernVersion } from "../wire/eras.ts";
import { jsonValueOf } from "../wire/inbound.ts";
import {
  idKey,
  metaOf,
  type RpcMessage,
  type RpcRequest,
  resultMessage,
} from "../wire/json-rpc.ts";
import { Outlet } from "../wire/outlet.ts";
import { isInputRequired } from "../wire/refusals.ts";
import { sseMessage } from "../wire/sse.ts";
import { eventStreamHeaders, jsonBytes } from "../wire/upstream.ts";
import { messagesOf } from "./legacy-session.ts";

export interface EmulatedParts {
  readonly transport: HttpTransport;
  readonly clock: Clock;
  readonly answerBytesMax: number;
}

const decoder = new TextDecoder();
/** As many as official clients allow. */
const roundsMax = 10;
const stateOnlyPauseMs = 250;

export class EmulatedSession {
  readonly owner: string;
  readonly #parts: EmulatedParts;
  readonly #initialize: JsonObject;
  readonly #questions = new Map<string, Deferred<JsonObject>>();
  readonly #running = new Map<string, AbortController>();
  readonly #watched = new Set<string>();
  #logLevel: string | undefined;
  #asked = 0;
  #stream:
    | { readonly outlet: Outlet; readonly request: HttpRequest; stop: AbortController }
    | undefined;

  constructor(owner: string, initialize: JsonObject, parts: EmulatedParts) {
    this.owner = owner;
    this.#initialize = initialize;
    this.#parts = parts;
  }

  /** The `initialize` result, from what the server said to `server/discover`. */
  initialized(discovered: JsonObject): JsonObject {
    const asked = this.#initialize["protocolVersion"];
    const known = typeof asked === "string" && legacyVersions.includes(asked);
    const { capabilities, instructions } = discovered;
    return {
      protocolVersion: known ? asked : (legacyVersions[0] ?? null),
      capabilities: { ...(isJsonObject(capabilities) ? capabilities : {}), logging: {} },
      serverInfo: metaOf(discovered)[metaKey.serverInfo] ?? { name: "unknown", version: "0" },
      ...(instructions === undefined ? {} : { instructions }),
    };
  }

  async serve(request: HttpRequest, message: RpcMessage | undefined): Promise<FrontResponse> {
    if (request.method === "GET") return await this.#listen(request);
    if (message?.kind === "request") return await this.#request(request, message);
    if (message?.kind === "response") {
      const key = idKey(message.id);
      this.#questions.get(key)?.resolve(message.value);
      this.#questions.delete(key);
    } else if (message?.method === "notifications/cancelled")
      this.#running.get(JSON.stringify(message.params["requestId"]))?.abort();
    return emptyResponse(202);
  }

  close(): void {
    this.#stream?.stop.abort();
    this.#stream?.outlet.end();
    for (const stop of this.#running.values()) stop.abort();
  }

  async #request(request: HttpRequest, message: RpcRequest): Promise<FrontResponse> {
    const { id, method, params } = message;
    const { uri, level } = params;
    switch (method) {
      case "logging/setLevel":
        this.#logLevel = String(level);
        break;
      case "resources/subscribe":
        this.#watched.add(String(uri));
        this.#relisten();
        break;
      case "resources/unsubscribe":
        this.#watched.delete(String(uri));
        this.#relisten();
        break;
      case "ping":
        break;
      default:
        return await this.#forwarded(request, message);
    }
    return jsonResponse(200, resultMessage(id, {}));
  }

  async #forwarded(request: HttpRequest, message: RpcRequest): Promise<FrontResponse> {
    const key = idKey(message.id);
    const stop = new AbortController();
    this.#running.set(key, stop);
    const outlet = new Outlet(request.signal ?? stop.signal);
    const relay = async (): Promise<void> => {
      const final = await this.#rounds(request, message, outlet, stop.signal);
      if (outlet.streaming) await outlet.write(sseMessage(decoder.decode(final)));
      else
        outlet.whole({ status: 200, headers: { "content-type": "application/json" }, body: final });
      outlet.end();
    };
    relay()
      .catch((thrown: unknown) =>
        outlet.fail(thrown instanceof Error ? thrown : new Error(String(thrown))),
      )
      .finally(() => this.#running.delete(key));
    return await outlet.response;
  }

  /** Asks, answers the server's questions with the client's help, and asks again, until there is a result. */
  async #rounds(
    request: HttpRequest,
    message: RpcRequest,
    outlet: Outlet,
    signal: AbortSignal,
  ): Promise<Uint8Array> {
    let retry: JsonObject = {};
    for (let round = 0; round < roundsMax; round++) {
      const final = await this.#once(request, message, retry, outlet, signal);
      if (!isInputRequired(final)) return final;
      const result = jsonValueOf(sliceJson(final, ["result"]));
      const { inputRequests, requestState } = isJsonObject(result) ? result : {};
      const inputResponses = isJsonObject(inputRequests)
        ? await this.#askAll(inputRequests, outlet)
        : undefined;
      if (inputResponses === undefined) await this.#parts.clock.sleep(stateOnlyPauseMs, signal);
      retry = {
        ...(inputResponses === undefined ? {} : { inputResponses }),
        ...(requestState === undefined ? {} : { requestState }),
      };
    }
    throw broken(`the server still asks for input after ${roundsMax} rounds`);
  }

  async #once(
    request: HttpRequest,
    message: RpcRequest,
    retry: JsonObject,
    outlet: Outlet,
    signal: AbortSignal,
  ): Promise<Uint8Array> {
    const params = { ...message.params, ...retry, _meta: this.#meta(message.params) };
    const headers = { ...stateless(request.headers), ...mirroredHeaders(message.method, params) };
    const body = jsonBytes({ ...message.value, params });
    const sent = await this.#parts.transport.send({ ...request, headers, body, signal });
    if (!sent.ok) throw new TransportFailure(sent.error);
    for await (const said of messagesOf(sent.value, this.#parts.answerBytesMax)) {
      if (sliceJson(said, ["method"]) === undefined) return said;
      outlet.begin(200, eventStreamHeaders);
      await outlet.write(sseMessage(decoder.decode(said)));
    }
    throw broken("the stream ended without an answer");
  }

  #meta(params: JsonObject): JsonObject {
    const { clientInfo, capabilities } = this.#initialize;
    return {
      ...metaOf(params),
      [metaKey.protocolVersion]: modernVersion,
      [metaKey.clientInfo]: clientInfo ?? { name: "unknown", version: "0" },
      [metaKey.clientCapabilities]: capabilities ?? {},
      ...(this.#logLevel === undefined ? {} : { [metaKey.logLevel]: this.#logLevel }),
    };
  }

  /** Puts each question to the client on the stream of its own call. An error of the client ends the call. */
  async #askAll(inputRequests: JsonObject, outlet: Outlet): Promise<JsonObject> {
    const answers: Record<string, JsonObject> = {};
    outlet.begin(200, eventStreamHeaders);
    for (const [name, question] of Object.entries(inputRequests)) {
      if (!isJsonObject(question)) continue;
      this.#asked += 1;
      const id = `holdfast-q${this.#asked}`;
      const answer = deferred<JsonObject>();
      this.#questions.set(idKey(id), answer);
      const { method, params } = question;
      await outlet.write(
        sseMessage(
          JSON.stringify({
            jsonrpc: "2.0",
            id,
            method,
            ...(params === undefined ? {} : { params }),
          }),
        ),
      );
      const { result } = await answer.promise;
      if (!isJsonObject(result)) throw broken("the client did not answer the server's question");
      answers[name] = result;
    }
    return answers;
  }

  async #listen(request: HttpRequest): Promise<FrontResponse> {
    this.#stream?.stop.abort();
    const stop = new AbortController();
    const outlet = new Outlet(request.signal ?? stop.signal);
    outlet.begin(200, eventStreamHeaders);
    this.#stream = { outlet, request, stop };
    this.#relisten();
    return await outlet.response;
  }

  /** Subscribes upstream to what this client would hear of, beginning anew when that has changed. */
  #relisten(): void {
    const stream = this.#stream;
    if (stream === undefined) return;
    stream.stop.abort();
    stream.stop = new AbortController();
    const { signal } = stream.stop;
    stream.request.signal?.addEventListener("abort", () => stream.stop.abort(), { once: true });
    this.#heard(stream.request, stream.outlet, signal).catch(() => undefined);
  }

  async #heard(request: HttpRequest, outlet: Outlet, signal: AbortSignal): Promise<void> {
    const method = "subscriptions/listen";
    const notifications = {
      toolsListChanged: true,
      promptsListChanged: true,
      resourcesListChanged: true,
      resourceSubscriptions: [...this.#watched],
    };
    const params = { notifications, _meta: this.#meta({}) };
    const headers = {
      ...stateless(request.headers),
      ...mirroredHeaders(method, params),
      "content-type": "application/json",
      accept: "application/json, text/event-stream",
    };
    const body = jsonBytes({ jsonrpc: "2.0", id: "holdfast-listen", method, params });
    const sent = await this.#parts.transport.send({
      ...request,
      method: "POST",
      headers,
      body,
      signal,
    });
    if (!sent.ok) return;
    for await (const said of messagesOf(sent.value, this.#parts.answerBytesMax)) {
      const told = jsonValueOf(sliceJson(said, ["method"]));
      if (typeof told !== "string" || told === "notifications/subscriptions/acknowledged") continue;
      const plain = spliceJson(said, ["params", "_meta"], "{}");
      await outlet.write(sseMessage(decoder.decode(plain.ok ? plain.value : said)));
    }
  }
}

/** Without what belongs to the older era's session. */
function stateless(headers: Readonly<Record<string, string>>): Record<string, string> {
  const { "mcp-session-id": session, "last-event-id": last, ...kept } = headers;
  return kept;
}

function broken(detail: string): TransportFailure {
  return new TransportFailure({ kind: "unknown", reason: "broken", detail });
}
