/**
 * `approval_needed` in the words of the AuthZEN Access Request and Approval Profile (draft 1). The decision stays
 * `false`; `access_request` only tells that a person can change it.
 */
import type { Decision } from "../call.ts";

/** How long the hint is good for. After that the question is put again. */
const hintMs = 10 * 60 * 1000;

interface AccessRequestContext {
  /** The identifier by reference of the denied evaluation. */
  readonly evaluation_id: string;
  /** RFC 3339. */
  readonly evaluated_at: string;
  readonly access_request: {
    readonly expires_at: string;
    readonly display: { readonly title: string; readonly description: string };
  };
}

export function accessRequestOf(
  decision: Decision,
  wallMs: number,
): AccessRequestContext | Record<string, never> {
  if (decision.decision !== "approval_needed" || decision.refusal !== undefined) return {};
  return {
    evaluation_id: decision.call_id,
    evaluated_at: new Date(wallMs).toISOString(),
    access_request: {
      expires_at: new Date(wallMs + hintMs).toISOString(),
      display: { title: "Approval needed", description: decision.reason },
    },
  };
}
