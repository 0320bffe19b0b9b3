/**
 * What a server asks of its client. Sampling spends the client's model on the server's words, so it is an action of its
 * own: decided and recorded as `{server}:sampling/createMessage` before the client sees it. In the older era a question
 * is a request on a stream; in the stateless era it is an entry of an `input_required` result.
 */
import { hasMember, type JsonObject, sliceJson } from "../../../kernel/index.ts";
import type { Forwarded, Governed, Judged, ToolRequest } from "../../call.ts";
import { deferred } from "../wire/deferred.ts";
import { jsonValueOf } from "../wire/inbound.ts";
import { errorMessage, idKey, type RpcRequest, rpcCode, rpcMessageOf } from "../wire/json-rpc.ts";
import { actionOf, serverRequestEffect } from "../wire/methods.ts";
import { jsonBytes, sendUpstream, sessionHeaders, wholeBody } from "../wire/upstream.ts";
import type { Exchange } from "./exchange.ts";
import { isAnswer, type Screen } from "./relay.ts";
import { ownerOf } from "./sessions.ts";

/** Governs what needs it among the server's requests; anything that is no JSON-RPC message is dropped. */
export function screenOf(exchange: Exchange): Screen {
  return async (message, relay, ended) => {
    if (sliceJson(message, ["method"]) === undefined) return !isAnswer(message);
    if (!hasMember(message, ["id"])) return false;
    const value = jsonValueOf(message);
    const request = value === undefined ? undefined : rpcMessageOf(value);
    if (request?.kind !== "request") return true;
    const effect = serverRequestEffect(request.method);
    if (effect === undefined) return false;
    await new StreamQuestion(exchange, request, relay, ended).decided();
    return true;
  };
}

const notJudged = "the gateway could not decide on it";

/** One question on a stream: decided, relayed, and its outcome recorded when the client's answer comes. */
class StreamQuestion {
  readonly #exchange: Exchange;
  readonly #request: RpcRequest;
  readonly #relay: (message: Uint8Array) => Promise<void>;
  readonly #ended: AbortSignal;
  readonly #decided = deferred<void>();
  #relayed = false;

  constructor(
    exchange: Exchange,
    request: RpcRequest,
    relay: (message: Uint8Array) => Promise<void>,
    ended: AbortSignal,
  ) {
    this.#exchange = exchange;
    this.#request = request;
    this.#relay = relay;
    this.#ended = ended;
  }

  /** Resolves when the question was relayed or refused; the answer may come much later. */
  async decided(): Promise<void> {
    const { spine, log } = this.#exchange;
    const { method, params, id } = this.#request;
    const governed: Promise<Governed<undefined>> = spine.govern(
      questionRequest(this.#exchange, method, params, String(id)),
      (judged) => this.#forward(judged, () => governed),
    );
    governed
      .then(async (end) => {
        if (!this.#relayed) await this.#refuse(refusedBecause(end));
      })
      .catch(async (thrown: unknown) => {
        log.write("error", "mcp.question_failed", { detail: String(thrown) });
        if (!this.#relayed) await this.#refuse(notJudged);
      })
      .finally(() => this.#decided.resolve());
    await this.#decided.promise;
  }

  async #forward(
    judged: Judged,
    governed: () => Promise<Governed<undefined>>,
  ): Promise<Forwarded<undefined>> {
    const { questions, clock, limits, upstream } = this.#exchange;
    const { value, method, params, id } = this.#request;
    const answered = deferred<Uint8Array | undefined>();
    const key = idKey(id);
    questions.add(key, async (answer) => {
      answered.resolve(answer);
      const end = await governed();
      return end.forwarded === undefined ? this.#refusal(refusedBecause(end)) : answer;
    });
    this.#relayed = true;
    const judgedParams = actionOf(upstream.server, method, params).paramsWith(judged.args);
    await this.#relay(jsonBytes({ ...value, params: judgedParams }));
    this.#decided.resolve();
    const over = new AbortController();
    const end = AbortSignal.any([this.#ended, over.signal]);
    const late = clock.sleep(limits.callTimeoutMs, end).then(() => undefined);
    const answer = await Promise.race([answered.promise, late]);
    over.abort();
    if (answer === undefined) questions.take(key);
    return outcomeOf(answer);
  }

  async #refuse(why: string): Promise<void> {
    const { upstream, headers, identity, limits } = this.#exchange;
    const body = this.#refusal(why);
    const sent = await sendUpstream(
      upstream,
      { method: "POST", owner: ownerOf(identity), headers: sessionHeaders(headers), body },
      limits.callTimeoutMs,
    );
    if (sent.ok) await wholeBody(sent.value, limits.answerBytesMax);
  }

  /** For the server, which is told no more of the policy than that it decided. */
  #refusal(why: string): Uint8Array {
    const message = `${this.#request.method} was refused by the gateway: ${why}.`;
    return jsonBytes(errorMessage(this.#request.id, { code: rpcCode.denied, message }));
  }
}

function refusedBecause({ decision }: Governed<unknown>): string {
  return `decision=${decision.decision} call_id=${decision.call_id}`;
}

function outcomeOf(answer: Uint8Array | undefined): Forwarded<undefined> {
  if (answer === undefined) {
    const detail = "the client did not answer the server's question";
    return { outcome: "unknown", detail, resultBytes: 0, answer: undefined };
  }
  const failed = sliceJson(answer, ["result"]) === undefined;
  return {
    outcome: failed ? "tool_error" : "ok",
    resultBytes: answer.length,
    answer: undefined,
  };
}

/** What policy is asked about a request of the server. */
export function questionRequest(
  { upstream, identity }: Exchange,
  method: string,
  params: JsonObject,
  requestId: string,
): ToolRequest {
  const { tool, args } = actionOf(upstream.server, method, params);
  const effectHint = serverRequestEffect(method) ?? "write";
  return { face: "mcp", method, identity, tool, args, requestId, effectHint };
}
