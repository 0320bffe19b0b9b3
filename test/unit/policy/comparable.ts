/** Verdicts without what backends may word differently: why a condition could not be evaluated. */
import type { Verdict } from "../../../src/policy/decision.ts";

export function comparable(verdict: Verdict): unknown {
  return { ...verdict, indeterminate: verdict.indeterminate.map(({ rule }) => rule) };
}
