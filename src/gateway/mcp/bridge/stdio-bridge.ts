/**
 * An MCP server that runs as a child process, served as Streamable HTTP, so that the face knows one kind of upstream.
 *
 * Legacy era: one process per client session, because such a server keeps its client's state; ids pass unchanged.
 * Stateless era: one process for all, ids and progress tokens renamed. Which of the two the server speaks is found by
 * asking `server/discover` once.
 */
import { err, isJsonObject, ok, type Result } from "../../../kernel/index.ts";
import type {
  Clock,
  Entropy,
  HttpRequest,
  HttpResponse,
  HttpTransport,
  LinePeer,
  LinePeers,
  Log,
  PeerCommand,
  TransportError,
} from "../../../ports.ts";
import { TransportFailure } from "../../../ports.ts";
import { emptyResponse, type FrontResponse, jsonResponse } from "../../http-front.ts";
import { oldestOfMost } from "../face/sessions.ts";
import { legacyVersions, metaKey, modernVersion } from "../wire/eras.ts";
import { jsonValueOf } from "../wire/inbound.ts";
import {
  errorMessage,
  metaOf,
  type RpcMessage,
  type RpcRequest,
  rpcCode,
  rpcMessageOf,
} from "../wire/json-rpc.ts";
import { envelope } from "../wire/own-request.ts";
import { httpResponseOf } from "../wire/upstream.ts";
import { LineLink } from "./line-link.ts";
import { answerFrom, LineSession } from "./line-session.ts";

export interface StdioBridgeParts {
  readonly peers: LinePeers;
  readonly command: PeerCommand;
  readonly clock: Clock;
  readonly entropy: Entropy;
  readonly log: Log;
  readonly limits?: Partial<StdioLimits>;
}

export interface StdioLimits {
  /** Processes of legacy sessions at one time. */
  readonly sessionsMax: number;
  readonly sessionIdleMs: number;
  readonly probeTimeoutMs: number;
  readonly backoffMsMin: number;
  readonly backoffMsMax: number;
}

const limitsDefault: StdioLimits = {
  sessionsMax: 32,
  sessionIdleMs: 15 * 60_000,
  probeTimeoutMs: 10_000,
  backoffMsMin: 250,
  backoffMsMax: 30_000,
};

/** The URL every bridge has; it is never resolved. */
export const bridgeUrl = "http://stdio.invalid/mcp";

interface OwnedSession {
  readonly session: LineSession;
  readonly owner: string;
}

export class StdioBridge implements HttpTransport {
  readonly #parts: StdioBridgeParts;
  readonly #limits: StdioLimits;
  readonly #sessions = new Map<string, OwnedSession>();
  #shared: Promise<LineLink | undefined> | undefined;
  #failures = 0;
  #notBeforeMs = 0;
  readonly #ending = new AbortController();

  constructor(parts: StdioBridgeParts) {
    this.#parts = parts;
    this.#limits = { ...limitsDefault, ...parts.limits };
  }

