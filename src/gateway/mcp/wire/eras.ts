/**
 * Which era a message belongs to, and the header rules of the stateless era (MCP 2026-07-28, Streamable HTTP:
 * `MCP-Protocol-Version`, `Mcp-Method`, `Mcp-Name` must equal the body; SEP-2243). A server that reads the body must
 * refuse a mismatch: an intermediary may have decided by the headers.
 */
import { isJsonObject, type JsonObject, type JsonValue } from "../../../kernel/index.ts";
import { type FrontRequest, headerOf } from "../../http-front.ts";
import { metaOf, type RpcError, type RpcMessage, rpcCode } from "./json-rpc.ts";
import { decodeHeaderValue, encodeHeaderValue } from "./param-headers.ts";

export type Era = "legacy" | "modern";

export const modernVersion = "2026-07-28";
export const legacyVersions: readonly string[] = ["2025-11-25", "2025-06-18", "2025-03-26"];

export const metaKey = {
  protocolVersion: "io.modelcontextprotocol/protocolVersion",
  clientInfo: "io.modelcontextprotocol/clientInfo",
  clientCapabilities: "io.modelcontextprotocol/clientCapabilities",
  serverInfo: "io.modelcontextprotocol/serverInfo",
  subscriptionId: "io.modelcontextprotocol/subscriptionId",
  logLevel: "io.modelcontextprotocol/logLevel",
} as const;

/** The body field that `Mcp-Name` mirrors. */
const nameSource: ReadonlyMap<string, string> = new Map([
  ["tools/call", "name"],
  ["prompts/get", "name"],
  ["resources/read", "uri"],
  ["tasks/get", "taskId"],
  ["tasks/update", "taskId"],
  ["tasks/cancel", "taskId"],
]);

export type EraAnswer =
  | { readonly ok: true; readonly era: Era }
  | { readonly ok: false; readonly error: RpcError };

/** A revision of the stateless era: dated names sort as text. */
function isModernRevision(version: string): boolean {
  return /^\d{4}-\d{2}-\d{2}$/.test(version) && version >= modernVersion;
}

/** Decides the era of a posted message from its body, and checks every mirrored header against it. */
export function eraOf(request: FrontRequest, message: RpcMessage): EraAnswer {
  const repeated = repeatedHeader(request);
  if (repeated !== undefined) return { ok: false, error: repeated };
  if (message.kind === "response") return { ok: true, era: "legacy" };
  const version = headerOf(request, "mcp-protocol-version")?.trim();
  const claim = metaOf(message.params)[metaKey.protocolVersion];
  return claim === undefined
    ? unclaimed(message, version, request)
    : claimed(message, claim, version, request);
}

const singleHeaders = [
  "last-event-id",
  "mcp-method",
  "mcp-name",
  "mcp-protocol-version",
  "mcp-session-id",
] as const;

/** What is wrong when one of MCP's own headers is sent twice: two values have no one meaning. */
export function repeatedHeader(request: FrontRequest): RpcError | undefined {
  const repeated = singleHeaders.find((name) => (request.headers[name]?.length ?? 0) > 1);
  return repeated === undefined ? undefined : mismatchError(repeated, "is sent more than once");
}

/** A body that names its revision: the header must name the same. */
function claimed(
  message: Exclude<RpcMessage, { kind: "response" }>,
  claim: JsonValue,
  version: string | undefined,
  request: FrontRequest,
): EraAnswer {
  if (typeof claim !== "string")
    return invalid(`_meta["${metaKey.protocolVersion}"] must be a string`);
  if (version !== undefined && version !== claim)
    return mismatch("mcp-protocol-version", `says ${version}, the body ${claim}`);
  if (message.kind === "notification") return mirrored(request, message);
  // The claim itself is a form of the stateless era, so a revision without that form cannot be claimed.
  if (claim !== modernVersion) return unsupported(claim);
  if (!isJsonObject(metaOf(message.params)[metaKey.clientCapabilities]))
    return invalid(`_meta["${metaKey.clientCapabilities}"] is required`);
  if (version === undefined) return mismatch("mcp-protocol-version", "is missing");
  return mirrored(request, message);
}

