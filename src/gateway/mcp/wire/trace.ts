/** Trace context and classes of errors of an MCP request, as the semantic conventions for MCP have them. */
import type { JsonObject } from "../../../kernel/index.ts";
import type { Judged, ToolRequest } from "../../call.ts";
import { type FrontRequest, headerOf, overrideHeader } from "../../http-front.ts";
import { metaOf, rpcCode } from "./json-rpc.ts";
import { ownKeys } from "./refusals.ts";

/**
 * The message's own context (`_meta`, SEP-414) is continued and that of the HTTP request around it linked; without one,
 * the HTTP request's is continued.
 */
export function traceOf(
  request: FrontRequest,
  params: JsonObject,
): Pick<ToolRequest, "traceparent" | "traceBeside"> {
  const { traceparent, tracestate } = metaOf(params);
  const around = headerOf(request, "traceparent");
  if (typeof traceparent === "string") {
    const state = typeof tracestate === "string" ? { tracestate } : {};
    return { traceparent, traceBeside: { ...state, ...(around === undefined ? {} : { around }) } };
  }
  if (around === undefined) return {};
  const state = request.headers["tracestate"]?.join(",");
  return { traceparent: around, traceBeside: state === undefined ? {} : { tracestate: state } };
}

/**
 * The caller's `_meta` without the gateway's own names, and with the trace as it goes on: where the caller named one, or
 * where a span of ours is the upstream's parent. Undefined when there is none.
 */
export function outgoingMeta(params: JsonObject, judged: Judged): JsonObject | undefined {
  const theirs = metaOf(params);
  const isTraced = judged.isExported === true || "traceparent" in theirs;
  if (!("_meta" in params || isTraced)) return undefined;
  const kept = Object.entries(theirs).filter(
    ([key]) => !(key.startsWith(ownKeys) || (isTraced && key === "tracestate")),
  );
  const { traceparent, tracestate } = judged;
  const trace = { traceparent, ...(tracestate === undefined ? {} : { tracestate }) };
  return { ...Object.fromEntries(kept), ...(isTraced ? trace : {}) };
}

/** The revision the caller says it speaks. */
export function versionOf(request: FrontRequest): Pick<ToolRequest, "protocolVersion"> {
  const protocolVersion = headerOf(request, "mcp-protocol-version")?.trim() ?? "";
  return /^\d{4}-\d{2}-\d{2}$/.test(protocolVersion) ? { protocolVersion } : {};
}

/** A tool call that was refused, or whose upstream failed, is answered by a result with `isError`. */
export const toolErrors: NonNullable<ToolRequest["errorClass"]> = {
  refused: "tool_error",
  failed: "tool_error",
};

/** Any other request is answered by a JSON-RPC error, whose code names it. */
export const rpcErrors: NonNullable<ToolRequest["errorClass"]> = {
  refused: String(rpcCode.denied),
  failed: String(rpcCode.internalError),
};

/** A one-time override token: under the gateway's own name in `_meta`, or in a header. */
export function overrideOf(
  request: FrontRequest,
  params: JsonObject,
): Pick<ToolRequest, "override"> {
  const inMeta = metaOf(params)[`${ownKeys}override`];
  const override = typeof inMeta === "string" ? inMeta : headerOf(request, overrideHeader);
  return override === undefined ? {} : { override };
}
