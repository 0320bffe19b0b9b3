/** What comes of sending a governed request, and what it means for its outcome. */
import { type JsonObject, sha256Hex, sliceJson } from "../../../kernel/index.ts";
import { type TransportError, TransportFailure } from "../../../ports.ts";
import type { Forwarded } from "../../call.ts";
import { healthOfFailure, healthOfStatus } from "../../health.ts";
import type { FrontResponse } from "../../http-front.ts";
import { errorMessage, type RpcRequest, rpcCode } from "../wire/json-rpc.ts";
import { isInputRequired, textAt } from "../wire/refusals.ts";

/** What came of sending. */
export type Came =
  /** The final JSON-RPC message; `release` gives the client its bytes in the place where it came. */
  | {
      readonly kind: "message";
      readonly message: Uint8Array;
      readonly release: (bytes: Uint8Array) => void;
    }
  /** Something else than a JSON-RPC answer; relayed. */
  | { readonly kind: "response"; readonly response: FrontResponse }
  | { readonly kind: "failed"; readonly error: TransportError };

export function forwardedOf(came: Came): Forwarded<Came> {
  if (came.kind === "failed") {
    const { kind, reason, detail } = came.error;
    const health = healthOfFailure(came.error);
    return { outcome: kind, detail: `${reason}: ${detail}`, health, resultBytes: 0, answer: came };
  }
  if (came.kind === "response") {
    const { status, headers, body } = came.response;
    const resultBytes = body instanceof Uint8Array ? body.length : 0;
    return {
      outcome: status >= 500 ? "unknown" : "tool_error",
      detail: `http ${status}`,
      health: healthOfStatus(status, headers),
      resultBytes,
      answer: came,
    };
  }
  const result = sliceJson(came.message, ["result"]);
  if (result === undefined) {
    const code = textAt(came.message, ["error", "code"]) ?? "without code";
    return {
      outcome: "tool_error",
      detail: `error ${code}`,
      ...(/^-?\d{1,9}$/.test(code) ? { statusCode: Number(code) } : {}),
      resultBytes: came.message.length,
      answer: came,
    };
  }
  const failed = textAt(came.message, ["result", "isError"]) === "true";
  return {
    outcome: failed ? "tool_error" : "ok",
    ...(isInputRequired(came.message) ? { detail: "input_required" } : {}),
    resultDigest: `sha256:${sha256Hex(result)}`,
    resultBytes: result.length,
    answer: came,
  };
}

export function usedState(id: RpcRequest["id"]): JsonObject {
  return errorMessage(id, {
    code: rpcCode.invalidParams,
    message:
      "This requestState was used before, or belongs to another request. Call again without it, with the same arguments.",
  });
}

export function unreadableMessage(id: RpcRequest["id"]): JsonObject {
  return errorMessage(id, {
    code: rpcCode.internalError,
    message: "The call was forwarded, but the server's answer has no one reading; it is withheld.",
  });
}

/** Resolves when nobody waits any more, or no longer. What the upstream did by then nobody knows. */
export async function aborted(signal: AbortSignal): Promise<Came> {
  if (!signal.aborted)
    await new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
  const { reason } = signal;
  if (reason instanceof DOMException && reason.name === "TimeoutError")
    return { kind: "failed", error: unknown(reason.message, "timeout") };
  const detail = "the client cancelled the call";
  return { kind: "failed", error: { kind: "unknown", reason: "aborted", detail } };
}

export function asTransportError(thrown: unknown): TransportError {
  return thrown instanceof TransportFailure ? thrown.error : unknown(String(thrown));
}

export function unknown(detail: string, reason: "broken" | "timeout" = "broken"): TransportError {
  return { kind: "unknown", reason, detail };
}

export function notSent(detail: string): TransportError {
  return { kind: "not_sent", reason: "withheld", detail };
}
