/** Sends a judged call to its upstream once, and says what became of it. */

import type { Identity } from "../../identity/index.ts";
import { err, type Result, sha256Hex } from "../../kernel/index.ts";
import type { Effect } from "../../policy/index.ts";
import {
  type HttpRequest,
  type HttpResponse,
  type HttpTransport,
  type TransportError,
  TransportFailure,
} from "../../ports.ts";
import type { Forwarded, Judged } from "../call.ts";
import { healthOfFailure, healthOfStatus } from "../health.ts";
import type { FrontRequest } from "../http-front.ts";
import type { UpstreamAnswer } from "./answer.ts";
import { writeRequest } from "./arguments.ts";
import type { ReadBody } from "./body.ts";
import { requestHeaders, responseHeaders, upstreamIdempotencyKey } from "./headers.ts";
import type { HttpUpstream } from "./http-tools.ts";
import type { HttpToolLimits } from "./refusal.ts";
import type { HttpRoute } from "./routes.ts";

/** One call, resolved. */
export interface ResolvedCall {
  readonly upstream: HttpUpstream;
  readonly route: HttpRoute;
  readonly effect: Effect;
  readonly tool: string;
  readonly identity: Identity;
  readonly body: ReadBody;
  readonly clientKey: string | undefined;
}

/** What is left to be known of the request: its headers are not judged, and only some of them cross. */
export type SentFor = Pick<FrontRequest, "method" | "headers" | "signal">;

/** Never throws: a broken upstream is an outcome. */
export async function sendJudged(
  call: ResolvedCall,
  judged: Judged,
  request: SentFor,
  transport: HttpTransport,
  limits: HttpToolLimits,
): Promise<Forwarded<UpstreamAnswer>> {
  const written = writeRequest(call.route, call.body, judged.args);
  if (!written.ok) {
    const detail = `The judged request cannot be sent: ${written.error}.`;
    return { ...failed("not_sent", 403, detail), health: { kind: "unsaid" } };
  }
  const { target, body } = written.value;
  const url = call.upstream.baseUrl.replace(/\/$/, "") + target;
  const sent = await sendOnce(transport, {
    method: request.method,
    url,
    headers: upstreamHeaders(call, judged, request, body !== undefined),
    ...(body === undefined ? {} : { body }),
    headTimeoutMs: limits.headTimeoutMs,
    idleTimeoutMs: limits.idleTimeoutMs,
    ...signalOf(call, judged, request),
  });
  if (!sent.ok) return failure(sent.error);
  const received = await receive(call, sent.value, url, limits);
  if (judged.isDryRun === true) return unheard(received);
  return request.method === "HEAD" ? withoutBody(received) : received;
}

/** A write is awaited even when the client is gone: to know what it did is worth more than to stop waiting. */
function signalOf(
  { effect }: ResolvedCall,
  { timeUp }: Judged,
  request: SentFor,
): { readonly signal?: AbortSignal } {
  const ends = [timeUp ?? [], effect === "read" ? request.signal : []].flat();
  const [only] = ends;
  if (only === undefined) return {};
  return { signal: ends.length === 1 ? only : AbortSignal.any(ends) };
}

/** Nobody reads what it says; its connection is let go. */
export function unheard(received: Forwarded<UpstreamAnswer>): Forwarded<UpstreamAnswer> {
  const { answer } = received;
  if (answer.kind === "failed" || answer.response.body instanceof Uint8Array) return received;
  const left = answer.response.body[Symbol.asyncIterator]().return?.();
  left?.catch(() => undefined);
  return received;
}

/** To a HEAD the upstream's Content-Length speaks of a body that is not sent; a stream leaves that header alone. */
function withoutBody(received: Forwarded<UpstreamAnswer>): Forwarded<UpstreamAnswer> {
  const { answer } = received;
  if (answer.kind !== "response") return received;
  return { ...received, answer: { ...answer, response: { ...answer.response, body: nothing() } } };
}

async function* nothing(): AsyncGenerator<Uint8Array> {
  // No pieces.
}

/** A transport that throws has broken its promise; what it had sent by then nobody knows. */
async function sendOnce(
  transport: HttpTransport,
  request: HttpRequest,
): Promise<Result<HttpResponse, TransportError>> {
  try {
    return await transport.send(request);
  } catch (thrown) {
    return err({ kind: "unknown", reason: "broken", detail: String(thrown) });
  }
}

