/**
 * Whether a call is sent again. What may have happened is not repeated, unless repeating it is harmless: a read changes
 * nothing, and an upstream that honours idempotency keys acts once on all requests of one key.
 */
export interface Attempted {
  readonly effect: "read" | "write";
  /** Every request of this call carries one key, and the upstream is declared to honour it. */
  readonly isIdempotent: boolean;
  /** `failed`: no answer came, and the upstream is to blame. `unsaid`: it is not (the caller left, nothing could be sent). */
  readonly came: "answer" | "conflict" | "failed" | "unsaid";
  readonly outcome: "ok" | "tool_error" | "not_sent" | "unknown";
  /** An attempt before this one may have taken effect. */
  readonly mayHaveActed: boolean;
}

export function mayRepeat({
  effect,
  isIdempotent,
  came,
  outcome,
  mayHaveActed,
}: Attempted): boolean {
  const isHarmless = effect === "read" || isIdempotent;
  // The upstream still works at the request of this key that broke off: draft-ietf-httpapi-idempotency-key-header, 409.
  if (came === "conflict") return isIdempotent && effect === "write" && mayHaveActed;
  if (came !== "failed") return false;
  return isHarmless || (outcome === "not_sent" && !mayHaveActed);
}

/** What became of the call after all its attempts: what one of them may have done stays unknown until an answer says it. */
export function outcomeOfAttempts(
  last: Pick<Attempted, "came" | "outcome" | "mayHaveActed">,
): Attempted["outcome"] {
  if (!last.mayHaveActed) return last.outcome;
  return last.outcome === "not_sent" || last.came === "conflict" ? "unknown" : last.outcome;
}
