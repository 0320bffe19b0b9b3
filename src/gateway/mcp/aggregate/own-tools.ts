/**
 * The gateway's own tools on the aggregate, for agents that can set neither headers nor `_meta`: `holdfast.approval_status`
 * looks after a question, `holdfast.approval_redeem` makes the approved call with its token. The first reads what is the
 * agent's own; the second is the approved call itself, governed as that. So neither asks policy for itself.
 */
import { isJsonObject, type JsonObject } from "../../../kernel/index.ts";
import type { ApprovalStatus } from "../../approvals/index.ts";
import type { Identifier } from "../../call.ts";
import {
  emptyResponse,
  type FrontFace,
  type FrontResponse,
  jsonResponse,
} from "../../http-front.ts";
import { type Era, eraOf, metaKey, modernVersion } from "../wire/eras.ts";
import { readMessage, rpcErrorResponse } from "../wire/inbound.ts";
import { metaOf, type RpcRequest, resultMessage, rpcCode } from "../wire/json-rpc.ts";
import { ownKeys } from "../wire/refusals.ts";
import type { McpLimits } from "../wire/upstream.ts";
import { serverInfo } from "./aggregate-identity.ts";

/** No upstream may be called so. */
export const ownServer = "holdfast";
const statusTool = "approval_status";
const redeemTool = "approval_redeem";

const tools: readonly JsonObject[] = [
  {
    name: statusTool,
    description:
      "Where an approval that you asked for stands, and the one-time override token once people have granted it.",
    inputSchema: {
      type: "object",
      properties: { approval_id: { type: "string", description: "As the refused call named it." } },
      required: ["approval_id"],
      additionalProperties: false,
    },
    annotations: { readOnlyHint: true },
  },
  {
    name: redeemTool,
    description:
      "Makes the call that people have approved, once. The arguments must be those that were approved. Calling the tool itself again does the same.",
    inputSchema: {
      type: "object",
      properties: {
        override_token: { type: "string", description: `From ${ownServer}.${statusTool}.` },
        tool: { type: "string", description: "The approved tool, server.tool." },
        arguments: { type: "object" },
      },
      required: ["override_token", "tool"],
      additionalProperties: false,
    },
  },
];

export interface OwnToolsParts {
  readonly identifier: Identifier;
  readonly status: ApprovalStatus;
  readonly limits: McpLimits;
}

/** The tools as one more server of the aggregate, in both eras. */
export function ownTools(parts: OwnToolsParts): FrontFace {
  return async (request) => {
    if (request.method !== "POST") return emptyResponse(405, { allow: "POST" });
    const read = readMessage(request, parts.limits);
    if (!read.ok) return read.response;
    const { message } = read;
    if (message.kind !== "request") return emptyResponse(202);
    const era = eraOf(request, message);
    if (!era.ok) return rpcErrorResponse(400, message.id, era.error);
    const who = await parts.identifier.identify(request.headers, request);
    if (!who.ok) return emptyResponse(who.status, { "www-authenticate": who.challenge });
    return await answered(message, era.era, (id) => parts.status(who.identity, id));
  };
}

async function answered(
  message: RpcRequest,
  era: Era,
  look: (id: string) => ReturnType<ApprovalStatus>,
): Promise<FrontResponse> {
  const { id, method, params } = message;
  const complete = era === "modern" ? { resultType: "complete" } : {};
  const tell = (result: JsonObject): FrontResponse =>
    jsonResponse(200, resultMessage(id, { ...complete, ...result }));
  const shared = { capabilities: { tools: {} } };
  switch (method) {
    case "initialize":
      return tell({
        protocolVersion: params["protocolVersion"] ?? null,
        ...shared,
        serverInfo,
      });
    case "server/discover":
      return tell({
        ...{ ttlMs: 0, cacheScope: "private", supportedVersions: [modernVersion], ...shared },
        _meta: { [metaKey.serverInfo]: serverInfo },
      });
    case "tools/list":
      return tell({ tools, ...(era === "modern" ? { ttlMs: 0, cacheScope: "private" } : {}) });
    case "tools/call":
      return tell(await called(params, look));
    case "ping":
      return tell({});
    default:
      return rpcErrorResponse(era === "modern" ? 404 : 200, id, {
        code: rpcCode.methodNotFound,
        message: `${method} is not served by ${ownServer}.`,
      });
  }
}

async function called(
  { name, arguments: args }: JsonObject,
  look: (id: string) => ReturnType<ApprovalStatus>,
): Promise<JsonObject> {
  const asked = isJsonObject(args) ? args["approval_id"] : undefined;
  if (name !== statusTool || typeof asked !== "string")
    return failed(`Use ${ownServer}.${statusTool} with { "approval_id": "apr-…" }.`);
  const found = await look(asked);
  if (found.ok)
    return {
      content: [{ type: "text", text: JSON.stringify(found.value) }],
      structuredContent: found.value,
    };
  return failed(
    found.error === "not_found"
      ? `You have asked for no approval ${asked}; the refused call names it as approval_id.`
      : "The store cannot be reached; try again in a minute.",
  );
}

function failed(text: string): JsonObject {
  return { isError: true, content: [{ type: "text", text }] };
}

/** The approved call that a call of `holdfast.approval_redeem` stands for; undefined for any other call. */
export function redeemedCall(params: JsonObject): JsonObject | undefined {
  if (params["name"] !== `${ownServer}.${redeemTool}`) return undefined;
  const args = isJsonObject(params["arguments"]) ? params["arguments"] : {};
  const { tool, override_token: token, arguments: approved } = args;
  if (typeof tool !== "string" || typeof token !== "string") return undefined;
  return {
    ...params,
    name: tool,
    ...(approved === undefined ? { arguments: {} } : { arguments: approved }),
    _meta: { ...metaOf(params), [`${ownKeys}override`]: token },
  };
}
