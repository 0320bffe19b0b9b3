/**
 * `/mcp/{upstream}`: one MCP server, through the gateway, over Streamable HTTP, in the era the client speaks. The face
 * keeps every byte that carries no action.
 */
import type { Identity } from "../../../identity/index.ts";
import { hasMember, isJsonObject, sliceJson } from "../../../kernel/index.ts";
import type { Clock, HttpResponse, Log } from "../../../ports.ts";
import type { Identifier, Spine } from "../../call.ts";
import {
  type FrontFace,
  type FrontRequest,
  type FrontResponse,
  headerOf,
} from "../../http-front.ts";
import type { InFlight } from "../../in-flight.ts";
import { nearArgument } from "../../near-names.ts";
import { type Era, eraOf, repeatedHeader } from "../wire/eras.ts";
import {
  callFault,
  jsonValueOf,
  readMessage,
  rpcErrorResponse,
  sessionNotFound,
  unreachable,
} from "../wire/inbound.ts";
import { idKey, type RpcId, type RpcRequest, rpcCode } from "../wire/json-rpc.ts";
import { clientNotifications, isKnownMethod, treatmentOf } from "../wire/methods.ts";
import { Outlet } from "../wire/outlet.ts";
import { paramHeaderFault } from "../wire/param-headers.ts";
import {
  contentTypeOf,
  forwardedHeaders,
  type McpLimits,
  type McpUpstream,
  mcpLimitsDefault,
  type Outgoing,
  returnedHeaders,
  sendUpstream,
  unread,
  wholeBody,
} from "../wire/upstream.ts";
import type { HoldRules } from "./approval-hold.ts";
import { Catalog } from "./catalog.ts";
import type { Exchange } from "./exchange.ts";
import { governRequest } from "./governed.ts";
import { judgedAnswer } from "./input-questions.ts";
import { Listeners, legacyToolsChanged, listenChange } from "./listeners.ts";
import { OpenQuestions } from "./open-questions.ts";
import { inPlace, placesOf } from "./places.ts";
import { answeredId, OpenRequests, pumpEvents, type Rewrite } from "./relay.ts";
import { screenOf } from "./server-requests.ts";
import { ownerOf, Sessions } from "./sessions.ts";
import { ToolListing } from "./tool-listing.ts";

export interface McpParts {
  readonly spine: Spine;
  readonly identifier: Identifier;
  readonly clock: Clock;
  readonly log: Log;
  readonly limits?: Partial<McpLimits>;
  /** How calls wait for people; absent: they are answered at once. */
  readonly approvalHold?: HoldRules;
  /** The callers have no HTTP headers of their own (stdio): `Mcp-Param-*` is written for them, not demanded. */
  readonly writesParamHeaders?: boolean;
}

export interface UpstreamFace {
  readonly face: FrontFace;
  /** Stops listening to policy changes, and waiting for streams to be resumed. */
  readonly close: () => void;
}

/** Serves one upstream. The path of the request is not looked at. */
export function upstreamFace(upstream: McpUpstream, parts: McpParts): UpstreamFace {
  const ending = new AbortController();
  const relay = new UpstreamRelay(upstream, parts, ending.signal);
  const forget = parts.spine.onPolicyChange(() => relay.toolsChanged());
  ending.signal.addEventListener("abort", () => forget());
  return { face: (request) => relay.serve(request), close: () => ending.abort() };
}

class UpstreamRelay {
  readonly #ending: AbortSignal;
  readonly #upstream: McpUpstream;
  readonly #parts: McpParts;
  readonly #limits: McpLimits;
  readonly #sessions: Sessions;
  readonly #catalog: Catalog;
  readonly #listing: ToolListing;
  readonly #listeners = new Listeners();
  readonly #places: InFlight;

