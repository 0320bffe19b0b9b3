/**
 * Stage 6: what must be done along with the verdict. Redactions change what is forwarded; when one cannot be carried
 * out the call is refused, because an obligation that was not met is not an allow.
 */
import { canonicalJson, digestOf, type JsonObject, type JsonValue } from "../kernel/index.ts";
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

/** `met` were carried out on these arguments before, and are not carried out again. */
export function oblige(
  verdict: Verdict,
  args: JsonObject,
  met: readonly JsonValue[] = [],
): Obliged {
  if (verdict.outcome === "deny" || verdict.obligations.length === 0)
    return { verdict, args, sanitizedDigest: null };
  const done = new Set(met.map(canonicalJson));
  const owed = verdict.obligations.filter((each) => !done.has(canonicalJson(asJson(each))));
  const applied = applyObligations(args, owed);
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

/** Obligations travel inside bundles, as JSON. */
export function asJson(obligation: Obligation): JsonValue {
  return obligation as unknown as JsonValue;
}

/** What may be kept: everything any rule for this tool redacts is taken out, also from a denied call. */
export function forRecord(args: JsonObject, redactions: readonly Obligation[]): JsonObject {
  return redactForRecord(args, redactions);
}
