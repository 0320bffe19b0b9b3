/**
 * `/mcp`: all upstreams as one server. Every message of substance goes through the face of the upstream it is for, so
 * it is governed there and nowhere else; this file only routes and merges. On the wire a tool is `server.tool`.
 *
 * The stateless era is offered only when every upstream offers it; clients that negotiate then fall back.
 */
import type { Identity } from "../../../identity/index.ts";
import { isJsonObject, type JsonObject, sliceJson } from "../../../kernel/index.ts";
import type { Entropy } from "../../../ports.ts";
import {
  emptyResponse,
  type FrontFace,
  type FrontRequest,
  type FrontResponse,
  headerOf,
  jsonResponse,
} from "../../http-front.ts";
import type { InFlight } from "../../in-flight.ts";
import type { McpParts } from "../face/face.ts";
import { inPlace, placesOf } from "../face/places.ts";
import { oldestOfMost, ownerOf } from "../face/sessions.ts";
import {
  type Era,
  eraOf,
  legacyVersions,
  metaKey,
  mirroredHeaders,
  modernVersion,
} from "../wire/eras.ts";
import { jsonValueOf, readMessage, rpcErrorResponse, sessionNotFound } from "../wire/inbound.ts";
import { innerAnswer, innerRequest } from "../wire/inner-request.ts";
import {
  idKey,
  type RpcMessage,
  type RpcRequest,
  resultMessage,
  rpcCode,
} from "../wire/json-rpc.ts";
import { Outlet } from "../wire/outlet.ts";
import { sseMessage } from "../wire/sse.ts";
import { eventStreamHeaders, mcpLimitsDefault } from "../wire/upstream.ts";
import { capabilities, discovered, serverInfo } from "./aggregate-identity.ts";
import { AggregateSession, initializeParams } from "./aggregate-session.ts";
import {
  isListMethod,
  itemsOf,
  type ListedItem,
  type ListMethod,
  listShapes,
  merged,
  splitShown,
} from "./merged-lists.ts";
import { redeemedCall } from "./own-tools.ts";

export interface AggregateParts extends McpParts {
  readonly entropy: Entropy;
}

/** The faces by server name, as `upstreamFace` makes them. */
export function aggregateFace(
  members: ReadonlyMap<string, FrontFace>,
  parts: AggregateParts,
): { readonly face: FrontFace; readonly close: () => void } {
  const aggregate = new Aggregate(members, parts);
  const close = parts.spine.onPolicyChange(() => aggregate.toolsChanged());
  return { face: (request) => aggregate.serve(request), close };
}

/** One client's request on its way: where it came from, and the session it belongs to in the older era. */
interface Asked {
  readonly request: FrontRequest;
  readonly era: Era;
  readonly session: AggregateSession | undefined;
}

const changedNotice = { jsonrpc: "2.0", method: "notifications/tools/list_changed" };
const pagesMax = 50;
const initializeBytesMax = 64 * 1024;
const eraKnownMs = 60_000;

class Aggregate {
  readonly #members: ReadonlyMap<string, FrontFace>;
  readonly #parts: AggregateParts;
  readonly #limits: typeof mcpLimitsDefault;
  readonly #sessions = new Map<string, AggregateSession>();
  readonly #listeners = new Set<() => void>();
  readonly #places: InFlight;
  /** Every server was seen to speak the stateless era; believed until then. */
  #modernUntilMs = 0;
  #ownIds = 0;

  constructor(members: ReadonlyMap<string, FrontFace>, parts: AggregateParts) {
    this.#members = members;
    this.#parts = parts;
    this.#limits = { ...mcpLimitsDefault, ...parts.limits };
    this.#places = placesOf(this.#limits.openPerCallerMax);
  }