  constructor(upstream: McpUpstream, parts: McpParts, ending: AbortSignal) {
    this.#upstream = upstream;
    this.#parts = parts;
    this.#ending = ending;
    this.#limits = { ...mcpLimitsDefault, ...parts.limits };
    this.#sessions = new Sessions(parts.clock, this.#limits);
    this.#places = placesOf(this.#limits.openPerCallerMax);
    this.#catalog = new Catalog({
      server: upstream.server,
      trusted: upstream.trusted,
      toolsMax: this.#limits.toolsMax,
      pins: upstream.pins,
    });
    this.#listing = new ToolListing(upstream, this.#catalog, this.#limits);
  }

  /** What an agent may see has changed: every open listener is told to list again. */
  toolsChanged(): void {
    this.#listeners.changed();
  }

  async serve(request: FrontRequest): Promise<FrontResponse> {
    const who = await this.#parts.identifier.identify(request.headers, request);
    if (!who.ok)
      return rpcErrorResponse(
        who.status,
        null,
        { code: rpcCode.invalidRequest, message: who.reason },
        { "www-authenticate": who.challenge },
      );
    const { identity } = who;
    return await inPlace(this.#places, ownerOf(identity), request, () =>
      this.#served(request, identity),
    );
  }

  async #served(request: FrontRequest, identity: Identity): Promise<FrontResponse> {
    switch (request.method) {
      case "POST":
        return await this.#post(request, identity);
      case "GET":
      case "DELETE":
        return await this.#bodiless(request, request.method, identity);
      default:
        return rpcErrorResponse(
          405,
          null,
          { code: rpcCode.invalidRequest, message: `Method ${request.method} is not allowed.` },
          { allow: "POST, GET, DELETE" },
        );
    }
  }

  async #post(request: FrontRequest, identity: Identity): Promise<FrontResponse> {
    const read = readMessage(request, this.#limits);
    if (!read.ok) return read.response;
    const { message } = read;
    const id = message.kind === "notification" ? null : message.id;
    const era = eraOf(request, message);
    if (!era.ok) return rpcErrorResponse(400, id, era.error);
    const exchange = this.#exchange(request, identity, era.era);
    if (exchange === undefined) return sessionNotFound(id);
    if (message.kind === "request") return await this.#request(exchange, message);
    if (message.kind === "response" && !exchange.open.mayAnswer(idKey(message.id)))
      return rpcErrorResponse(400, null, {
        code: rpcCode.invalidRequest,
        message: "The server asked this session nothing under this id.",
      });
    if (message.kind === "response") return await this.#answer(exchange, idKey(message.id));
    if (message.kind === "notification" && !clientNotifications.has(message.method))
      return rpcErrorResponse(400, null, {
        code: rpcCode.methodNotFound,
        message: `The notification ${message.method} is not known to this gateway; it was not forwarded.`,
      });
    const response = await this.#relayed(exchange, () => undefined);
    if (message.kind === "notification" && message.method === "notifications/cancelled")
      exchange.open.cancel(JSON.stringify(message.params["requestId"]));
    return response;
  }

  /** The client's answer to a question of the server; to a governed one, after its outcome is recorded. */
  async #answer(exchange: Exchange, key: string): Promise<FrontResponse> {
    const { request } = exchange;
    const body = (await exchange.questions.take(key)?.(request.body)) ?? request.body;
    return await this.#relayed({ ...exchange, request: { ...request, body } }, () => undefined);
  }

  #exchange(request: FrontRequest, identity: Identity, era: Era): Exchange | undefined {
    const { spine, clock, log, approvalHold } = this.#parts;
    const sessionId = headerOf(request, "mcp-session-id");
    const session =
      sessionId === undefined || era === "modern"
        ? { open: new OpenRequests(), questions: new OpenQuestions() }
        : this.#sessions.of(sessionId, identity);
    if (session === undefined) return undefined;
    const exchange: Exchange = {
      request,
      identity,
      era,
      upstream: this.#upstream,
      headers: forwardedHeaders(request.headers, era),
      open: session.open,
      questions: session.questions,
      unclaimed: (message) => this.#unclaimed(exchange, message),
      spine,
      clock,
      log,
      limits: this.#limits,
      writesParamHeaders: this.#parts.writesParamHeaders ?? false,
      ...(approvalHold === undefined ? {} : { approvalHold }),
    };
    return exchange;
  }

  /** An answer to nothing open here may be one to the client, that knows it from another stream by its id. */
  async #unclaimed(exchange: Exchange, message: Uint8Array): Promise<Uint8Array> {
    if (answeredId(message) === undefined) return message;
    const id = jsonValueOf(sliceJson(message, ["id"]));
    const isId = typeof id === "string" || typeof id === "number";
    const judged = isId ? await judgedAnswer(exchange, { id, method: "" }, message) : message;
    if (!hasMember(judged, ["result", "tools"])) return judged;
    return this.#catalog.filtered(judged, exchange.spine, exchange.identity, exchange.era);
  }

  async #request(exchange: Exchange, message: RpcRequest): Promise<FrontResponse> {
    const treatment = treatmentOf(message.method);
    if (treatment.kind === "governed") return await this.#governed(exchange, message);
    const { spine, identity, era, open } = exchange;
    const rewrite: Rewrite = async (answer) => {
      const judged = await judgedAnswer(exchange, message, answer);
      return treatment.kind === "tools_list"
        ? this.#catalog.filtered(judged, spine, identity, era)
        : judged;
    };
    if (!open.add(idKey(message.id), rewrite))
      return rpcErrorResponse(400, message.id, {
        code: rpcCode.invalidRequest,
        message: "Another request with this id is still open; ids are unique within a session.",
      });
    const done = (): void => open.remove(idKey(message.id), rewrite);
    return await this.#relayed(exchange, done, message);
  }

  async #governed(exchange: Exchange, message: RpcRequest): Promise<FrontResponse> {
    if (message.method !== "tools/call") return await this.#governedMethod(exchange, message);
    const wrong = callFault(message.params);
    if (wrong !== undefined) return invalidParams(message.id, wrong);
    const { name, arguments: args } = message.params;
    const tool = await this.#listing.tool(exchange, String(name));
    const near = nearArgument(args, tool?.definition.inputSchema);
    if (near !== undefined)
      return invalidParams(message.id, `${near} is not declared; mind its case.`);
    const fault =
      exchange.era === "modern" && tool !== undefined && !exchange.writesParamHeaders
        ? paramHeaderFault(
            tool.paramHeaders,
            isJsonObject(args) ? args : {},
            exchange.request.headers,
          )
        : undefined;
    if (fault === undefined) return await governRequest(exchange, message, tool);
    return rpcErrorResponse(400, message.id, {
      code: rpcCode.headerMismatch,
      message: `Header mismatch: ${fault}. Send headers that equal the body.`,
    });
  }

  /** An unknown method named like a tool would be judged under the id of that tool. */
  async #governedMethod(exchange: Exchange, message: RpcRequest): Promise<FrontResponse> {
    const { id, method } = message;
    if (isKnownMethod(method) || (await this.#listing.tool(exchange, method)) === undefined)
      return await governRequest(exchange, message, undefined);
    const error = { code: rpcCode.methodNotFound, message: `${method} is a tool, not a method.` };
    return rpcErrorResponse(exchange.era === "modern" ? 404 : 200, id, error);
  }

  /** Passes a posted message on as it is, and its answer back. `done` is called when no answer can come any more. */
  async #relayed(
    exchange: Exchange,
    done: () => void,
    message?: RpcRequest,
  ): Promise<FrontResponse> {
    const { era, headers, request } = exchange;
    const signal = era === "modern" ? { signal: request.signal } : {};
    const owner = ownerOf(exchange.identity);
    const out: Outgoing = { method: "POST", owner, headers, body: request.body, ...signal };
    const id = message?.id ?? null;
    const look = (response: HttpResponse): string | undefined => {
      if (message?.method === "initialize") this.#remember(response, exchange.identity);
      return message?.method === "subscriptions/listen" ? listenChange(message) : undefined;
    };
    return await this.#answered(exchange, out, id, look, done);
  }

  /** The legacy era's GET stream and DELETE of a session. */
  async #bodiless(
    request: FrontRequest,
    method: "GET" | "DELETE",
    identity: Identity,
  ): Promise<FrontResponse> {
    const repeated = repeatedHeader(request);
    if (repeated !== undefined) return rpcErrorResponse(400, null, repeated);
    const exchange = this.#exchange(request, identity, "legacy");
    if (exchange === undefined) return sessionNotFound(null);
    const after = exchange.headers["last-event-id"];
    if (after !== undefined && !exchange.open.mayResume(after))
      return rpcErrorResponse(400, null, {
        code: rpcCode.invalidRequest,
        message: "Last-Event-ID names no event that this session was shown lately.",
      });
    const signal = method === "GET" ? { signal: request.signal } : {};
    const out: Outgoing = {
      method,
      owner: ownerOf(identity),
      headers: exchange.headers,
      ...signal,
    };
    const look = (response: HttpResponse): string => {
      const sessionId = headerOf(request, "mcp-session-id");
      if (method === "DELETE" && sessionId !== undefined && response.status < 300)
        this.#sessions.closed(sessionId);
      return legacyToolsChanged;
    };
    return await this.#answered(exchange, out, null, look, () => undefined);
  }

  /**
   * Sends, and relays what comes back. `look` sees the head and says which message an open stream is to carry when
   * what this client may see has changed.
   */
  async #answered(
    exchange: Exchange,
    out: Outgoing,
    id: RpcId | null,
    look: (response: HttpResponse) => string | undefined,
    done: () => void,
  ): Promise<FrontResponse> {
    const sent = await sendUpstream(this.#upstream, out, this.#limits.callTimeoutMs);
    if (sent.ok && contentTypeOf(sent.value) === "text/event-stream" && !isRefusal(sent.value))
      return await this.#streamed(exchange, sent.value, look(sent.value), done);
    try {
      if (!sent.ok) return unreachable(id, sent.error.detail);
      const response = sent.value;
      const { status } = response;
      if (isRefusal(response)) {
        unread(response);
        return unreachable(id, `the server refused the gateway (HTTP ${status})`);
      }
      look(response);
      if (out.method === "GET" && status === 405) {
        // The server has nothing to say by itself (MCP, Streamable HTTP); the gateway may have.
        await wholeBody(response, this.#limits.answerBytesMax).catch(() => undefined);
        return await this.#listeners.stream(exchange.request);
      }
      const whole = await wholeBody(response, this.#limits.answerBytesMax).catch(() => undefined);
      // Anything but an answer, a question for instance, has no place here.
      const plain = whole?.length === 0 || status >= 300;
      if (whole === undefined || !(plain || answeredId(whole) !== undefined))
        return unreachable(id, "its answer could not be read");
      const body = await (exchange.open.take(whole) ?? exchange.unclaimed)(whole);
      return { status, headers: returnedHeaders(response), body };
    } finally {
      done();
    }
  }

  #remember(response: HttpResponse, identity: Identity): void {
    const id = response.headers["mcp-session-id"];
    if (typeof id === "string") this.#sessions.opened(id, identity);
  }

  async #streamed(
    exchange: Exchange,
    response: HttpResponse,
    changed: string | undefined,
    done: () => void,
  ): Promise<FrontResponse> {
    const { open, unclaimed, clock } = exchange;
    const { answerBytesMax, resumeTimeoutMs } = this.#limits;
    const outlet = new Outlet(exchange.request.signal);
    outlet.begin(response.status, returnedHeaders(response));
    const silence = changed === undefined ? undefined : this.#listeners.add(outlet, changed);
    void pumpEvents(response, outlet, open, answerBytesMax, unclaimed, screenOf(exchange))
      .catch((thrown: unknown) => {
        this.#parts.log.write("info", "mcp.stream_broken", { detail: String(thrown) });
        return { resumable: false };
      })
      .then(async ({ resumable }) => {
        silence?.();
        outlet.end();
        if (resumable) await clock.sleep(resumeTimeoutMs, this.#ending);
        done();
      });
    return await outlet.response;
  }
}

function invalidParams(id: RpcId, message: string): FrontResponse {
  return rpcErrorResponse(200, id, { code: rpcCode.invalidParams, message });
}

function isRefusal({ status }: HttpResponse): boolean {
  return status === 401 || status === 403;
}
