/** A canary asks a gateway for a decision (AuthZEN 1.0, section 6): through the real pipeline, and nothing is called. */
import { decodeEntry, type Entry, parseProof } from "../../audit/index.ts";
import {
  err,
  isJsonArray,
  isJsonObject,
  type JsonObject,
  ok,
  type Result,
} from "../../kernel/index.ts";
import type { Asking } from "./asking.ts";
import { bearer, exchange, objectIn } from "./request.ts";

export interface Question {
  readonly gatewayUrl: string;
  readonly token: string;
  readonly agent: string;
  readonly tool: string;
  readonly args: JsonObject;
}

export interface Evaluated {
  readonly isAllowed: boolean;
  /** `allow`, `deny`, `sanitize`, `approval_needed`. */
  readonly outcome: string;
  readonly reason: string;
  readonly rules: readonly string[];
  /** Why the machinery refused, where it was not the policy. */
  readonly refusal: string | undefined;
  readonly callId: string;
  readonly receipt: string | undefined;
  /** The request id that came back. */
  readonly requestId: string | undefined;
}

export async function evaluate(
  asking: Pick<Asking, "http" | "question" | "signal" | "isTimeUp">,
  { gatewayUrl, token, agent, tool, args }: Question,
): Promise<Result<Evaluated, string>> {
  const sent = await exchange(asking, {
    ...{ method: "POST", url: `${gatewayUrl.replace(/\/$/, "")}/access/v1/evaluation` },
    headers: { ...bearer(token), "x-request-id": asking.question.nonce },
    json: {
      subject: { type: "agent", id: agent },
      action: { name: "tools/call", properties: args },
      resource: { type: "tool", id: tool },
    },
  });
  if (!sent.ok) return sent;
  const { status } = sent.value;
  if (status === 401 || status === 403)
    return err(`the gateway does not let the canary ask as ${agent} (status ${status})`);
  if (status !== 200) return err(`the gateway answers with status ${status}`);
  const body = objectIn(sent.value);
  const context = body?.["context"];
  if (typeof body?.["decision"] !== "boolean" || !isJsonObject(context))
    return err("what the gateway answers is no decision of AuthZEN");
  const { outcome, reason, rules, refusal, call_id: callId, receipt } = context;
  if (typeof outcome !== "string" || typeof callId !== "string")
    return err("what the gateway answers is no decision of Holdfast");
  return ok({
    ...{ isAllowed: body["decision"], outcome, callId },
    reason: typeof reason === "string" ? reason : "",
    rules: isJsonArray(rules) ? rules.filter((rule) => typeof rule === "string") : [],
    refusal: typeof refusal === "string" ? refusal : undefined,
    receipt: typeof receipt === "string" ? receipt : undefined,
    requestId: sent.value.header("x-request-id"),
  });
}

/** The decision as it was recorded, from the receipt of the answer; its signature is not looked at here. */
export function recordedIn({ receipt, callId }: Evaluated): Entry | undefined {
  const proof = parseProof(receipt ?? "");
  const entry = proof.ok ? decodeEntry(proof.value.extra ?? new Uint8Array(0)) : proof;
  if (!entry.ok || entry.value.kind !== "decision") return undefined;
  return entry.value.call === callId ? entry.value : undefined;
}

/** The site that recorded the answer, and the nonce that came back with it. */
export function echoOf(
  answer: Evaluated,
): { readonly site: string; readonly nonce: string } | undefined {
  const site = recordedIn(answer)?.site;
  const nonce = answer.requestId;
  return site === undefined || nonce === undefined ? undefined : { site, nonce };
}
