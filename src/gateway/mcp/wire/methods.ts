/**
 * What Holdfast does with each MCP method. The table is closed: a request it does not name is governed as a write with
 * the id `server:{method}`, so nothing new on the wire can become a way around policy.
 */
import { type JsonObject, type ToolId, toolId } from "../../../kernel/index.ts";
import type { Effect } from "../../../policy/index.ts";
import { metaOf } from "./json-rpc.ts";

export type Treatment =
  /** Decided, recorded, and sent as the re-serialised value that was judged. */
  | { readonly kind: "governed"; readonly effect: Effect | "tool"; readonly why: string }
  /** Carries no action: bytes pass as they are. */
  | { readonly kind: "raw"; readonly why: string }
  /** Passed, and its answer filtered. */
  | { readonly kind: "tools_list"; readonly why: string };

const governed = (effect: Effect | "tool", why: string): Treatment => ({
  kind: "governed",
  effect,
  why,
});
const raw = (why: string): Treatment => ({ kind: "raw", why });

const requests: ReadonlyMap<string, Treatment> = new Map([
  ["tools/call", governed("tool", "the action itself; read or write as the catalog says")],
  ["resources/read", governed("read", "gives content to the agent")],
  ["prompts/get", governed("read", "gives content to the agent")],
  ["completion/complete", governed("read", "gives values to the agent")],
  ["tasks/get", governed("read", "state and result of an earlier call")],
  ["tasks/result", governed("read", "result of an earlier call")],
  ["tasks/list", governed("read", "calls of others may show")],
  ["tasks/update", governed("write", "feeds input into a running call")],
  ["tasks/cancel", governed("write", "stops a running call")],
  ["tools/list", { kind: "tools_list", why: "shows only what policy could ever allow" }],
  ["initialize", raw("lifecycle")],
  ["server/discover", raw("lifecycle")],
  ["ping", raw("lifecycle")],
  ["logging/setLevel", raw("verbosity of the caller's own session")],
  ["resources/list", raw("names only; reading is governed")],
  ["resources/templates/list", raw("names only; reading is governed")],
  ["prompts/list", raw("names only; getting is governed")],
  ["resources/subscribe", raw("tells that something changed, not what; reading is governed")],
  ["resources/unsubscribe", raw("ends a subscription")],
  ["subscriptions/listen", raw("tells that something changed, not what")],
]);

/** Notifications of a client that pass. Any other is refused: a server might act on it. */
export const clientNotifications: ReadonlySet<string> = new Set([
  "notifications/initialized",
  "notifications/cancelled",
  "notifications/progress",
  "notifications/roots/list_changed",
]);

/** Whether the table names the method. */
export function isKnownMethod(method: string): boolean {
  return requests.has(method);
}

export function treatmentOf(method: string): Treatment {
  return requests.get(method) ?? governed("write", "unknown to this gateway");
}

/** Requests of a server that pass to the client. */
const passingServerRequests: ReadonlySet<string> = new Set([
  "ping",
  // The user answers it and sees who asks.
  "elicitation/create",
  // Tells the server where it may work; the client chose that.
  "roots/list",
]);

/** How a request of the server to the client is governed; undefined when it passes. */
export function serverRequestEffect(method: string): Effect | undefined {
  if (passingServerRequests.has(method)) return undefined;
  return method === "sampling/createMessage" ? "read" : "write";
}

/** Governed requests other than a tool call, with their effect: policy may name each as `server:{method}`. */
export const governedMethods: ReadonlyMap<string, Effect> = new Map(
  [...requests].flatMap(([method, treatment]) =>
    treatment.kind === "governed" && treatment.effect !== "tool"
      ? [[method, treatment.effect]]
      : [],
  ),
);

/** What policy is asked about. */
export interface GovernedAction {
  readonly tool: ToolId;
  readonly args: JsonObject;
  /** Puts judged arguments back in their place. */
  readonly paramsWith: (args: JsonObject) => JsonObject;
}

/**
 * The id and the arguments of a governed request: `server:tool` and `arguments` for a tool call, `server:{method}` and
 * the parameters without `_meta` and the retry channel (`inputResponses`, `requestState`) for any other.
 */
export function actionOf(server: string, method: string, params: JsonObject): GovernedAction {
  if (method === "tools/call") {
    const args = params["arguments"];
    return {
      tool: toolId(server, String(params["name"])),
      args: typeof args === "object" && args !== null ? (args as JsonObject) : {},
      paramsWith: (judged) =>
        args === undefined && Object.keys(judged).length === 0
          ? params
          : { ...params, arguments: judged },
    };
  }
  const { _meta, inputResponses, requestState, ...args } = params;
  const channel = {
    ...("_meta" in params ? { _meta: metaOf(params) } : {}),
    ...(inputResponses === undefined ? {} : { inputResponses }),
    ...(requestState === undefined ? {} : { requestState }),
  };
  return {
    tool: toolId(server, method),
    args,
    paramsWith: (judged) => ({ ...judged, ...channel }),
  };
}
