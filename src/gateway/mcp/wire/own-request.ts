/** Requests the gateway makes for itself: to learn an upstream's tools before the first call. */
import { type JsonObject, sliceJson } from "../../../kernel/index.ts";
import { type Era, metaKey, mirroredHeaders, modernVersion } from "./eras.ts";
import { sseEvents } from "./sse.ts";
import {
  contentTypeOf,
  jsonBytes,
  type McpLimits,
  type McpUpstream,
  sendUpstream,
  wholeBody,
} from "./upstream.ts";

const encoder = new TextEncoder();
export const ownTimeoutMs = 30_000;

/** What the gateway says about itself towards upstreams. */
export const clientName: JsonObject = { name: "holdfast", version: "0.1.0" };

export function envelope(clientCapabilities: JsonObject = {}): JsonObject {
  return {
    [metaKey.protocolVersion]: modernVersion,
    [metaKey.clientInfo]: clientName,
    [metaKey.clientCapabilities]: clientCapabilities,
  };
}

/** The answering message (result or error), or undefined when there was none. `headers` name a legacy session. */
export async function ownRequest(
  to: { readonly upstream: McpUpstream; readonly era: Era; readonly owner: string },
  request: { readonly id: string; readonly method: string; readonly params: JsonObject },
  headers: Readonly<Record<string, string>>,
  limits: McpLimits,
  signal: AbortSignal,
): Promise<Uint8Array | undefined> {
  const { upstream, era, owner } = to;
  const params = era === "modern" ? { ...request.params, _meta: envelope() } : request.params;
  const sent = await sendUpstream(
    upstream,
    {
      method: "POST",
      owner,
      signal,
      headers: {
        "content-type": "application/json",
        accept: "application/json, text/event-stream",
        ...headers,
        ...(era === "modern" ? mirroredHeaders(request.method, params) : {}),
      },
      body: jsonBytes({ jsonrpc: "2.0", id: request.id, method: request.method, params }),
    },
    ownTimeoutMs,
  );
  if (!sent.ok) return undefined;
  if (contentTypeOf(sent.value) !== "text/event-stream")
    return await wholeBody(sent.value, limits.answerBytesMax);
  for await (const event of sseEvents(sent.value.body, limits.answerBytesMax)) {
    const message = event.data === undefined ? undefined : encoder.encode(event.data);
    if (message !== undefined && isAnswer(message)) return message;
  }
  return undefined;
}

function isAnswer(message: Uint8Array): boolean {
  return sliceJson(message, ["method"]) === undefined && sliceJson(message, ["id"]) !== undefined;
}
