/** Reading a posted message strictly, and the errors the gateway answers by itself. */
import {
  isJsonArray,
  isJsonObject,
  type JsonObject,
  type JsonValue,
  parseJsonStrict,
} from "../../kernel/index.ts";
import { type FrontRequest, type FrontResponse, headerOf, jsonResponse } from "../http-front.ts";
import {
  errorMessage,
  type RpcError,
  type RpcId,
  type RpcMessage,
  rpcCode,
  rpcMessageOf,
} from "./json-rpc.ts";
import type { McpLimits } from "./upstream.ts";

export type Inbound =
  | { readonly ok: true; readonly message: RpcMessage }
  | { readonly ok: false; readonly response: FrontResponse };

/** One JSON-RPC message, or the refusal to send back. Batches exist in revision 2025-03-26 only and are refused. */
export function readMessage(request: FrontRequest, limits: McpLimits): Inbound {
  const type = headerOf(request, "content-type")?.split(";")[0]?.trim().toLowerCase();
  if (type !== "application/json")
    return refused(415, rpcCode.invalidRequest, "Send Content-Type: application/json.");
  const parsed = parseJsonStrict(request.body, {
    bytesMax: limits.messageBytesMax,
    depthMax: limits.depthMax,
  });
  if (!parsed.ok) {
    const { kind, detail } = parsed.error;
    const status = kind === "too_large" ? 413 : 400;
    return refused(status, rpcCode.parseError, `Not acceptable as JSON (${kind}): ${detail}.`);
  }
  if (isJsonArray(parsed.value))
    return refused(
      400,
      rpcCode.invalidRequest,
      "JSON-RPC batches are not accepted, in sessions of revision 2025-03-26 neither: each call is decided by itself. Nothing of this batch was executed; send each message as a request of its own.",
    );
  const message = rpcMessageOf(parsed.value);
  return message === undefined
    ? refused(400, rpcCode.invalidRequest, "Not a JSON-RPC 2.0 message as MCP defines it.")
    : { ok: true, message };
}

function refused(status: number, code: number, message: string): Inbound {
  return { ok: false, response: rpcErrorResponse(status, null, { code, message }) };
}

export function rpcErrorResponse(
  status: number,
  id: RpcId | null,
  error: RpcError,
  headers: Readonly<Record<string, string>> = {},
): FrontResponse {
  return jsonResponse(status, errorMessage(id, error), headers);
}

/** For requests that carry no action; a governed call tells its failure in its own form. */
export function unreachable(id: RpcId | null, detail: string): FrontResponse {
  const message = `The MCP server behind the gateway could not answer: ${detail}.`;
  return rpcErrorResponse(502, id, { code: rpcCode.internalError, message });
}

/** MCP Streamable HTTP, session management: 404 tells the client to initialize anew. */
export function sessionNotFound(id: RpcId | null): FrontResponse {
  const message = "Session not found. Send initialize to open a new one.";
  return rpcErrorResponse(404, id, { code: -32001, message });
}

/** What is wrong with the parameters of a tool call, or undefined. */
export function callFault(params: JsonObject): string | undefined {
  const { name, arguments: args } = params;
  if (typeof name !== "string" || name === "") return "params.name must be a tool's name.";
  return args === undefined || isJsonObject(args)
    ? undefined
    : "params.arguments must be an object.";
}

/** The value of a JSON text that was cut out of a larger one; undefined when it is not strict JSON. */
export function jsonValueOf(text: Uint8Array | undefined): JsonValue | undefined {
  const parsed = text === undefined ? undefined : parseJsonStrict(text);
  return parsed?.ok ? parsed.value : undefined;
}
