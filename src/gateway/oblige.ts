/**
 * Stage 6: what must be done along with the verdict. Redactions change what is forwarded; when one cannot be carried
 * out the call is refused, because an obligation that was not met is not an allow.
 */
import { digestOf, type JsonObject } from "../kernel/index.ts";
import {
  applyObligations,
  type Obligation,
  redactForRecord,
  type Verdict,
} from "../policy/index.ts";

export interface Obliged {
  readonly verdict: Verdict;
  /** What may be forwarded: the judged arguments. */
  readonly args: JsonObject;
  readonly sanitizedDigest: string | null;
}

export function oblige(verdict: Verdict, args: JsonObject): Obliged {
  if (verdict.outcome === "deny" || verdict.obligations.length === 0)
    return { verdict, args, sanitizedDigest: null };
  const applied = applyObligations(args, verdict.obligations);
  if (!applied.ok) {
    const reason = `an obligation could not be carried out: ${applied.error.message}`;
    return {
      verdict: { ...verdict, outcome: "deny", reason, obligations: [] },
      args,
      sanitizedDigest: null,
    };
  }
  const { value } = applied;
  return {
    verdict,
    args: value.args,
    sanitizedDigest: value.changed ? digestOf(value.args) : null,
  };
}

/** What may be kept: everything any rule for this tool redacts is taken out, also from a denied call. */
export function forRecord(args: JsonObject, redactions: readonly Obligation[]): JsonObject {
  return redactForRecord(args, redactions);
}
