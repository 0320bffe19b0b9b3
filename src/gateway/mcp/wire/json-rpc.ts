/** JSON-RPC 2.0 as MCP uses it: ids are strings or integers, `params` is an object. */
import { isJsonObject, type JsonObject, type JsonValue } from "../../../kernel/index.ts";

export type RpcId = string | number;

export type RpcMessage =
  | ({ readonly kind: "request"; readonly id: RpcId; readonly method: string } & Body)
  | ({ readonly kind: "notification"; readonly method: string } & Body)
  | { readonly kind: "response"; readonly id: RpcId; readonly value: JsonObject };

interface Body {
  readonly params: JsonObject;
  /** The whole message. */
  readonly value: JsonObject;
}

export type RpcRequest = Extract<RpcMessage, { kind: "request" }>;

/** Codes of JSON-RPC 2.0 and of MCP 2026-07-28. */
export const rpcCode = {
  parseError: -32700,
  invalidRequest: -32600,
  methodNotFound: -32601,
  invalidParams: -32602,
  internalError: -32603,
  /** Refused by policy, for methods whose result cannot carry `isError`. */
  denied: -32003,
  headerMismatch: -32020,
  missingClientCapability: -32021,
  unsupportedProtocolVersion: -32022,
} as const;

export interface RpcError {
  readonly code: number;
  readonly message: string;
  readonly data?: JsonObject;
}

/** The message a value is, or undefined when it is none. */
export function rpcMessageOf(value: JsonValue): RpcMessage | undefined {
  if (!isJsonObject(value) || value["jsonrpc"] !== "2.0") return undefined;
  const { id, method, params } = value;
  if (method === undefined) {
    const answers = Number("result" in value) + Number("error" in value);
    return answers === 1 && isRpcId(id) ? { kind: "response", id, value } : undefined;
  }
  if (typeof method !== "string" || "result" in value || "error" in value) return undefined;
  if (params !== undefined && !isJsonObject(params)) return undefined;
  const body = { method, params: params ?? {}, value };
  if (!("id" in value)) return { kind: "notification", ...body };
  return isRpcId(id) ? { kind: "request", id, ...body } : undefined;
}

function isRpcId(id: JsonValue | undefined): id is RpcId {
  return typeof id === "string" || (typeof id === "number" && Number.isSafeInteger(id));
}

/** Distinguishes `1` from `"1"`. */
export function idKey(id: RpcId): string {
  return JSON.stringify(id);
}

export function errorMessage(id: RpcId | null, error: RpcError): JsonObject {
  const { code, message, data } = error;
  return {
    jsonrpc: "2.0",
    id,
    error: { code, message, ...(data === undefined ? {} : { data }) },
  };
}

export function resultMessage(id: RpcId, result: JsonObject): JsonObject {
  return { jsonrpc: "2.0", id, result };
}

/** `params._meta`, empty when absent or not an object. */
export function metaOf(params: JsonObject): JsonObject {
  const meta = params["_meta"];
  return isJsonObject(meta) ? meta : {};
}
