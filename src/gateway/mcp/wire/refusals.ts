/**
 * How a decision is told. Agent frameworks show their model only the text of a tool result, and some hide JSON-RPC
 * errors, so for a tool call "no" is a result with `isError` whose first text block stands on its own.
 */
import {
  hasMember,
  type JsonObject,
  type JsonValue,
  sliceJson,
  spliceJson,
} from "../../../kernel/index.ts";
import type { TransportError } from "../../../ports.ts";
import { attemptsText } from "../../attempts.ts";
import type { Decision, Governed } from "../../call.ts";
import type { Era } from "./eras.ts";
import { errorMessage, type RpcId, resultMessage, rpcCode } from "./json-rpc.ts";

/** Names under which only the gateway speaks. */
export const ownKeys = "io.holdfast/";
const decisionKey = "io.holdfast/decision";
const receiptKey = "io.holdfast/receipt";

const verdictWords: Readonly<Record<Decision["decision"], string>> = {
  allow: "Allowed",
  sanitize: "Allowed with changes",
  deny: "Denied",
  approval_needed: "Approval needed",
};

/** One paragraph that a model can act on without seeing anything else. */
export function decisionText(decision: Decision): string {
  const { determining_rules: rules, approval_id: approval, retry_after_ms: wait } = decision;
  const { escrow_id: escrow } = decision;
  const word = escrow === undefined ? verdictWords[decision.decision] : "Queued for people";
  return [
    `${word}: ${decision.tool} was not executed.`,
    `Reason: ${decision.reason}`,
    `decision=${decision.decision}`,
    `rule=${rules.length === 0 ? "none (default deny)" : rules.join(", ")}`,
    `policy_version=${decision.policy_version}`,
    ...(approval === undefined ? [] : [`approval_id=${approval}`]),
    ...(wait === undefined ? [] : [`retry_after_ms=${wait}`]),
    ...(escrow === undefined ? [] : [`escrow_id=${escrow}`]),
    `call_id=${decision.call_id}`,
    `What to do next: ${decision.next}`,
  ].join("\n");
}

export function decisionMeta(governed: Governed<unknown>): JsonObject {
  return {
    [decisionKey]: governed.decision as unknown as JsonValue,
    ...(governed.receipt === undefined ? {} : { [receiptKey]: governed.receipt }),
  };
}

/** The request an answer is for. */
export interface Asked {
  readonly id: RpcId;
  readonly method: string;
  readonly era: Era;
  /**
   * The tool promises a shape for `structuredContent`. Official clients of the 1.x line check it even when `isError` is
   * set, and would show their model a schema error instead of the refusal.
   */
  readonly hasOutputSchema: boolean;
}

/** The answer to a request that was not forwarded. */
export function refusalMessage(asked: Asked, governed: Governed<unknown>): JsonObject {
  return told(asked, governed, decisionText(governed.decision), rpcCode.denied);
}

/** The answer to a request that was allowed, and whose server then asked the client for what policy refuses. */
export function questionRefusal(
  asked: Asked,
  question: string,
  governed: Governed<unknown>,
): JsonObject {
  const text = `${asked.method} was allowed, but its server asked you for ${question}, which was not.`;
  return told(asked, governed, `${text}\n${decisionText(governed.decision)}`, rpcCode.denied);
}

/** The answer to a request that was allowed, and whose upstream failed. */
export function failureMessage(
  asked: Asked,
  governed: Governed<unknown>,
  error: TransportError,
): JsonObject {
  const { tool, call_id } = governed.decision;
  // What an earlier attempt may have done is not told as not done.
  const outcome = governed.forwarded?.outcome ?? error.kind;
  const again = governed.forwarded === undefined ? undefined : attemptsText(governed.forwarded);
  const what =
    outcome === "not_sent"
      ? `Not executed: ${tool} was allowed, but its server could not be reached. It saw nothing; trying again is safe.`
      : `Outcome unknown: ${tool} was allowed and sent, but no complete answer came. It may have taken effect; check before trying again.`;
  const text = [
    what,
    ...(again === undefined ? [] : [again]),
    `Reason: ${error.reason}: ${error.detail}`,
    `outcome=${outcome}`,
    `call_id=${call_id}`,
  ].join("\n");
  return told(asked, governed, text, rpcCode.internalError);
}

function told(asked: Asked, governed: Governed<unknown>, text: string, code: number): JsonObject {
  const meta = decisionMeta(governed);
  if (asked.method !== "tools/call")
    return errorMessage(asked.id, { code, message: text, data: meta });
  return resultMessage(asked.id, {
    content: [{ type: "text", text }],
    isError: true,
    ...(asked.hasOutputSchema
      ? {}
      : { structuredContent: governed.decision as unknown as JsonObject }),
    ...(asked.era === "modern" ? { resultType: "complete" } : {}),
    _meta: meta,
  });
}

/**
 * The upstream's answer with decision and receipt added under `result._meta`; every other byte stays. An error and an
 * `input_required` result pass as they are, unless the upstream itself wrote under the gateway's names: then they are
 * written over. Undefined when the answer has no one reading.
 */
export function withDecision(
  message: Uint8Array,
  governed: Governed<unknown>,
): Uint8Array | undefined {
  const hasResult = hasMember(message, ["result"]);
  if (!(hasResult || hasMember(message, ["error"]))) return undefined;
  const place = hasResult ? (["result", "_meta"] as const) : (["error", "data"] as const);
  const always = hasResult && !isInputRequired(message);
  let text = message;
  for (const [key, value] of Object.entries({ [receiptKey]: null, ...decisionMeta(governed) })) {
    const path = [...place, key] as const;
    if (!(hasMember(text, path) || (always && value !== null))) continue;
    const spliced = spliceJson(text, path, JSON.stringify(value));
    if (!spliced.ok) return undefined;
    text = spliced.value;
  }
  return text;
}

export function isInputRequired(message: Uint8Array): boolean {
  return textAt(message, ["result", "resultType"]) === '"input_required"';
}

/** The JSON text at a path. */
export function textAt(
  message: Uint8Array,
  path: readonly [string, ...string[]],
): string | undefined {
  const slice = sliceJson(message, path);
  return slice === undefined ? undefined : new TextDecoder().decode(slice);
}
