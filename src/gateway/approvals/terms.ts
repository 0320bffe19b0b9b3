/** What the determining rules ask of people. */
import type { Requirement } from "../../approvals/index.ts";
import type { Engine } from "../../policy/index.ts";

export interface ApprovalTerms {
  readonly requirements: readonly Requirement[];
  /** How long people may take; null: for ever. */
  readonly validMs: number | null;
  /** How long a grant may be used. */
  readonly useWithinMs: number;
  readonly batch: boolean;
}

const termsDefault: ApprovalTerms = {
  requirements: [{ groups: [], count: 1 }],
  validMs: 15 * 60_000,
  useWithinMs: 5 * 60_000,
  batch: false,
};

export function termsFor(_engine: Engine | undefined, _rules: readonly string[]): ApprovalTerms {
  return termsDefault;
}
