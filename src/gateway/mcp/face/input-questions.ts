/** Questions to the client inside a result of the stateless era (`input_required`): decided before the client sees them. */
import {
  hasMember,
  isJsonObject,
  type JsonObject,
  type JsonValue,
  sliceJson,
  spliceJson,
} from "../../../kernel/index.ts";
import type { Governed } from "../../call.ts";
import { jsonValueOf } from "../wire/inbound.ts";
import { errorMessage, type RpcId, type RpcRequest, rpcCode } from "../wire/json-rpc.ts";
import { actionOf, serverRequestEffect } from "../wire/methods.ts";
import { type Asked, questionRefusal, textAt } from "../wire/refusals.ts";
import { jsonBytes } from "../wire/upstream.ts";
import type { Exchange } from "./exchange.ts";
import { questionRequest } from "./server-requests.ts";

/**
 * The answer of a server of the stateless era, with each question in it decided and recorded. Any refusal refuses the
 * whole: the client could not answer the rest alone. An answer without questions is given back as the same bytes.
 */
export async function judgedInput(
  exchange: Exchange,
  asked: Asked,
  message: Uint8Array,
): Promise<Uint8Array> {
  if (textAt(message, ["result", "resultType"]) === '"complete"') return message;
  if (!hasMember(message, ["result"]) && hasMember(message, ["error"])) return message;
  const value = jsonValueOf(sliceJson(message, ["result"]));
  if (!isJsonObject(value)) return unreadable(asked.id);
  if (value["resultType"] !== "input_required") return message;
  const { inputRequests = {} } = value;
  if (!isJsonObject(inputRequests)) return unreadable(asked.id);
  let text = message;
  for (const [name, question] of Object.entries(inputRequests)) {
    const judged = await judgedQuestion(exchange, asked, question);
    if (judged instanceof Uint8Array) return judged;
    if (judged === undefined) continue;
    const path = ["result", "inputRequests", name, "params"] as const;
    const spliced = spliceJson(text, path, JSON.stringify(judged));
    if (!spliced.ok) return unreadable(asked.id);
    text = spliced.value;
  }
  return text;
}

/** No answer of the stateless era is a way for a server to ask the client unjudged. */
export async function judgedAnswer(
  exchange: Exchange,
  { id, method }: Pick<RpcRequest, "id" | "method">,
  answer: Uint8Array,
): Promise<Uint8Array> {
  if (exchange.era !== "modern") return answer;
  const asked = { id, method, era: exchange.era, hasOutputSchema: false };
  return await judgedInput(exchange, asked, answer);
}

/** The parameters that were judged; undefined when the question passes; bytes when they are the answer instead. */
async function judgedQuestion(
  exchange: Exchange,
  asked: Asked,
  question: JsonValue | undefined,
): Promise<JsonObject | Uint8Array | undefined> {
  const { method, params = {} } = isJsonObject(question) ? question : {};
  if (typeof method !== "string" || !isJsonObject(params)) return unreadable(asked.id);
  if (serverRequestEffect(method) === undefined) return undefined;
  const governed = await governedInput(exchange, method, params, asked.id);
  return governed.forwarded?.answer ?? jsonBytes(questionRefusal(asked, method, governed));
}

/** The client's answer comes with a request of its own, which is decided again; so the outcome is that it was asked. */
function governedInput(
  exchange: Exchange,
  method: string,
  params: JsonObject,
  id: RpcId,
): Promise<Governed<JsonObject>> {
  const request = questionRequest(exchange, method, params, String(id));
  return exchange.spine.govern(request, async ({ args }) => ({
    outcome: "ok",
    detail: "input_required",
    resultBytes: 0,
    answer: actionOf(exchange.upstream.server, method, params).paramsWith(args),
  }));
}

function unreadable(id: RpcId): Uint8Array {
  const message = "The server's answer could not be read and was withheld by the gateway.";
  return jsonBytes(errorMessage(id, { code: rpcCode.internalError, message }));
}