/** No claim in the body: the older era, unless a header says otherwise. */
function unclaimed(
  message: Exclude<RpcMessage, { kind: "response" }>,
  version: string | undefined,
  request: FrontRequest,
): EraAnswer {
  if (version === undefined || !isModernRevision(version)) return legacyMirrored(request, message);
  if (message.kind === "notification") return mirrored(request, message);
  if (message.method === "initialize")
    return mismatch("mcp-protocol-version", `says ${version}, and initialize is of an older era`);
  return invalid(
    `the header names ${version}, so params._meta["${metaKey.protocolVersion}"] is required`,
  );
}

/** An older client sends no mirrored headers; one that does must not lie. */
function legacyMirrored(
  request: FrontRequest,
  message: Exclude<RpcMessage, { kind: "response" }>,
): EraAnswer {
  if (request.headers["mcp-method"] === undefined && request.headers["mcp-name"] === undefined)
    return { ok: true, era: "legacy" };
  const checked = mirrored(request, message);
  return checked.ok ? { ok: true, era: "legacy" } : checked;
}

function mirrored(
  request: FrontRequest,
  message: Exclude<RpcMessage, { kind: "response" }>,
): EraAnswer {
  const method = headerOf(request, "mcp-method")?.trim();
  if (method === undefined && message.kind === "request")
    return mismatch("mcp-method", `is missing; the body says ${message.method}`);
  if (method !== undefined && method !== message.method)
    return mismatch("mcp-method", `says ${method}, the body ${message.method}`);
  const field = nameSource.get(message.method);
  if (field === undefined || message.kind === "notification") return { ok: true, era: "modern" };
  return nameMirrored(headerOf(request, "mcp-name"), field, message.params[field]);
}

function nameMirrored(header: string | undefined, field: string, inBody: unknown): EraAnswer {
  if (header === undefined)
    return typeof inBody === "string"
      ? mismatch("mcp-name", `is missing; the body has params.${field}`)
      : { ok: true, era: "modern" };
  const decoded = decodeHeaderValue(header.trim());
  if (decoded === undefined) return mismatch("mcp-name", "is not valid base64 inside =?base64?…?=");
  return decoded === inBody
    ? { ok: true, era: "modern" }
    : mismatch("mcp-name", `says ${decoded}, the body has another params.${field}`);
}

function mismatch(header: string, what: string): EraAnswer {
  return { ok: false, error: mismatchError(header, what) };
}

function mismatchError(header: string, what: string): RpcError {
  return {
    code: rpcCode.headerMismatch,
    message: `Header mismatch: ${header} ${what}. Send headers that equal the body.`,
    data: { mismatch: { header } },
  };
}

function invalid(what: string): EraAnswer {
  return {
    ok: false,
    error: { code: rpcCode.invalidParams, message: `Invalid params: ${what}.` },
  };
}

function unsupported(requested: string): EraAnswer {
  const data: JsonObject = { supported: [modernVersion], requested };
  return {
    ok: false,
    error: {
      code: rpcCode.unsupportedProtocolVersion,
      message: `Unsupported protocol version ${requested}.`,
      data,
    },
  };
}

/** The headers a message of the stateless era needs, from its body. */
export function mirroredHeaders(method: string, params: JsonObject): Record<string, string> {
  const field = nameSource.get(method);
  const name = field === undefined ? undefined : params[field];
  const version = metaOf(params)[metaKey.protocolVersion];
  return {
    "mcp-protocol-version": typeof version === "string" ? version : modernVersion,
    "mcp-method": method,
    ...(typeof name === "string" ? { "mcp-name": encodeHeaderValue(name) } : {}),
  };
}
