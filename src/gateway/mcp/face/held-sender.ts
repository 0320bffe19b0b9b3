/**
 * Sends held tool calls: each as one request of the stateless era, which the bridge between eras turns into a session where
 * the server needs one.
 */
import { isJsonArray, isJsonObject, type JsonObject, ok } from "../../../kernel/index.ts";
import type { Clock, HttpResponse } from "../../../ports.ts";
import type { Forwarded, Judged } from "../../call.ts";
import type { Sender } from "../../escrow/index.ts";
import { mirroredHeaders } from "../wire/eras.ts";
import { envelope } from "../wire/own-request.ts";
import { type ParamHeader, paramHeadersFor } from "../wire/param-headers.ts";
import { isInputRequired } from "../wire/refusals.ts";
import { sseEvents } from "../wire/sse.ts";
import {
  contentTypeOf,
  jsonBytes,
  type McpLimits,
  type McpUpstream,
  mcpLimitsDefault,
  type Outgoing,
  sendUpstream,
  wholeBody,
} from "../wire/upstream.ts";
import { aborted, asTransportError, type Came, forwardedOf, unknown } from "./came.ts";
import { answeredId } from "./relay.ts";
import { ownerOf } from "./sessions.ts";

/** Sends held calls of one upstream. What the server answers is recorded by its digest and told to nobody. */
export function mcpSender(
  upstream: McpUpstream,
  clock: Clock,
  given: Partial<McpLimits> = {},
): Sender {
  const limits: McpLimits = { ...mcpLimitsDefault, ...given };
  return ({ tool, identity }, carry) => {
    const name = tool.slice(upstream.server.length + 1);
    const owner = ownerOf(identity);
    return ok(async (judged) => {
      const over = new AbortController();
      const late = new AbortController();
      const ends = [late.signal, judged.timeUp ?? []].flat();
      const signal = AbortSignal.any(ends);
      const out = { method: "POST", owner, signal, ...outgoing(name, judged, carry) } as const;
      const timer = clock.sleep(limits.callTimeoutMs, over.signal).then(() => late.abort(tooLate));
      const came = await Promise.race([answered(upstream, out, limits), aborted(signal)]);
      over.abort();
      await timer;
      return heldOutcome(came);
    });
  };
}

async function answered(upstream: McpUpstream, out: Outgoing, limits: McpLimits): Promise<Came> {
  try {
    const sent = await sendUpstream(upstream, out, limits.callTimeoutMs);
    return sent.ok ? await finalMessage(sent.value, limits) : { kind: "failed", error: sent.error };
  } catch (thrown) {
    return { kind: "failed", error: asTransportError(thrown) };
  }
}

const tooLate = new DOMException("no answer came in time", "TimeoutError");

const requestId = "holdfast-escrow";

function outgoing(
  name: string,
  { args, idempotencyKey, traceparent, tracestate }: Judged,
  { meta, param_headers: declared }: JsonObject,
): { readonly headers: Record<string, string>; readonly body: Uint8Array } {
  const theirs = isJsonObject(meta) ? meta : {};
  const params = { name, arguments: args, _meta: { ...theirs, ...envelope() } };
  const mirrored = isJsonArray(declared) ? (declared as unknown as readonly ParamHeader[]) : [];
  return {
    headers: {
      "content-type": "application/json",
      accept: "application/json, text/event-stream",
      ...mirroredHeaders("tools/call", params),
      ...paramHeadersFor(mirrored, args).set,
      "idempotency-key": idempotencyKey,
      traceparent,
      ...(tracestate === undefined ? {} : { tracestate }),
    },
    body: jsonBytes({ jsonrpc: "2.0", id: requestId, method: "tools/call", params }),
  };
}

/** The answer to the call, or the whole body when the server answered with something else. */
async function finalMessage(response: HttpResponse, { answerBytesMax }: McpLimits): Promise<Came> {
  const { status } = response;
  if (contentTypeOf(response) === "text/event-stream") {
    for await (const { data } of sseEvents(response.body, answerBytesMax)) {
      const message = new TextEncoder().encode(data ?? "");
      if (isOurs(message)) return { kind: "message", message, release: () => undefined };
    }
    return { kind: "failed", error: unknown("the stream ended without an answer") };
  }
  const body = await wholeBody(response, answerBytesMax);
  if (body === undefined) return { kind: "failed", error: unknown("the answer is too large") };
  if (isOurs(body)) return { kind: "message", message: body, release: () => undefined };
  if (status === 401 || status === 403 || status < 300)
    return { kind: "failed", error: unknown(`no answer to this request (HTTP ${status})`) };
  return { kind: "response", response: { status, headers: {}, body } };
}

function isOurs(message: Uint8Array): boolean {
  return answeredId(message) === JSON.stringify(requestId);
}

/** As for a client that waits, except that nobody is there to be asked: a server that wants input has not done it. */
function heldOutcome(came: Came): Forwarded<unknown> {
  const forwarded = forwardedOf(came);
  const isQuestion = came.kind === "message" && isInputRequired(came.message);
  return isQuestion
    ? { ...forwarded, outcome: "tool_error", detail: "input_required: nobody is there to be asked" }
    : forwarded;
}
