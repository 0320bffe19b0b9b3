/** What the determining rules ask of people, in the units of an approval. */
import type { Requirement } from "../../approvals/index.ts";
import type { Engine, Risk } from "../../policy/index.ts";

export interface ApprovalTerms {
  readonly requirements: readonly Requirement[];
  /** How long people may take; null: for ever. */
  readonly validMs: number | null;
  /** How long a grant may be used. */
  readonly useWithinMs: number;
  readonly batch: boolean;
}

export function termsFor(engine: Engine, rules: readonly string[], risk: Risk): ApprovalTerms {
  const { approvers, expiresAfterSeconds, useWithinSeconds, batch } = engine.approvalOf(
    rules,
    risk,
  );
  return {
    requirements: approvers,
    validMs: expiresAfterSeconds === "never" ? null : expiresAfterSeconds * 1_000,
    useWithinMs: useWithinSeconds * 1_000,
    batch,
  };
}