function upstreamHeaders(
  call: ResolvedCall,
  judged: Judged,
  request: SentFor,
  hasBody: boolean,
): Record<string, string> {
  const { upstream, effect, body } = call;
  const headers = requestHeaders(request.headers, upstream.forwardHeaders);
  // The answer is inspected and rewritten, so it must come unencoded.
  headers["accept-encoding"] = "identity";
  headers["traceparent"] = judged.traceparent;
  if (judged.tracestate !== undefined) headers["tracestate"] = judged.tracestate;
  if (hasBody && body.contentType !== "") headers["content-type"] = body.contentType;
  if (effect === "write") {
    headers["idempotency-key"] = upstreamIdempotencyKey(
      call.identity,
      call.tool,
      judged.isDryRun === true ? undefined : call.clientKey,
      judged.idempotencyKey,
    );
  }
  return { ...headers, ...upstream.headers };
}

async function receive(
  call: ResolvedCall,
  response: HttpResponse,
  url: string,
  limits: HttpToolLimits,
): Promise<Forwarded<UpstreamAnswer>> {
  const { status } = response;
  const headers = responseHeaders(
    response.headers,
    call.upstream.baseUrl,
    url,
    `/http/${call.upstream.name}`,
  );
  const outcome = status >= 400 ? "tool_error" : "ok";
  const statusCode = status;
  const detail = status >= 400 ? { detail: `status ${status}` } : {};
  const health = healthOfStatus(status, response.headers);
  const held = isEventStream(headers)
    ? { whole: false as const, body: response.body }
    : await hold(response.body, limits.holdBytesMax);
  if ("broken" in held) return failure(held.broken);
  if (!held.whole) {
    const answer = { kind: "response", response: { status, headers, body: held.body } } as const;
    return {
      outcome,
      detail: `status ${status}, streamed`,
      statusCode,
      health,
      resultBytes: 0,
      answer,
    };
  }
  const { body } = held;
  return {
    outcome,
    ...detail,
    statusCode,
    health,
    resultDigest: `sha256:${sha256Hex(body)}`,
    resultBytes: body.length,
    answer: { kind: "response", response: { status, headers, body } },
  };
}

function isEventStream(headers: Readonly<Record<string, string | readonly string[]>>): boolean {
  return [headers["content-type"]].flat()[0]?.startsWith("text/event-stream") ?? false;
}

type Held =
  | { readonly whole: true; readonly body: Uint8Array }
  | { readonly whole: false; readonly body: AsyncIterable<Uint8Array> }
  | { readonly broken: TransportError };

/** Waits for the whole body up to `bytesMax`; beyond it, what came goes on as a stream. */
async function hold(body: AsyncIterable<Uint8Array>, bytesMax: number): Promise<Held> {
  const pieces: Uint8Array[] = [];
  let bytes = 0;
  const rest = body[Symbol.asyncIterator]();
  try {
    for (;;) {
      const next = await rest.next();
      if (next.done === true) return { whole: true, body: Buffer.concat(pieces) };
      pieces.push(next.value);
      bytes += next.value.length;
      if (bytes > bytesMax) return { whole: false, body: resume(pieces, rest) };
    }
  } catch (thrown) {
    if (thrown instanceof TransportFailure) return { broken: thrown.error };
    const detail = `the answer broke off: ${String(thrown)}`;
    return { broken: { kind: "unknown", reason: "broken", detail } };
  }
}

async function* resume(
  pieces: readonly Uint8Array[],
  rest: AsyncIterator<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  try {
    yield* pieces;
    for (let next = await rest.next(); next.done !== true; next = await rest.next()) {
      yield next.value;
    }
  } finally {
    await rest.return?.();
  }
}

function failure(error: TransportError): Forwarded<UpstreamAnswer> {
  const { kind, reason, detail } = error;
  const status = reason === "timeout" ? 504 : 502;
  return { ...failed(kind, status, `${reason}: ${detail}`), health: healthOfFailure(error) };
}

function failed(
  outcome: "not_sent" | "unknown",
  status: number,
  detail: string,
): Forwarded<UpstreamAnswer> {
  return { outcome, detail, resultBytes: 0, answer: { kind: "failed", status, detail } };
}
