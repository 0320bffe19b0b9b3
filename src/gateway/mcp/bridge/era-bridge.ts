/**
 * Clients and servers of different eras. For stateless clients of an older server the gateway keeps sessions, one for
 * each caller and set of capabilities, and turns the server's questions into `input_required`. For older clients of a
 * stateless server it keeps the session itself (`EmulatedSession`).
 *
 * Policy sits above: every retry of a caller is a request of its own to the face, and is decided again there.
 */
import {
  canonicalJson,
  digestOf,
  err,
  isJsonObject,
  type JsonObject,
  ok,
  type Result,
  sliceJson,
} from "../../../kernel/index.ts";
import type {
  Clock,
  Entropy,
  HttpRequest,
  HttpResponse,
  HttpTransport,
  TransportError,
} from "../../../ports.ts";
import { TransportFailure } from "../../../ports.ts";
import { emptyResponse, type FrontResponse, jsonResponse } from "../../http-front.ts";
import { metaKey, mirroredHeaders, modernVersion } from "../wire/eras.ts";
import { jsonValueOf } from "../wire/inbound.ts";
import {
  errorMessage,
  metaOf,
  type RpcId,
  type RpcMessage,
  type RpcRequest,
  resultMessage,
  rpcCode,
  rpcMessageOf,
} from "../wire/json-rpc.ts";
import { Outlet } from "../wire/outlet.ts";
import { envelope } from "../wire/own-request.ts";
import { sseMessage } from "../wire/sse.ts";
import {
  eventStreamHeaders,
  httpResponseOf,
  jsonBytes,
  type McpLimits,
  type McpUpstream,
  mcpLimitsDefault,
} from "../wire/upstream.ts";
import { EmulatedSession } from "./emulated-session.ts";
import { listenOverLegacy } from "./legacy-listen.ts";
import { type Call, firstResponse, LegacySession } from "./legacy-session.ts";
import {
  discovered,
  inputKey,
  inputRequired,
  legacyParams,
  modernEvent,
  modernFinal,
  type Question,
  questionOf,
} from "./modern-answers.ts";

export interface EraBridgeParts {
  readonly transport: HttpTransport;
  /** What is sent for one caller. */
  readonly transportFor: (owner: string) => HttpTransport;
  readonly clock: Clock;
  readonly entropy: Entropy;
  readonly limits?: Partial<McpLimits>;
}

/** A call that waits for the client's answer to the server's question. */
interface Suspended {
  readonly messages: Call;
  readonly question: Question;
  readonly session: LegacySession;
  readonly wireId: string;
  /** What the call was about: a retry must be about the same. */
  readonly digest: string;
  readonly untilMs: number;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();
const suspendedMs = 10 * 60_000;
const suspendedMax = 1_000;
const eraKnownMs = 10 * 60_000;
const sessionsMax = 1_000;

/** The upstream, reachable by clients of either era. */
export function acrossEras(
  upstream: McpUpstream,
  parts: Omit<EraBridgeParts, "transport" | "transportFor">,
): McpUpstream {
  const { transport, transportFor: inner = (): HttpTransport => transport } = upstream;
  const bridge = new EraBridge({ ...parts, transport, transportFor: inner });
  return { ...upstream, transportFor: (owner) => bridge.transportFor(owner) };
}

class EraBridge {
  readonly #parts: EraBridgeParts;
  readonly #limits: McpLimits;
  readonly #sessions = new Map<string, Promise<Result<LegacySession, TransportError>>>();
  readonly #suspended = new Map<string, Suspended>();
  readonly #emulated = new Map<string, EmulatedSession>();
  #older: { readonly yes: boolean; readonly untilMs: number } | undefined;

  constructor(parts: EraBridgeParts) {
    this.#parts = parts;
    this.#limits = { ...mcpLimitsDefault, ...parts.limits };
  }

