/** One MCP server behind the gateway, as the faces see it: always Streamable HTTP, whatever it really is. */
import { err, type JsonObject, type Result } from "../../../kernel/index.ts";
import type { HttpResponse, HttpTransport, TransportError } from "../../../ports.ts";
import type { FrontHeaders, FrontResponse } from "../../http-front.ts";
import type { ToolPins } from "../../tool-pins.ts";
import type { Era } from "./eras.ts";

export interface McpUpstream {
  /** The first half of every tool id. */
  readonly server: string;
  /** The MCP endpoint. A server started as a child process has a URL only its bridge understands. */
  readonly url: string;
  readonly transport: HttpTransport;
  /** Instead of `transport`, where what is sent for one caller must stay apart from the others (see `acrossEras`). */
  readonly transportFor?: (owner: string) => HttpTransport;
  /** True while nothing is to be asked of it, not even for ourselves: its breaker is open. */
  readonly isHeld?: () => boolean;
  /** Whether its annotations (`readOnlyHint`) are believed. */
  readonly trusted: boolean;
  /** Where the definitions of its tools are stored; without, they are known only as long as this process lives. */
  readonly pins?: ToolPins;
  /**
   * Headers that prove the gateway to this server, fresh for each request. Agents never hold them. An error means that
   * nothing may be sent now.
   */
  readonly credentials?: () => Promise<Result<Readonly<Record<string, string>>, string>>;
}

export interface McpLimits {
  readonly messageBytesMax: number;
  readonly depthMax: number;
  /** A whole answer, or one event of a stream. */
  readonly answerBytesMax: number;
  /** Until the head of an answer. */
  readonly callTimeoutMs: number;
  /** How long an interrupted stream may wait to be resumed (`Last-Event-ID`) before its call counts as unknown. */
  readonly resumeTimeoutMs: number;
  readonly sessionsMax: number;
  readonly sessionIdleMs: number;
  readonly toolsMax: number;
  /** Requests of one caller at one time; open streams count. */
  readonly openPerCallerMax: number;
  /** Until the end of a governed call's answer, however much the upstream says before. */
  readonly answerTimeoutMs: number;
}

export const mcpLimitsDefault: McpLimits = {
  messageBytesMax: 4 * 1024 * 1024,
  depthMax: 64,
  answerBytesMax: 16 * 1024 * 1024,
  callTimeoutMs: 300_000,
  resumeTimeoutMs: 60_000,
  sessionsMax: 10_000,
  sessionIdleMs: 30 * 60_000,
  toolsMax: 5_000,
  openPerCallerMax: 256,
  answerTimeoutMs: 60 * 60_000,
};

/**
 * What crosses of a caller's headers, besides `mcp-*`. A closed list: any other could carry credentials, or rights where
 * an upstream believes its proxy (`x-forwarded-user`), and was not judged.
 */
const forwarded: ReadonlySet<string> = new Set([
  "accept",
  "accept-language",
  "baggage",
  "last-event-id",
  "traceparent",
  "tracestate",
  "user-agent",
  "x-request-id",
]);

/** Connection headers (RFC 9110 §7.6.1), what the server sets itself, and what must never cross (credentials). */
const notReturned: ReadonlySet<string> = new Set([
  "connection",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authorization",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
  "content-length",
  "set-cookie",
  "www-authenticate",
  "content-encoding",
]);

/** A session belongs to the older era, where it was checked; `mcp-param-*` to the newer, where it was compared with the body. */
const ofOtherEra: Readonly<Record<Era, RegExp>> = {
  legacy: /^mcp-param-/,
  modern: /^(?:mcp-session-id|last-event-id)$/,
};

/** The caller's headers as they go on. A repeated header is joined by commas (RFC 9110 §5.3). A body is JSON in UTF-8. */
export function forwardedHeaders(headers: FrontHeaders, era: Era): Record<string, string> {
  const named = connectionTokens(headers["connection"]);
  const kept: Record<string, string> = {};
  for (const [name, values] of Object.entries(headers)) {
    const known = forwarded.has(name) || name.startsWith("mcp-");
    if (known && !named.has(name) && !ofOtherEra[era].test(name)) kept[name] = values.join(", ");
  }
  if (headers["content-type"] !== undefined) kept["content-type"] = "application/json";
  return kept;
}

