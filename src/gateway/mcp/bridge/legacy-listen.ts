/** `subscriptions/listen` of the stateless era over the older era's GET stream. */
import { isJsonObject, type JsonObject } from "../../../kernel/index.ts";
import type { HttpRequest } from "../../../ports.ts";
import type { FrontResponse } from "../../http-front.ts";
import { metaKey } from "../wire/eras.ts";
import { jsonValueOf } from "../wire/inbound.ts";
import { type RpcRequest, rpcMessageOf } from "../wire/json-rpc.ts";
import { Outlet } from "../wire/outlet.ts";
import { sseMessage } from "../wire/sse.ts";
import { eventStreamHeaders, type McpLimits } from "../wire/upstream.ts";
import type { LegacySession } from "./legacy-session.ts";

/** Acknowledges, subscribes to the resources that were named, and passes on the changes that were asked for. */
export async function listenOverLegacy(
  request: HttpRequest,
  message: RpcRequest,
  session: LegacySession,
  limits: McpLimits,
): Promise<FrontResponse> {
  const wanted = isJsonObject(message.params["notifications"])
    ? message.params["notifications"]
    : {};
  const signal = request.signal ?? new AbortController().signal;
  const outlet = new Outlet(signal);
  const _meta = { [metaKey.subscriptionId]: message.id };
  outlet.begin(200, eventStreamHeaders);
  const tell = async (method: string, params: JsonObject): Promise<void> =>
    await outlet.write(
      sseMessage(JSON.stringify({ jsonrpc: "2.0", method, params: { ...params, _meta } })),
    );
  const uris = Array.isArray(wanted["resourceSubscriptions"])
    ? wanted["resourceSubscriptions"]
    : [];
  const relay = async (): Promise<void> => {
    await tell("notifications/subscriptions/acknowledged", { notifications: wanted });
    for (const uri of uris)
      await session.tell({
        jsonrpc: "2.0",
        id: session.nextId(),
        method: "resources/subscribe",
        params: { uri },
      });
    const hear = (said: Uint8Array): void => {
      const value = jsonValueOf(said);
      const notice = value === undefined ? undefined : rpcMessageOf(value);
      if (notice?.kind === "notification" && isWanted(notice.method, notice.params, wanted))
        tell(notice.method, notice.params).catch(() => undefined);
    };
    session.hear(hear, signal);
    session.openStream(limits.answerBytesMax);
  };
  relay().catch(() => outlet.end());
  return await outlet.response;
}

function isWanted(method: string, params: JsonObject, wanted: JsonObject): boolean {
  switch (method) {
    case "notifications/tools/list_changed":
      return wanted["toolsListChanged"] === true;
    case "notifications/prompts/list_changed":
      return wanted["promptsListChanged"] === true;
    case "notifications/resources/list_changed":
      return wanted["resourcesListChanged"] === true;
    case "notifications/resources/updated": {
      const uris = wanted["resourceSubscriptions"];
      return Array.isArray(uris) && uris.includes(params["uri"]);
    }
    default:
      return false;
  }
}
