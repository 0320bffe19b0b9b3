/**
 * `/mcp/{upstream}`: one MCP server, through the gateway, over Streamable HTTP, in the era the client speaks. The face
 * keeps every byte that carries no action.
 */
import type { Identity } from "../../identity/index.ts";
import { isJsonObject, sliceJson } from "../../kernel/index.ts";
import type { Clock, HttpResponse, Log } from "../../ports.ts";
import type { Identifier, Spine } from "../call.ts";
import { type FrontFace, type FrontRequest, type FrontResponse, headerOf } from "../http-front.ts";
import { Catalog, type CatalogTool } from "./catalog.ts";
import { type Era, eraOf, metaKey } from "./eras.ts";
import type { Exchange } from "./exchange.ts";
import { governRequest } from "./governed.ts";
import {
  callFault,
  jsonValueOf,
  readMessage,
  rpcErrorResponse,
  sessionNotFound,
  unreachable,
} from "./inbound.ts";
import { judgedInput } from "./input-questions.ts";
import { idKey, type RpcId, type RpcRequest, rpcCode } from "./json-rpc.ts";
import { clientNotifications, treatmentOf } from "./methods.ts";
import { OpenQuestions } from "./open-questions.ts";
import { Outlet } from "./outlet.ts";
import { ownRequest } from "./own-request.ts";
import { paramHeaderFault } from "./param-headers.ts";
import { isUnasked, OpenRequests, pumpEvents } from "./relay.ts";
import { screenOf } from "./server-requests.ts";
import { ownerOf, Sessions } from "./sessions.ts";
import { sseMessage } from "./sse.ts";
import {
  contentTypeOf,
  eventStreamHeaders,
  forwardedHeaders,
  type McpLimits,
  type McpUpstream,
  mcpLimitsDefault,
  type Outgoing,
  returnedHeaders,
  sendUpstream,
  sessionHeaders,
  wholeBody,
} from "./upstream.ts";

export interface McpParts {
  readonly spine: Spine;
  readonly identifier: Identifier;
  readonly clock: Clock;
  readonly log: Log;
  readonly limits?: Partial<McpLimits>;
  /** The callers have no HTTP headers of their own (stdio): `Mcp-Param-*` is written for them, not demanded. */
  readonly writesParamHeaders?: boolean;
}

export interface UpstreamFace {
  readonly face: FrontFace;
  /** Stops listening to policy changes. */
  readonly close: () => void;
}

/** Serves one upstream. The path of the request is not looked at. */
export function upstreamFace(upstream: McpUpstream, parts: McpParts): UpstreamFace {
  const relay = new UpstreamRelay(upstream, parts);
  const close = parts.spine.onPolicyChange(() => relay.toolsChanged());
  return { face: (request) => relay.serve(request), close };
}

/** Pages of a tool list the gateway reads for itself. */
const listPagesMax = 50;

const legacyToolsChanged = JSON.stringify({
  jsonrpc: "2.0",
  method: "notifications/tools/list_changed",
});

class UpstreamRelay {
  readonly #upstream: McpUpstream;
  readonly #parts: McpParts;
  readonly #limits: McpLimits;
  readonly #sessions: Sessions;
  readonly #catalog: Catalog;
  readonly #listeners = new Set<() => void>();
  #ownIds = 0;

  constructor(upstream: McpUpstream, parts: McpParts) {
    this.#upstream = upstream;
    this.#parts = parts;
    this.#limits = { ...mcpLimitsDefault, ...parts.limits };
    this.#sessions = new Sessions(parts.clock, this.#limits);
    this.#catalog = new Catalog(upstream.server, upstream.trusted, this.#limits.toolsMax);
  }

  /** What an agent may see has changed: every open listener is told to list again. */
  toolsChanged(): void {
    for (const notify of this.#listeners) notify();
  }

  async serve(request: FrontRequest): Promise<FrontResponse> {
    const who = await this.#parts.identifier.identify(request.headers);
    if (!who.ok)
      return rpcErrorResponse(
        who.status,
        null,
        { code: rpcCode.invalidRequest, message: who.reason },
        { "www-authenticate": who.challenge },
      );
    switch (request.method) {
      case "POST":
        return await this.#post(request, who.identity);
      case "GET":
      case "DELETE":
        return await this.#bodiless(request, request.method, who.identity);
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
    if (message.kind === "response") return await this.#answer(exchange, idKey(message.id));
    if (message.kind === "notification" && !clientNotifications.has(message.method))
      return rpcErrorResponse(400, null, {
        code: rpcCode.methodNotFound,
        message: `The notification ${message.method} is not known to this gateway; it was not forwarded.`,
      });
    const response = await this.#relayed(exchange);
    if (message.kind === "notification" && message.method === "notifications/cancelled")
      exchange.open.cancel(JSON.stringify(message.params["requestId"]));
    return response;
  }

  /** The client's answer to a question of the server; to a governed one, after its outcome is recorded. */
  async #answer(exchange: Exchange, key: string): Promise<FrontResponse> {
    const { request } = exchange;
    const body = await exchange.questions.take(key)?.(request.body);
    return await this.#relayed(
      body === undefined ? exchange : { ...exchange, request: { ...request, body } },
    );
  }