/** The upstream's headers as they come back. */
export function returnedHeaders(
  response: HttpResponse,
): Record<string, string | readonly string[]> {
  const named = connectionTokens([response.headers["connection"] ?? []].flat());
  return Object.fromEntries(
    Object.entries(response.headers).filter(
      ([name]) => !(notReturned.has(name) || named.has(name) || name.startsWith("holdfast-")),
    ),
  );
}

function connectionTokens(values: readonly string[] | undefined): ReadonlySet<string> {
  const tokens = (values ?? []).flatMap((value) => value.split(","));
  return new Set(tokens.map((token) => token.trim().toLowerCase()));
}

/** The headers of a message the gateway itself says in the session that `headers` name. */
export function sessionHeaders(headers: Readonly<Record<string, string>>): Record<string, string> {
  const { "mcp-session-id": session, "mcp-protocol-version": version } = headers;
  return {
    "content-type": "application/json",
    accept: "application/json, text/event-stream",
    ...(session === undefined ? {} : { "mcp-session-id": session }),
    ...(version === undefined ? {} : { "mcp-protocol-version": version }),
  };
}

export interface Outgoing {
  readonly method: "POST" | "GET" | "DELETE";
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
  readonly signal?: AbortSignal;
  /** For whom (`ownerOf`). */
  readonly owner: string;
}

/** Sends once, with the gateway's own credentials. */
export async function sendUpstream(
  upstream: McpUpstream,
  out: Outgoing,
  headTimeoutMs: number,
): Promise<Result<HttpResponse, TransportError>> {
  const credentials = await upstream.credentials?.();
  if (credentials?.ok === false)
    return err({ kind: "not_sent", reason: "withheld", detail: credentials.error });
  const transport = upstream.transportFor?.(out.owner) ?? upstream.transport;
  return await transport.send({
    method: out.method,
    url: upstream.url,
    headers: { ...out.headers, ...credentials?.value },
    ...(out.body === undefined ? {} : { body: out.body }),
    headTimeoutMs,
    idleTimeoutMs: 0,
    ...(out.signal === undefined ? {} : { signal: out.signal }),
  });
}

const encoder = new TextEncoder();

export function jsonBytes(value: JsonObject): Uint8Array {
  return encoder.encode(JSON.stringify(value));
}

export function contentTypeOf(response: HttpResponse): string {
  const value = [response.headers["content-type"] ?? ""].flat()[0] ?? "";
  return (value.split(";")[0] ?? "").trim().toLowerCase();
}

/** Lets the connection of an answer go whose body nobody reads: an upstream that refuses could go on for ever. */
export function unread(response: HttpResponse): void {
  const left = response.body[Symbol.asyncIterator]().return?.();
  left?.catch(() => undefined);
}

/** The whole body; undefined when it is over `bytesMax`. Throws `TransportFailure` when the connection breaks. */
export async function wholeBody(
  response: HttpResponse,
  bytesMax: number,
): Promise<Uint8Array | undefined> {
  const pieces: Uint8Array[] = [];
  let length = 0;
  for await (const piece of response.body) {
    length += piece.length;
    if (length > bytesMax) return undefined;
    pieces.push(piece);
  }
  const whole = new Uint8Array(length);
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}

/** What an event stream of our own says of itself: no cache, no buffering by proxies. */
export const eventStreamHeaders = {
  "content-type": "text/event-stream",
  "cache-control": "no-cache, no-transform",
  "x-accel-buffering": "no",
} as const;

/** An answer made inside the gateway, in the shape of one that came from an upstream. */
export function httpResponseOf({ status, headers, body }: FrontResponse): HttpResponse {
  return { status, headers, body: body instanceof Uint8Array ? once(body) : body };
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}
