/** What an error of a connection says about the request: not sent, or perhaps acted on. */
import type { TransportError } from "../../ports.ts";

export class BlockedAddress extends Error {
  override readonly name = "BlockedAddress";
}

/** Errors of connecting: no byte of the request left. Everything else may have reached the upstream. */
const beforeSending: ReadonlySet<string> = new Set([
  "ECONNREFUSED",
  "ENOTFOUND",
  "EAI_AGAIN",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "UND_ERR_CONNECT_TIMEOUT",
]);

export function asError(thrown: unknown): TransportError {
  const error = thrown instanceof Error ? thrown : new Error(String(thrown));
  const code = "code" in error ? String(error.code) : error.name;
  const detail = error.message === "" ? code : `${code}: ${error.message}`;
  if (error instanceof BlockedAddress)
    return { kind: "not_sent", reason: "blocked_address", detail: error.message };
  if (beforeSending.has(code))
    return { kind: "not_sent", reason: code.includes("TIMEOUT") ? "timeout" : "refused", detail };
  if (error.name === "TimeoutError")
    return { kind: "unknown", reason: "timeout", detail: error.message };
  if (code.includes("TIMEOUT")) return { kind: "unknown", reason: "timeout", detail };
  if (error.name === "AbortError" || code === "UND_ERR_ABORTED")
    return { kind: "unknown", reason: "aborted", detail };
  return { kind: "unknown", reason: "broken", detail };
}
