/** Reading a posted message strictly, and the errors the gateway answers by itself. */
import {
  isJsonArray,
  isJsonObject,
  type JsonObject,
  type JsonValue,
  parseJsonStrict,
} from "../../../kernel/index.ts";
import { type FrontRequest, type FrontResponse, headerOf, jsonResponse } from "../../http-front.ts";
import { limitName } from "../../limit-name.ts";
import { nearName } from "../../near-names.ts";
import {
  errorMessage,
  type RpcError,
  type RpcId,
  type RpcMessage,
  rpcCode,
  rpcMessageOf,
} from "./json-rpc.ts";
import { isKnownMethod } from "./methods.ts";
import type { McpLimits } from "./upstream.ts";

export type Inbound =
  | { readonly ok: true; readonly message: RpcMessage }
  | { readonly ok: false; readonly response: FrontResponse };

/** One JSON-RPC message, or the refusal to send back. Batches exist in revision 2025-03-26 only and are refused. */
export function readMessage(request: FrontRequest, limits: McpLimits): Inbound {
  if (!isPlainJson(request))
    return refused(
      415,
      rpcCode.invalidRequest,
      "Send Content-Type: application/json, in UTF-8 and without Content-Encoding.",
    );
  const parsed = parseJsonStrict(request.body, {
    bytesMax: limits.messageBytesMax,
    depthMax: limits.depthMax,
    caseTwins: "refuse",
  });
  if (!parsed.ok) {
    const { kind, detail } = parsed.error;
    const status = kind === "too_large" ? 413 : 400;
    return refused(
      status,
      rpcCode.parseError,
      `Not acceptable as JSON (${kind}): ${detail}${limitName(kind)}.`,
    );
  }
  if (isJsonArray(parsed.value))
    return refused(
      400,
      rpcCode.invalidRequest,
      "JSON-RPC batches are not accepted, in sessions of revision 2025-03-26 neither: each call is decided by itself. Nothing of this batch was executed; send each message as a request of its own.",
    );
  const near = nearField(parsed.value);
  if (near !== undefined)
    return refused(400, rpcCode.invalidRequest, `${near} is not a field; mind its case.`);
  const message = rpcMessageOf(parsed.value);
  return message === undefined
    ? refused(400, rpcCode.invalidRequest, "Not a JSON-RPC 2.0 message as MCP defines it.")
    : { ok: true, message };
}

/** An upstream that heeds a charset (`utf-7`) or an encoding would read other members than were judged. */
function isPlainJson(request: FrontRequest): boolean {
  const [type, ...parameters] = (headerOf(request, "content-type") ?? "")
    .split(";")
    .map((part) => part.trim().toLowerCase());
  const encoding = request.headers["content-encoding"];
  return (
    type === "application/json" &&
    parameters.every((one) => one === "" || /^charset="?utf-8"?$/.test(one)) &&
    (encoding === undefined || encoding.every((one) => one.trim().toLowerCase() === "identity"))
  );
}

const envelopeFields = ["jsonrpc", "id", "method", "params", "result", "error"] as const;
/** The fields of `params` that say which action is done, with what, and for which request. */
const paramFields = [
  "_meta",
  "name",
  "arguments",
  "uri",
  "ref",
  "argument",
  "context",
  "cursor",
  "level",
  "task",
  "taskId",
  "requestId",
  "requestState",
  "inputResponses",
  "notifications",
] as const;

function nearField(message: JsonValue): string | undefined {
  if (!isJsonObject(message)) return undefined;
  const { params } = message;
  const near = nearName(message, envelopeFields);
  if (near !== undefined || !isJsonObject(params)) return near;
  const inside = nearName(params, paramFields);
  return inside === undefined ? undefined : `params.${inside}`;
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
  if (isKnownMethod(name)) return `params.name is a method of MCP, not a tool's name: ${name}.`;
  return args === undefined || isJsonObject(args)
    ? undefined
    : "params.arguments must be an object.";
}

/** The value of a JSON text that was cut out of a larger one; undefined when it is not strict JSON. */
export function jsonValueOf(text: Uint8Array | undefined): JsonValue | undefined {
  const parsed = text === undefined ? undefined : parseJsonStrict(text);
  return parsed?.ok ? parsed.value : undefined;
}
