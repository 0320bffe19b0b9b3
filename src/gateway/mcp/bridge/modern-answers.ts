/** What an older server says, in the words of the stateless era (MCP 2026-07-28). Pure: message in, message out. */
import { isJsonObject, type JsonObject, sliceJson, spliceJson } from "../../../kernel/index.ts";
import { metaKey, modernVersion } from "../wire/eras.ts";
import { jsonValueOf } from "../wire/inbound.ts";
import { metaOf, type RpcId } from "../wire/json-rpc.ts";

/** Results that say how long they may be kept; an older server does not know, so: not at all, and for this caller only. */
const cacheable: ReadonlySet<string> = new Set([
  "tools/list",
  "prompts/list",
  "resources/list",
  "resources/templates/list",
  "resources/read",
]);

/** Adds what the stateless era requires of a result, and the caller's own id. Errors keep everything else. */
export function modernFinal(message: Uint8Array, method: string, id: RpcId): Uint8Array {
  let text = set(message, ["id"], JSON.stringify(id));
  if (sliceJson(text, ["result"]) === undefined) return text;
  text = set(text, ["result", "resultType"], '"complete"');
  if (!cacheable.has(method)) return text;
  return set(set(text, ["result", "ttlMs"], "0"), ["result", "cacheScope"], '"private"');
}

/** Parameters as an older server knows them: no envelope, no retry channel, progress under `token`. */
export function legacyParams(params: JsonObject, token: string): JsonObject {
  const { _meta, inputResponses, requestState, ...rest } = params;
  const meta = Object.fromEntries(
    Object.entries(metaOf(params)).filter(([key]) => !key.startsWith("io.modelcontextprotocol/")),
  );
  if (meta["progressToken"] !== undefined) meta["progressToken"] = token;
  return Object.keys(meta).length === 0 ? rest : { ...rest, _meta: meta };
}

/** `server/discover` answered from what the server said when it was initialized. */
export function discovered(initialized: JsonObject): JsonObject {
  const { capabilities, instructions, serverInfo } = initialized;
  return {
    resultType: "complete",
    ttlMs: 0,
    cacheScope: "private",
    supportedVersions: [modernVersion],
    capabilities: withoutLegacy(capabilities),
    ...(instructions === undefined ? {} : { instructions }),
    _meta: { [metaKey.serverInfo]: serverInfo ?? { name: "unknown", version: "0" } },
  };
}

/** Tasks of the older era are another protocol than the extension of the same name. */
function withoutLegacy(capabilities: unknown): JsonObject {
  if (!isJsonObject(capabilities as JsonObject)) return {};
  const { tasks, ...kept } = capabilities as JsonObject;
  return kept;
}

/** A question of the server to the client (sampling, elicitation, roots), as the answer to the client's request. */
export function inputRequired(id: RpcId, question: Question, requestState: string): JsonObject {
  const { method, params } = question;
  return {
    jsonrpc: "2.0",
    id,
    result: {
      resultType: "input_required",
      inputRequests: { [inputKey]: { method, params: modernQuestion(params) } },
      requestState,
    },
  };
}

/** An older server asks one thing at a time, so one name is enough. */
export const inputKey = "input";

function modernQuestion(params: JsonObject): JsonObject {
  const { elicitationId, task, _meta, ...kept } = params;
  return kept;
}

export interface Question {
  /** The server's own id, as JSON text. */
  readonly id: string;
  readonly method: string;
  readonly params: JsonObject;
}

const questions: ReadonlySet<string> = new Set([
  "sampling/createMessage",
  "elicitation/create",
  "roots/list",
]);

/** The question a message is, or undefined. */
export function questionOf(message: Uint8Array): Question | undefined {
  const id = sliceJson(message, ["id"]);
  const method = jsonValueOf(sliceJson(message, ["method"]));
  if (id === undefined || typeof method !== "string" || !questions.has(method)) return undefined;
  const params = jsonValueOf(sliceJson(message, ["params"]));
  return {
    id: new TextDecoder().decode(id),
    method,
    params: isJsonObject(params) ? params : {},
  };
}

/** Progress under the caller's own token; log lines only when asked for; anything else not. */
export function modernEvent(message: Uint8Array, params: JsonObject): Uint8Array | undefined {
  const meta = metaOf(params);
  switch (jsonValueOf(sliceJson(message, ["method"]))) {
    case "notifications/progress": {
      const token = JSON.stringify(meta["progressToken"] ?? null);
      const spliced = spliceJson(message, ["params", "progressToken"], token);
      return spliced.ok ? spliced.value : undefined;
    }
    case "notifications/message":
      return meta[metaKey.logLevel] === undefined ? undefined : message;
    default:
      return undefined;
  }
}

function set(text: Uint8Array, path: readonly [string, ...string[]], json: string): Uint8Array {
  const spliced = spliceJson(text, path, json);
  return spliced.ok ? spliced.value : text;
}