  toolsChanged(): void {
    for (const notify of this.#listeners) notify();
    for (const { listening } of this.#sessions.values())
      listening?.write(sseMessage(JSON.stringify(changedNotice))).catch(() => undefined);
  }

  async serve(request: FrontRequest): Promise<FrontResponse> {
    const who = await this.#parts.identifier.identify(request.headers, request);
    if (!who.ok) {
      const error = { code: rpcCode.invalidRequest, message: who.reason };
      return rpcErrorResponse(who.status, null, error, { "www-authenticate": who.challenge });
    }
    const { identity } = who;
    // A signature proves one request once; what is asked of the servers is asked for the one who proved it.
    const proven = { ...request, identity };
    return await inPlace(this.#places, ownerOf(identity), request, () =>
      this.#served(proven, identity),
    );
  }

  async #served(request: FrontRequest, identity: Identity): Promise<FrontResponse> {
    if (request.method === "POST") return await this.#post(request, identity);
    const session = this.#sessionOf(request, identity);
    if (request.method === "GET") return this.#get(request, session);
    if (request.method !== "DELETE") return emptyResponse(405, { allow: "POST, GET, DELETE" });
    if (session === undefined) return sessionNotFound(null);
    this.#sessions.delete(headerOf(request, "mcp-session-id") ?? "");
    await session.close(request);
    return emptyResponse(200);
  }

  #sessionOf(request: FrontRequest, identity: Identity): AggregateSession | undefined {
    const session = this.#sessions.get(headerOf(request, "mcp-session-id") ?? "");
    return session?.owner === ownerOf(identity) ? session : undefined;
  }