  #exchange(request: FrontRequest, identity: Identity, era: Era): Exchange | undefined {
    const { spine, clock, log } = this.#parts;
    const sessionId = headerOf(request, "mcp-session-id");
    const session =
      sessionId === undefined || era === "modern"
        ? { open: new OpenRequests(), questions: new OpenQuestions() }
        : this.#sessions.of(sessionId, identity);
    return (
      session && {
        request,
        identity,
        era,
        upstream: this.#upstream,
        headers: forwardedHeaders(request.headers),
        open: session.open,
        questions: session.questions,
        spine,
        clock,
        log,
        limits: this.#limits,
        writesParamHeaders: this.#parts.writesParamHeaders ?? false,
      }
    );
  }

  async #request(exchange: Exchange, message: RpcRequest): Promise<FrontResponse> {
    const treatment = treatmentOf(message.method);
    switch (treatment.kind) {
      case "raw":
        if (exchange.era === "modern") this.#judgeInput(exchange, message);
        return await this.#relayed(exchange, message);
      case "tools_list": {
        const { spine, identity, era, open } = exchange;
        const key = idKey(message.id);
        open.remove(key);
        open.add(key, async (answer) => this.#catalog.filtered(answer, spine, identity, era));
        return await this.#relayed(exchange, message);
      }
      case "governed":
        return await this.#governed(exchange, message);
    }
  }

  /** No answer is a way for a server to ask the client unjudged. */
  #judgeInput(exchange: Exchange, { id, method }: RpcRequest): void {
    const asked = { id, method, era: exchange.era, hasOutputSchema: false };
    exchange.open.add(idKey(id), (answer) => judgedInput(exchange, asked, answer));
  }

  async #governed(exchange: Exchange, message: RpcRequest): Promise<FrontResponse> {
    if (message.method !== "tools/call") return await governRequest(exchange, message, undefined);
    const wrong = callFault(message.params);
    if (wrong !== undefined)
      return rpcErrorResponse(200, message.id, { code: rpcCode.invalidParams, message: wrong });
    const { name, arguments: args } = message.params;
    const tool = await this.#describedTool(exchange, String(name));
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

  /** The pinned definition; asks the upstream for its list when the tool was never seen. */
  async #describedTool(exchange: Exchange, name: string): Promise<CatalogTool | undefined> {
    let cursor: string | undefined;
    for (let page = 0; page < listPagesMax && this.#catalog.get(name) === undefined; page++) {
      const answer = await this.#listPage(exchange, cursor);
      if (answer === undefined) break;
      this.#catalog.filtered(answer, exchange.spine, exchange.identity, exchange.era);
      const next = jsonValueOf(sliceJson(answer, ["result", "nextCursor"]));
      if (typeof next !== "string") break;
      cursor = next;
    }
    return this.#catalog.get(name);
  }

  async #listPage(exchange: Exchange, cursor?: string): Promise<Uint8Array | undefined> {
    const headers = sessionHeaders(exchange.headers);
    this.#ownIds += 1;
    const request = {
      id: `holdfast-${this.#ownIds}`,
      method: "tools/list",
      params: cursor === undefined ? {} : { cursor },
    };
    const asked = ownRequest(
      { upstream: this.#upstream, era: exchange.era, owner: ownerOf(exchange.identity) },
      request,
      headers,
      this.#limits,
    );
    return await asked.catch(() => undefined);
  }

  /** Passes a posted message on as it is, and its answer back. */
  async #relayed(exchange: Exchange, message?: RpcRequest): Promise<FrontResponse> {
    const { era, headers, request } = exchange;
    const signal = era === "modern" ? { signal: request.signal } : {};
    const owner = ownerOf(exchange.identity);
    const out: Outgoing = { method: "POST", owner, headers, body: request.body, ...signal };
    const id = message?.id ?? null;
    return await this.#answered(exchange, out, id, (response) => {
      if (message?.method === "initialize") this.#remember(response, exchange.identity);
      return message?.method === "subscriptions/listen" ? listenChange(message) : undefined;
    });
  }

  /** The legacy era's GET stream and DELETE of a session. */
  async #bodiless(
    request: FrontRequest,
    method: "GET" | "DELETE",
    identity: Identity,
  ): Promise<FrontResponse> {
    const exchange = this.#exchange(request, identity, "legacy");
    if (exchange === undefined) return sessionNotFound(null);
    const signal = method === "GET" ? { signal: request.signal } : {};
    const out: Outgoing = {
      method,
      owner: ownerOf(identity),
      headers: exchange.headers,
      ...signal,
    };
    return await this.#answered(exchange, out, null, (response) => {
      const sessionId = headerOf(request, "mcp-session-id");
      if (method === "DELETE" && sessionId !== undefined && response.status < 300)
        this.#sessions.closed(sessionId);
      return legacyToolsChanged;
    });
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
  ): Promise<FrontResponse> {
    const sent = await sendUpstream(this.#upstream, out, this.#limits.callTimeoutMs);
    if (!sent.ok) return unreachable(id, sent.error.detail);
    const response = sent.value;
    const { status } = response;
    if (status === 401 || status === 403)
      return unreachable(id, `the server refused the gateway (HTTP ${status})`);
    const changed = look(response);
    if (out.method === "GET" && status === 405) {
      // The server has nothing to say by itself (MCP, Streamable HTTP); the gateway may have.
      await wholeBody(response, this.#limits.answerBytesMax).catch(() => undefined);
      return await this.#ownStream(exchange);
    }
    if (contentTypeOf(response) === "text/event-stream")
      return await this.#streamed(exchange, response, changed);
    const whole = await wholeBody(response, this.#limits.answerBytesMax).catch(() => undefined);
    if (whole === undefined || isUnasked(response, whole))
      return unreachable(id, "its answer could not be read");
    const rewrite = exchange.open.take(whole);
    const body = rewrite === undefined ? whole : await rewrite(whole);
    return { status, headers: returnedHeaders(response), body };
  }

  #remember(response: HttpResponse, identity: Identity): void {
    const id = response.headers["mcp-session-id"];
    if (typeof id === "string") this.#sessions.opened(id, identity);
  }

  async #streamed(
    exchange: Exchange,
    response: HttpResponse,
    changed: string | undefined,
  ): Promise<FrontResponse> {
    const outlet = new Outlet(exchange.request.signal);
    outlet.begin(response.status, returnedHeaders(response));
    const silence = changed === undefined ? () => undefined : this.#listen(outlet, changed);
    const { answerBytesMax } = this.#limits;
    pumpEvents(response, outlet, exchange.open, answerBytesMax, screenOf(exchange))
      .catch((thrown: unknown) =>
        this.#parts.log.write("info", "mcp.stream_broken", { detail: String(thrown) }),
      )
      .finally(() => {
        silence();
        outlet.end();
      });
    return await outlet.response;
  }

  /** The GET stream, from the gateway alone: it tells when what this client may see has changed. */
  async #ownStream({ request }: Exchange): Promise<FrontResponse> {
    const outlet = new Outlet(request.signal);
    outlet.begin(200, eventStreamHeaders);
    const silence = this.#listen(outlet, legacyToolsChanged);
    request.signal.addEventListener("abort", silence, { once: true });
    if (request.signal.aborted) silence();
    return await outlet.response;
  }

  /** Writes `changed` on every change of what may be seen; returns the way to stop. */
  #listen(outlet: Outlet, changed: string): () => void {
    const notify = (): void => {
      outlet.write(sseMessage(changed)).catch(() => undefined);
    };
    this.#listeners.add(notify);
    return () => this.#listeners.delete(notify);
  }
}

/** The notice for a modern listener, when it asked for changes of tools. */
function listenChange({ id, params }: RpcRequest): string | undefined {
  const { notifications } = params;
  if (!isJsonObject(notifications) || notifications["toolsListChanged"] !== true) return undefined;
  return JSON.stringify({
    jsonrpc: "2.0",
    method: "notifications/tools/list_changed",
    params: { _meta: { [metaKey.subscriptionId]: id } },
  });
}
