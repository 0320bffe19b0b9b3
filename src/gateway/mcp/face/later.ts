/** A tool call as it can be kept, and sent when its client is gone. */
import type { JsonObject } from "../../../kernel/index.ts";
import type { Later } from "../../call.ts";
import { metaOf, type RpcRequest } from "../wire/json-rpc.ts";
import { ownKeys } from "../wire/refusals.ts";
import type { CatalogTool } from "./catalog.ts";

const kept = ["name", "arguments", "_meta"];
/** What in `_meta` belongs to the exchange and not to the call. */
const ofExchange = /^(?:io\.modelcontextprotocol\/|progressToken$|traceparent$|tracestate$)/;

/** Nothing for what is no plain tool call: a task, or an answer to a question of the server. */
export function laterCall(
  { method, params }: RpcRequest,
  tool: CatalogTool | undefined,
): { readonly later?: (callId: string) => Later } {
  if (method !== "tools/call" || !Object.keys(params).every((key) => kept.includes(key))) return {};
  return { later: (callId) => ({ carry: carryOf(params, tool), idempotencyKey: callId }) };
}

function carryOf(params: JsonObject, tool: CatalogTool | undefined): JsonObject {
  const meta = Object.entries(metaOf(params)).filter(
    ([key]) => !(key.startsWith(ownKeys) || ofExchange.test(key)),
  );
  const declared = (tool?.paramHeaders ?? []).map((each) => ({ ...each, path: [...each.path] }));
  return { meta: Object.fromEntries(meta), param_headers: declared };
}
