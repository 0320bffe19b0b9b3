/**
 * A tool call that waits for people, as its client sees it. From the most a client can do to the least:
 *
 * 1. it opens addresses for its user (`elicitation.url`): the user is shown the approval page;
 * 2. it speaks MCP 2026-07-28: it is answered `input_required` with nothing but a state, and calls again by itself, so
 *    that its agent sees one slow call;
 * 3. any other, and when the legs are used up: a result that names the approval and says how to come back.
 */
import { digestOf, isJsonObject, type JsonObject } from "../../../kernel/index.ts";
import type { ApprovalLegs, Leg, LegBinding } from "../../approvals/index.ts";
import type { Decision, Governed, Spine } from "../../call.ts";
import { metaKey } from "../wire/eras.ts";
import { metaOf, type RpcRequest, resultMessage } from "../wire/json-rpc.ts";
import { decisionMeta } from "../wire/refusals.ts";
import type { Exchange } from "./exchange.ts";
import { ownerOf } from "./sessions.ts";

export interface HoldRules {
  readonly legs: ApprovalLegs;
  /** How long one request of a client is held; clients give up after a minute (measured with real ones). */
  readonly legMs: number;
  readonly legsMax: number;
  /** The approval page. */
  readonly url: (approvalId: string) => string;
}

/** Requests that may be answered `input_required` (MCP 2026-07-28, multi round-trip requests). */
const heldMethods: ReadonlySet<string> = new Set(["tools/call", "prompts/get", "resources/read"]);
const retryChannel = ["requestState", "inputResponses"] as const;
/** The question to the client, and the key of its answer. */
const questionKey = "holdfast_approval";

export type Resumed =
  | { readonly ok: true; readonly message: RpcRequest; readonly leg: Leg | undefined }
  | { readonly ok: false };

export class ApprovalHold {
  readonly #exchange: Exchange;
  readonly #rules: HoldRules;
  readonly #message: RpcRequest;
  readonly #endMs: number;
  #leg: Leg | undefined;
  /** The user was asked to look at the approval, and would not. */
  #turnedDown = false;

  constructor(exchange: Exchange, rules: HoldRules, message: RpcRequest) {
    this.#exchange = exchange;
    this.#rules = rules;
    this.#message = message;
    this.#endMs = exchange.clock.monotonicMs() + rules.legMs;
  }

  /**
   * The request as the upstream is to see it: a state of ours is taken out of it, and what the upstream had given the
   * client is put back. Not ok: the state was used before, or is not this caller's for this request.
   */
  async resumed(): Promise<Resumed> {
    const { params, value } = this.#message;
    const handle = params["requestState"];
    if (!this.#rules.legs.isHandle(handle))
      return { ok: true, message: this.#message, leg: undefined };
    this.#leg = await this.#rules.legs.take(handle, this.#binding());
    if (this.#leg === undefined) return { ok: false };
    this.#turnedDown = saysNo(params["inputResponses"]);
    const restored = { ...withoutRetry(params), ...this.#leg.retry };
    const message = { ...this.#message, params: restored, value: { ...value, params: restored } };
    return { ok: true, message, leg: this.#leg };
  }

  /** Whether the approval is answered; false when this leg is over, or nobody waits any more. */
  async answered(spine: Spine, approvalId: string, signal: AbortSignal): Promise<boolean> {
    const leftMs = this.#endMs - this.#exchange.clock.monotonicMs();
    if (this.#turnedDown || leftMs <= 0 || !heldMethods.has(this.#message.method)) return false;
    if (this.#asksUser() && this.#leg === undefined) return false;
    return (await spine.answered(approvalId, leftMs, signal)) && !signal.aborted;
  }

  /** What the client is told at the end of a leg, so that it calls again; undefined when it must be told in words. */
  async next(governed: Governed<unknown>): Promise<JsonObject | undefined> {
    const { approval_id: approvalId } = governed.decision;
    const { era } = this.#exchange;
    const legs = (this.#leg?.legs ?? 0) + 1;
    if (approvalId === undefined || era !== "modern" || legs > this.#rules.legsMax)
      return undefined;
    if (this.#turnedDown || !heldMethods.has(this.#message.method)) return undefined;
    const retry = this.#leg?.retry ?? retryOf(this.#message.params);
    const handle = await this.#rules.legs.issue({ approvalId, legs, retry }, this.#binding());
    if (handle === undefined) return undefined;
    const isQuestion = this.#asksUser() && this.#leg === undefined;
    return resultMessage(this.#message.id, {
      resultType: "input_required",
      requestState: handle,
      ...(isQuestion ? { inputRequests: this.#question(governed.decision, approvalId) } : {}),
      _meta: decisionMeta(governed),
    });
  }

  /** The client can open an address for its user. */
  #asksUser(): boolean {
    const capabilities = metaOf(this.#message.params)[metaKey.clientCapabilities];
    const elicitation = isJsonObject(capabilities) ? capabilities["elicitation"] : undefined;
    return isJsonObject(elicitation) && isJsonObject(elicitation["url"]);
  }

  #question(decision: Decision, approvalId: string): JsonObject {
    const message = `${decision.tool} needs approval: ${decision.reason}`;
    const params = {
      mode: "url",
      message,
      url: this.#rules.url(approvalId),
      elicitationId: approvalId,
    };
    return { [questionKey]: { method: "elicitation/create", params } };
  }

  #binding(): LegBinding {
    const { method, params } = this.#message;
    const { _meta, ...same } = withoutRetry(params);
    return {
      owner: ownerOf(this.#exchange.identity),
      requestDigest: digestOf({ server: this.#exchange.upstream.server, method, params: same }),
    };
  }
}

/** People are asked and have not answered. */
export function pendingApproval({ decision }: Governed<unknown>): string | undefined {
  return decision.pending_state === "pending" ? decision.approval_id : undefined;
}

function saysNo(responses: unknown): boolean {
  const answer = isJsonObject(responses as JsonObject)
    ? (responses as JsonObject)[questionKey]
    : {};
  return isJsonObject(answer) && (answer["action"] === "decline" || answer["action"] === "cancel");
}

function retryOf(params: JsonObject): JsonObject {
  return Object.fromEntries(
    retryChannel.flatMap((name) => (params[name] === undefined ? [] : [[name, params[name]]])),
  ) as JsonObject;
}

function withoutRetry(params: JsonObject): JsonObject {
  const { requestState, inputResponses, ...rest } = params;
  return rest;
}