  #get(
    request: FrontRequest,
    session: AggregateSession | undefined,
  ): FrontResponse | Promise<FrontResponse> {
    if (session === undefined) return sessionNotFound(null);
    const outlet = new Outlet(request.signal);
    outlet.begin(200, eventStreamHeaders);
    session.listen(request, outlet).catch(() => outlet.end());
    return outlet.response;
  }

  async #post(request: FrontRequest, identity: Identity): Promise<FrontResponse> {
    const read = readMessage(request, this.#limits);
    if (!read.ok) return read.response;
    const { message } = read;
    const id = message.kind === "notification" ? null : message.id;
    const era = eraOf(request, message);
    if (!era.ok) return rpcErrorResponse(400, id, era.error);
    if (era.era === "modern" && !(await this.#allModern(request)))
      return rpcErrorResponse(400, id, {
        code: rpcCode.unsupportedProtocolVersion,
        message: "One of the servers speaks only older revisions.",
        data: { supported: [...legacyVersions], requested: modernVersion },
      });
    if (message.kind === "request" && message.method === "initialize")
      return this.#initialize(request, identity, message);
    const session = this.#sessionOf(request, identity);
    if (era.era === "legacy" && session === undefined) return sessionNotFound(id);
    const asked = { request, era: era.era, session };
    if (message.kind === "request") return await this.#request(asked, message);
    return await this.#oneWay(asked, message);
  }

  #initialize(request: FrontRequest, identity: Identity, message: RpcRequest): FrontResponse {
    if (request.body.length > initializeBytesMax)
      return rpcErrorResponse(413, message.id, {
        code: rpcCode.invalidRequest,
        message: `initialize is kept for the session, so it has at most ${initializeBytesMax} bytes.`,
      });
    while (this.#sessions.size >= this.#limits.sessionsMax)
      this.#sessions.delete(oldestOfMost(this.#sessions) ?? "");
    const asked = String(message.params["protocolVersion"]);
    const version = legacyVersions.includes(asked) ? asked : (legacyVersions[0] ?? asked);
    const id = Array.from(this.#parts.entropy.bytes(16), (b) =>
      b.toString(16).padStart(2, "0"),
    ).join("");
    const params = initializeParams(request.body, version);
    const owner = ownerOf(identity);
    const { answerBytesMax } = this.#limits;
    this.#sessions.set(
      id,
      new AggregateSession(owner, version, params, this.#members, answerBytesMax),
    );
    const result = { protocolVersion: version, capabilities, serverInfo };
    return jsonResponse(200, resultMessage(message.id, result), { "mcp-session-id": id });
  }

  async #oneWay(
    { request, session }: Asked,
    message: Exclude<RpcMessage, { kind: "request" }>,
  ): Promise<FrontResponse> {
    if (message.kind === "response") {
      const server = session?.asker(idKey(message.id));
      const face = this.#members.get(server ?? "");
      if (server === undefined || face === undefined || session === undefined)
        return emptyResponse(202);
      const headers = await session.headersFor(request, server);
      return await face(innerRequest(request, message.value, headers));
    }
    if (message.method !== "notifications/initialized")
      await session?.tellAll(request, message.value);
    return emptyResponse(202);
  }

  async #request(asked: Asked, message: RpcRequest): Promise<FrontResponse> {
    const { method, id, params } = message;
    if (isListMethod(method)) return await this.#list(asked, message, method);
    switch (method) {
      case "tools/call":
        return await this.#named(asked, message, redeemedCall(params) ?? params);
      case "prompts/get":
        return await this.#named(asked, message, params);
      case "completion/complete":
        return await this.#complete(asked, message);
      case "resources/read":
      case "resources/subscribe":
      case "resources/unsubscribe":
        return await this.#routed(
          asked,
          message,
          await this.#ownerOfUri(asked, params["uri"]),
          params,
        );
      case "ping":
        return jsonResponse(200, resultMessage(id, {}));
      case "logging/setLevel":
        await asked.session?.tellAll(asked.request, message.value);
        return jsonResponse(200, resultMessage(id, {}));
      case "server/discover":
        return jsonResponse(200, resultMessage(id, discovered()));
      case "subscriptions/listen":
        return await this.#listen(asked, message);
      default:
        return rpcErrorResponse(asked.era === "modern" ? 404 : 200, id, {
          code: rpcCode.methodNotFound,
          message: `${method} is not served here; use the server's own endpoint, /mcp/{server}.`,
        });
    }
  }

  #named(asked: Asked, message: RpcRequest, params: JsonObject): Promise<FrontResponse> {
    const to = splitShown(params["name"]);
    return this.#routed(asked, message, to?.server, { ...params, name: to?.name ?? "" });
  }

  /** To the face of one upstream, whose answer passes as it is. */
  async #routed(
    asked: Asked,
    message: RpcRequest,
    server: string | undefined,
    params: JsonObject,
  ): Promise<FrontResponse> {
    const face = this.#members.get(server ?? "");
    if (face === undefined || server === undefined)
      return rpcErrorResponse(200, message.id, {
        code: rpcCode.invalidParams,
        message: `Unknown to every server here: ${String(message.params["name"] ?? message.params["uri"])}.`,
      });
    const { request, session } = asked;
    const headers = await this.#headers(asked, server, message.method, params);
    const response = await face(innerRequest(request, { ...message.value, params }, headers));
    if (session === undefined) return response;
    if (response.status === 404) session.forget(server);
    return session.watched(server, response);
  }

  async #headers(
    { request, era, session }: Asked,
    server: string,
    method: string,
    params: JsonObject,
  ): Promise<Record<string, string | undefined>> {
    if (era === "legacy") return (await session?.headersFor(request, server)) ?? {};
    return { "mcp-name": undefined, ...mirroredHeaders(method, params) };
  }

  async #complete(asked: Asked, message: RpcRequest): Promise<FrontResponse> {
    const { ref } = message.params;
    const name = isJsonObject(ref) ? ref["name"] : undefined;
    const to = splitShown(name);
    if (to !== undefined && isJsonObject(ref))
      return await this.#routed(asked, message, to.server, {
        ...message.params,
        ref: { ...ref, name: to.name },
      });
    const uri = isJsonObject(ref) ? ref["uri"] : undefined;
    const server = await this.#ownerOfUri(asked, uri);
    return await this.#routed(asked, message, server, message.params);
  }

  /** The one server that lists this URI or template, or that has templates when no other does. */
  async #ownerOfUri(asked: Asked, uri: unknown): Promise<string | undefined> {
    const resources = await this.#gather(asked, "resources/list");
    const templates = await this.#gather(asked, "resources/templates/list");
    const listed = merged([...resources, ...templates]).find(({ key }) => key === uri);
    if (listed !== undefined) return listed.server;
    const servers = new Set(templates.map(({ server }) => server));
    return servers.size === 1 ? [...servers][0] : undefined;
  }

  async #list(asked: Asked, message: RpcRequest, method: ListMethod): Promise<FrontResponse> {
    const items = merged(await this.#gather(asked, method));
    const list = `[${items.map(({ json }) => json).join(",")}]`;
    const modern =
      asked.era === "modern" ? ',"resultType":"complete","ttlMs":0,"cacheScope":"private"' : "";
    const text = `{"jsonrpc":"2.0","id":${JSON.stringify(message.id)},"result":{"${listShapes[method].field}":${list}${modern}}}`;
    const headers = { "content-type": "application/json", "cache-control": "no-store" };
    return { status: 200, headers, body: new TextEncoder().encode(text) };
  }

  /** Every page of every server, asked side by side. A server that fails or has no such list adds nothing. */
  async #gather(asked: Asked, method: ListMethod): Promise<readonly ListedItem[]> {
    const lists = await Promise.all(
      [...this.#members.keys()].map((server) =>
        this.#pages(asked, server, method).catch((thrown: unknown) => {
          this.#parts.log.write("warn", "mcp.aggregate_list_failed", {
            server,
            detail: String(thrown),
          });
          return [];
        }),
      ),
    );
    return lists.flat();
  }

  async #pages(asked: Asked, server: string, method: ListMethod): Promise<readonly ListedItem[]> {
    const face = this.#members.get(server);
    const items: ListedItem[] = [];
    let cursor: string | undefined;
    for (let page = 0; page < pagesMax && face !== undefined; page++) {
      const params = { ...cursorOf(cursor), ...metaParams(asked) };
      this.#ownIds += 1;
      const body = { jsonrpc: "2.0", id: `holdfast-list-${this.#ownIds}`, method, params };
      const headers = await this.#headers(asked, server, method, params);
      const request = innerRequest(asked.request, body, headers);
      const { message } = await innerAnswer(face, request, this.#limits.answerBytesMax);
      if (message === undefined) break;
      items.push(...itemsOf(server, method, message));
      const next = jsonValueOf(sliceJson(message, ["result", "nextCursor"]));
      if (typeof next !== "string") break;
      cursor = next;
    }
    return items;
  }

  /** Tells of changes of what policy lets the client see. */
  async #listen(asked: Asked, message: RpcRequest): Promise<FrontResponse> {
    const { notifications } = message.params;
    const wanted = isJsonObject(notifications) && notifications["toolsListChanged"] === true;
    const _meta = { [metaKey.subscriptionId]: message.id };
    const outlet = new Outlet(asked.request.signal);
    outlet.begin(200, eventStreamHeaders);
    const tell = (method: string, params: JsonObject): void => {
      const notice = JSON.stringify({ jsonrpc: "2.0", method, params: { ...params, _meta } });
      outlet.write(sseMessage(notice)).catch(() => undefined);
    };
    tell("notifications/subscriptions/acknowledged", {
      notifications: wanted ? { toolsListChanged: true } : {},
    });
    const notify = (): void => tell(changedNotice.method, {});
    if (wanted) this.#listeners.add(notify);
    asked.request.signal.addEventListener("abort", () => this.#listeners.delete(notify));
    return await outlet.response;
  }

  async #allModern(request: FrontRequest): Promise<boolean> {
    const now = this.#parts.clock.monotonicMs();
    if (now < this.#modernUntilMs) return true;
    const meta = jsonValueOf(sliceJson(request.body, ["params", "_meta"]));
    const params: JsonObject = { _meta: isJsonObject(meta) ? meta : {} };
    const body = { jsonrpc: "2.0", id: "discover", method: "server/discover", params };
    const headers = { "mcp-name": undefined, ...mirroredHeaders("server/discover", params) };
    const answers = await Promise.all(
      [...this.#members.values()].map((face) =>
        innerAnswer(face, innerRequest(request, body, headers), this.#limits.answerBytesMax),
      ),
    );
    const all = answers.every(
      ({ message }) => message !== undefined && sliceJson(message, ["result"]) !== undefined,
    );
    if (all) this.#modernUntilMs = now + eraKnownMs;
    return all;
  }
}

function cursorOf(cursor: string | undefined): JsonObject {
  return cursor === undefined ? {} : { cursor };
}

/** The stateless era repeats the caller's envelope in every request. */
function metaParams({ era, request }: Asked): JsonObject {
  const meta = jsonValueOf(sliceJson(request.body, ["params", "_meta"]));
  return era === "modern" && isJsonObject(meta) ? { _meta: meta } : {};
}