  /** The transport for one caller. Callers never share a session or a suspended call. */
  transportFor(owner: string): HttpTransport {
    return { send: (request) => this.#send(request, owner) };
  }

  async #send(request: HttpRequest, owner: string): Promise<Result<HttpResponse, TransportError>> {
    const value = request.method === "POST" ? jsonValueOf(request.body) : undefined;
    const message = value === undefined ? undefined : rpcMessageOf(value);
    if (message === undefined || message.kind === "response" || !isModern(message.params))
      return await this.#legacy(request, message, owner);
    if (!(await this.#isOlder(request))) return await this.#parts.transportFor(owner).send(request);
    if (message.kind === "notification")
      return ok(httpResponseOf({ status: 202, headers: {}, body: new Uint8Array() }));
    return await attempt(this.#translated(request, message, owner));
  }

  /** Passes on, unless the server knows no sessions: then the gateway keeps one. */
  async #legacy(
    request: HttpRequest,
    message: RpcMessage | undefined,
    owner: string,
  ): Promise<Result<HttpResponse, TransportError>> {
    const id = request.headers["mcp-session-id"] ?? "";
    const emulated = this.#emulated.get(id);
    if (emulated?.owner === owner) {
      if (request.method !== "DELETE") return await attempt(emulated.serve(request, message));
      emulated.close();
      this.#emulated.delete(id);
      return ok(httpResponseOf(emptyResponse(200)));
    }
    const transport = this.#parts.transportFor(owner);
    const sent = await transport.send(request);
    const refused = sent.ok && sent.value.status >= 400 && sent.value.status < 500;
    if (!refused || message?.kind !== "request" || message.method !== "initialize") return sent;
    const answer = await this.#discover(request);
    const result =
      answer instanceof Uint8Array ? jsonValueOf(sliceJson(answer, ["result"])) : undefined;
    if (!isJsonObject(result)) return sent;
    const { clock, entropy } = this.#parts;
    const parts = { transport, clock, answerBytesMax: this.#limits.answerBytesMax };
    const session = new EmulatedSession(owner, message.params, parts);
    const sessionId = digestOf(Array.from(entropy.bytes(32))).slice("sha256:".length);
    for (const [oldest, unused] of this.#emulated) {
      if (this.#emulated.size < sessionsMax) break;
      unused.close();
      this.#emulated.delete(oldest);
    }
    this.#emulated.set(sessionId, session);
    const headers = { "mcp-session-id": sessionId };
    const body = resultMessage(message.id, session.initialized(result));
    return ok(httpResponseOf(jsonResponse(200, body, headers)));
  }

  /** Asks `server/discover`; a server of the older era answers with neither a result nor a newer revision. */
  async #isOlder(template: HttpRequest): Promise<boolean> {
    const { clock } = this.#parts;
    const now = clock.monotonicMs();
    if (this.#older !== undefined && now < this.#older.untilMs) return this.#older.yes;
    const answer = await this.#discover(template);
    if (answer === "unreachable") return false;
    const yes = answer === undefined || !speaksModern(answer);
    this.#older = { yes, untilMs: now + eraKnownMs };
    return yes;
  }

  async #discover(template: HttpRequest): Promise<Uint8Array | "unreachable" | undefined> {
    const params = { _meta: envelope() };
    const { signal, ...rest } = template;
    const headers = { ...rest.headers, ...mirroredHeaders("server/discover", params) };
    delete headers["mcp-name"];
    const sent = await this.#parts.transport.send({
      ...rest,
      headers,
      body: jsonBytes({ jsonrpc: "2.0", id: "era", method: "server/discover", params }),
    });
    if (!sent.ok || sent.value.status >= 500) return "unreachable";
    return await firstResponse(sent.value, this.#limits.answerBytesMax);
  }

  async #translated(
    request: HttpRequest,
    message: RpcRequest,
    owner: string,
  ): Promise<FrontResponse> {
    const { id, method, params } = message;
    if (onlyLegacy.has(method)) return notFound(id, method);
    if (params["requestState"] !== undefined) return await this.#resumed(request, message, owner);
    const session = await this.#session(request, owner, params);
    if (method === "server/discover")
      return jsonResponse(200, resultMessage(id, discovered(session.initialized)));
    if (method === "subscriptions/listen")
      return await listenOverLegacy(request, message, session, this.#limits);
    const level = metaOf(params)[metaKey.logLevel];
    if (typeof level === "string") await session.logLevel(level);
    const wireId = session.nextId();
    const legacy = { jsonrpc: "2.0", id: wireId, method, params: legacyParams(params, wireId) };
    const { traceparent, tracestate, "idempotency-key": key } = request.headers;
    const headers = {
      ...(traceparent === undefined ? {} : { traceparent }),
      ...(tracestate === undefined ? {} : { tracestate }),
      ...(key === undefined ? {} : { "idempotency-key": key }),
    };
    const { answerBytesMax } = this.#limits;
    const extra = { headers, headTimeoutMs: request.headTimeoutMs };
    const sent = await session.call(legacy, extra, answerBytesMax);
    if (!sent.ok) throw new TransportFailure(sent.error);
    const messages = sent.value;
    return await this.#answered(request, message, { messages, session, wireId }, owner);
  }

  /** The client answers the server's question: hand it over, and go on with the call. */
  async #resumed(request: HttpRequest, message: RpcRequest, owner: string): Promise<FrontResponse> {
    const { id, params } = message;
    const state = `${owner}\n${String(params["requestState"])}`;
    const suspended = this.#suspended.get(state);
    const answers = params["inputResponses"];
    const answer = isJsonObject(answers) ? answers[inputKey] : undefined;
    if (suspended === undefined || suspended.digest !== callDigest(message))
      return invalid(id, "requestState is unknown, used up, or of another call");
    this.#suspended.delete(state);
    if (!isJsonObject(answer)) return this.#suspend(id, message, suspended, owner);
    const { session, question } = suspended;
    await session.tell({
      jsonrpc: "2.0",
      id: jsonValueOf(encoder.encode(question.id)) ?? null,
      result: answer,
    });
    return await this.#answered(request, message, suspended, owner);
  }

  /** Reads on until there is something to answer with. */
  async #answered(
    request: HttpRequest,
    message: RpcRequest,
    call: Pick<Suspended, "messages" | "session" | "wireId">,
    owner: string,
  ): Promise<FrontResponse> {
    const signal = request.signal ?? new AbortController().signal;
    const outlet = new Outlet(signal);
    const cancel = (): void => {
      const params = { requestId: call.wireId };
      call.session
        .tell({ jsonrpc: "2.0", method: "notifications/cancelled", params })
        .catch(() => undefined);
    };
    signal.addEventListener("abort", cancel, { once: true });
    const relay = async (): Promise<void> => {
      const final = await this.#relayed(message, call, outlet, owner);
      signal.removeEventListener("abort", cancel);
      if (!outlet.streaming) outlet.whole(final);
      else await outlet.write(sseMessage(decoder.decode(final.body as Uint8Array)));
      outlet.end();
    };
    relay().catch((thrown: unknown) =>
      outlet.fail(thrown instanceof Error ? thrown : new Error(String(thrown))),
    );
    return await outlet.response;
  }