  /** Ends every process. */
  async close(): Promise<void> {
    this.#ending.abort();
    const shared = await this.#shared;
    const sessions = [...this.#sessions.values()];
    this.#sessions.clear();
    await Promise.all([shared?.close(), ...sessions.map(({ session }) => session.close())]);
  }

  /** The transport for one caller: sessions are counted by who opened them. */
  transportFor(owner: string): HttpTransport {
    return { send: (request) => this.#sent(request, owner) };
  }

  async send(request: HttpRequest): Promise<Result<HttpResponse, TransportError>> {
    return await this.#sent(request, "");
  }

  async #sent(request: HttpRequest, owner: string): Promise<Result<HttpResponse, TransportError>> {
    try {
      return ok(httpResponseOf(await this.#serve(request, owner)));
    } catch (thrown) {
      if (thrown instanceof TransportFailure) return err(thrown.error);
      throw thrown;
    }
  }

  async #serve(request: HttpRequest, owner: string): Promise<FrontResponse> {
    const sessionId = request.headers["mcp-session-id"];
    const session = sessionId === undefined ? undefined : this.#sessions.get(sessionId)?.session;
    if (request.method === "POST") return await this.#post(request, session, owner);
    if (session === undefined || sessionId === undefined) return emptyResponse(405);
    if (request.method === "GET") return session.listen(request.signal ?? this.#ending.signal);
    this.#sessions.delete(sessionId);
    await session.close();
    return emptyResponse(200);
  }

  async #post(
    request: HttpRequest,
    session: LineSession | undefined,
    owner: string,
  ): Promise<FrontResponse> {
    const value = jsonValueOf(request.body);
    const message = value === undefined ? undefined : rpcMessageOf(value);
    if (message === undefined || request.body === undefined) return emptyResponse(400);
    const signal = request.signal ?? this.#ending.signal;
    if (message.kind !== "response" && isModern(message))
      return await this.#modern(message, signal);
    if (message.kind === "request" && message.method === "initialize")
      return await this.#initialize(message, signal, owner);
    if (session === undefined)
      return rpcError(
        404,
        message,
        -32001,
        "Session not found. Send initialize to open a new one.",
      );
    if (message.kind === "request") return await session.request(message, signal);
    await session.tell(request.body);
    return emptyResponse(202);
  }

  /** When there is no room, the caller that has most gives up a session without an open request. */
  async #makeRoom(owner: string): Promise<void> {
    if (this.#sessions.size < this.#limits.sessionsMax) return;
    const most = this.#sessions.get(oldestOfMost(this.#sessions) ?? "")?.owner;
    const theirs = [...this.#sessions].filter(([, of]) => of.owner === most && !of.session.calling);
    const [id, given] = theirs.find(([, { session }]) => !session.busy) ?? theirs[0] ?? [];
    if (id === undefined || given === undefined || this.#count(owner) >= this.#count(given.owner))
      throw notSent(
        `${this.#limits.sessionsMax} sessions of this server are open already`,
        "withheld",
      );
    this.#sessions.delete(id);
    await given.session.close();
  }

  #count(owner: string): number {
    return [...this.#sessions.values()].filter((of) => of.owner === owner).length;
  }

  async #initialize(
    message: RpcRequest,
    signal: AbortSignal,
    owner: string,
  ): Promise<FrontResponse> {
    await this.#makeRoom(owner);
    const { clock, log } = this.#parts;
    const id = hex(this.#parts.entropy.bytes(16));
    const session = new LineSession(await this.#start(), clock, (why) => {
      log.write("info", "mcp.stdio_session_ended", { why });
      this.#sessions.delete(id);
    });
    this.#sessions.set(id, { session, owner });
    this.#endWhenIdle(id, session).catch(() => undefined);
    const response = await session.request(message, signal);
    return { ...response, headers: { ...response.headers, "mcp-session-id": id } };
  }

  async #endWhenIdle(id: string, session: LineSession): Promise<void> {
    const { clock } = this.#parts;
    while (this.#sessions.get(id)?.session === session) {
      const left = session.usedMs + this.#limits.sessionIdleMs - clock.monotonicMs();
      if (left <= 0 && !session.busy) break;
      await clock.sleep(Math.max(left, 1_000), this.#ending.signal);
      if (this.#ending.signal.aborted) return;
    }
    this.#sessions.delete(id);
    await session.close();
  }

  async #modern(
    message: Exclude<RpcMessage, { kind: "response" }>,
    signal: AbortSignal,
  ): Promise<FrontResponse> {
    const link = await this.#sharedLink();
    if (link === undefined)
      return rpcError(
        400,
        message,
        rpcCode.unsupportedProtocolVersion,
        `This server speaks only older revisions: ${legacyVersions.join(", ")}.`,
        { supported: [...legacyVersions], requested: modernVersion },
      );
    // A cancellation comes by closing the request's own stream; other clients' ids mean nothing here.
    if (message.kind === "notification") return emptyResponse(202);
    return await answerFrom(link, message, signal, true);
  }

  /** The process all stateless clients share; undefined when the server speaks only the older era. */
  async #sharedLink(): Promise<LineLink | undefined> {
    const known = this.#shared === undefined ? undefined : await this.#shared;
    if (this.#shared !== undefined && known?.gone !== true) return known;
    this.#shared = this.#probed();
    this.#shared.catch(() => {
      this.#shared = undefined;
    });
    return await this.#shared;
  }

  async #probed(): Promise<LineLink | undefined> {
    const { log, clock } = this.#parts;
    const link = new LineLink(
      await this.#start(),
      { message: () => undefined, closed: (why) => log.write("info", "mcp.stdio_ended", { why }) },
      true,
    );
    const message: RpcRequest = discoverRequest();
    const answered = new Promise<Uint8Array | undefined>((resolve) => {
      const broken = (): void => resolve(undefined);
      link.request(message, { event: () => undefined, final: resolve, broken }).catch(broken);
    });
    const done = new AbortController();
    const stop = AbortSignal.any([this.#ending.signal, done.signal]);
    const late = clock.sleep(this.#limits.probeTimeoutMs, stop).then(() => undefined);
    const answer = jsonValueOf(await Promise.race([answered, late]));
    done.abort();
    if (isJsonObject(answer) && isJsonObject(answer["result"])) return link;
    await link.close();
    return undefined;
  }

  /** Starts a process, not sooner than the backoff allows. */
  async #start(): Promise<LinePeer> {
    const { clock, peers, command } = this.#parts;
    const now = clock.monotonicMs();
    if (now < this.#notBeforeMs)
      throw notSent(
        `the server failed to start; next attempt in ${Math.ceil(this.#notBeforeMs - now)} ms`,
      );
    const started = await peers.start(command);
    if (started.ok) {
      this.#failures = 0;
      return started.value;
    }
    const { backoffMsMin, backoffMsMax } = this.#limits;
    this.#notBeforeMs = now + Math.min(backoffMsMin * 2 ** this.#failures, backoffMsMax);
    this.#failures += 1;
    throw new TransportFailure(started.error);
  }
}

function discoverRequest(): RpcRequest {
  const params = { _meta: envelope() };
  const value = { jsonrpc: "2.0", id: "probe", method: "server/discover", params };
  return { kind: "request", id: "probe", method: "server/discover", params, value };
}

function isModern({ params }: { readonly params: RpcRequest["params"] }): boolean {
  const claim = metaOf(params)[metaKey.protocolVersion];
  return typeof claim === "string" && claim >= modernVersion;
}

function rpcError(
  status: number,
  message: RpcMessage,
  code: number,
  text: string,
  data?: RpcRequest["params"],
): FrontResponse {
  const id = message.kind === "notification" ? null : message.id;
  return jsonResponse(
    status,
    errorMessage(id, { code, message: text, ...(data === undefined ? {} : { data }) }),
  );
}

function notSent(detail: string, reason: "refused" | "withheld" = "refused"): TransportFailure {
  return new TransportFailure({ kind: "not_sent", reason, detail });
}

function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