  async #relayed(
    message: RpcRequest,
    call: Pick<Suspended, "messages" | "session" | "wireId">,
    outlet: Outlet,
    owner: string,
  ): Promise<FrontResponse> {
    const { id, method, params } = message;
    for (;;) {
      const value = await call.messages.next();
      if (value === undefined)
        throw new TransportFailure({
          kind: "unknown",
          reason: "broken",
          detail: "the stream ended without an answer",
        });
      const question = questionOf(value);
      if (question !== undefined) {
        const untilMs = this.#parts.clock.monotonicMs() + suspendedMs;
        const suspended = { ...call, question, digest: callDigest(message), untilMs };
        return this.#suspend(id, message, suspended, owner);
      }
      if (sliceJson(value, ["method"]) === undefined)
        return finalResponse(modernFinal(value, method, id));
      const event = modernEvent(value, params);
      if (event === undefined) continue;
      outlet.begin(200, eventStreamHeaders);
      await outlet.write(sseMessage(decoder.decode(event)));
    }
  }

  #suspend(id: RpcId, message: RpcRequest, suspended: Suspended, owner: string): FrontResponse {
    const now = this.#parts.clock.monotonicMs();
    for (const [key, { untilMs, messages }] of this.#suspended) {
      if (untilMs > now && this.#suspended.size < suspendedMax) break;
      this.#suspended.delete(key);
      messages.close();
    }
    const state = digestOf(Array.from(this.#parts.entropy.bytes(32)));
    this.#suspended.set(`${owner}\n${state}`, { ...suspended, digest: callDigest(message) });
    return jsonResponse(200, inputRequired(id, suspended.question, state));
  }

  async #session(request: HttpRequest, owner: string, params: JsonObject): Promise<LegacySession> {
    const key = sessionKey(owner, params);
    const capabilities = metaOf(params)[metaKey.clientCapabilities];
    const transport = this.#parts.transportFor(owner);
    const opening =
      this.#sessions.get(key) ??
      LegacySession.open(
        transport,
        request,
        isJsonObject(capabilities) ? capabilities : {},
        this.#limits.answerBytesMax,
      );
    this.#sessions.delete(key);
    this.#sessions.set(key, opening);
    for (const oldest of this.#sessions.keys()) {
      if (this.#sessions.size <= sessionsMax) break;
      this.#sessions.delete(oldest);
    }
    const opened = await opening;
    if (opened.ok && !opened.value.lost) return opened.value;
    this.#sessions.delete(key);
    if (opened.ok) return await this.#session(request, owner, params);
    throw new TransportFailure(opened.error);
  }
}

/** A broken upstream is a value to the caller of a transport. */
async function attempt(
  answer: Promise<FrontResponse>,
): Promise<Result<HttpResponse, TransportError>> {
  try {
    return ok(httpResponseOf(await answer));
  } catch (thrown) {
    if (thrown instanceof TransportFailure) return err(thrown.error);
    throw thrown;
  }
}

function sessionKey(owner: string, params: JsonObject): string {
  return canonicalJson([owner, metaOf(params)[metaKey.clientCapabilities] ?? null]);
}

function callDigest({ method, params }: RpcRequest): string {
  const { _meta, inputResponses, requestState, ...about } = params;
  return digestOf([method, about]);
}

function isModern(params: JsonObject): boolean {
  const claim = metaOf(params)[metaKey.protocolVersion];
  return typeof claim === "string" && claim >= modernVersion;
}

/** A result, or the refusal of one revision (-32022) that names another of the stateless era. */
function speaksModern(answer: Uint8Array): boolean {
  if (sliceJson(answer, ["result"]) !== undefined) return true;
  const supported = jsonValueOf(sliceJson(answer, ["error", "data", "supported"]));
  return Array.isArray(supported) && supported.includes(modernVersion);
}

function finalResponse(message: Uint8Array): FrontResponse {
  const code = jsonValueOf(sliceJson(message, ["error", "code"]));
  const status = code === rpcCode.methodNotFound ? 404 : 200;
  return { status, headers: { "content-type": "application/json" }, body: message };
}

/** Methods that the stateless era removed. */
const onlyLegacy: ReadonlySet<string> = new Set([
  "initialize",
  "ping",
  "logging/setLevel",
  "resources/subscribe",
  "resources/unsubscribe",
]);

function notFound(id: RpcId, method: string): FrontResponse {
  const message = `${method} does not exist in ${modernVersion}.`;
  return jsonResponse(404, errorMessage(id, { code: rpcCode.methodNotFound, message }));
}

function invalid(id: RpcId, what: string): FrontResponse {
  const error = { code: rpcCode.invalidParams, message: `Invalid params: ${what}.` };
  return jsonResponse(200, errorMessage(id, error));
}
