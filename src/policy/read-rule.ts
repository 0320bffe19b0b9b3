/** One rule of a file to one rule of the set, with everything about it checked. */
import { argsOf, type Catalog } from "./catalog.ts";
import { parseCondition } from "./cel.ts";
import type { Position, Problem } from "./diagnostic.ts";
import type { Expr, Outcome, Rule } from "./ir.ts";
import { readApproval } from "./read-approval.ts";
import { readMatch } from "./read-match.ts";
import { readObligations } from "./read-obligation.ts";
import { type RegoBundles, readRego } from "./read-rego.ts";
import type { SourceRule, TextScalar } from "./source.ts";
import { checkCondition } from "./typecheck.ts";
import { rootTypes, type Type } from "./types.ts";

interface File {
  readonly file: string;
  report(at: Position, problem: Problem): void;
}

/** Undefined when something needed is missing or wrong; that was reported. */
export function readRule(
  file: File,
  policy: string,
  source: SourceRule,
  catalog: Catalog,
  regoBundles: RegoBundles,
): Rule | undefined {
  const { id, outcome, reason, on_failure: onFailure } = source;
  const match = readMatch(source.match, catalog, file.report);
  const args = argsOf(match.tools, match.effect, catalog);
  const when =
    (source.when && readCondition(file, source.when, args)) ??
    (source.rego && readRego(source.rego, regoBundles, file.report));
  const obligations = readObligations(source, args, file.report);
  const approval = readApproval(source, match.tools, catalog, file.report);
  checkShape(file, source);
  if (!id || !outcome) return undefined;
  const fullId = `${policy}/${id.value}`;
  return {
    id: fullId,
    match,
    ...(when ? { when } : {}),
    outcome: outcome.value,
    ...(outcome.value === "approval_needed" ? { approval } : {}),
    obligations,
    onFailure: onFailure?.value ?? "deny",
    reason: reason?.value.trim() ?? defaultReason(fullId, outcome.value),
    source: `${file.file}:${source.at.line}`,
  };
}

function defaultReason(id: string, outcome: Outcome): string {
  return outcome === "sanitize" ? `${id} allows this once sanitized` : `${id} allows this`;
}

function readCondition(file: File, when: TextScalar, args: Type): Expr | undefined {
  const parsed = parseCondition(when.value);
  const problems = parsed.expr
    ? checkCondition(parsed.expr, parsed, rootTypes(args))
    : parsed.problems;
  for (const { start, ...problem } of problems) file.report(when.positionOf(start), problem);
  return parsed.expr;
}

/** What only makes sense together. */
function checkShape(file: File, source: SourceRule): void {
  const { outcome, reason, match, when, rego, on_failure: onFailure } = source;
  if (when && rego)
    file.report(rego.at, {
      code: "choice",
      message: "a rule has when or rego, not both",
      hint: "make two rules: the strictest outcome wins",
    });
  if (!outcome) return;
  const strict = outcome.value === "deny" || outcome.value === "approval_needed";
  if (strict && !reason)
    file.report(outcome.at, {
      code: "missing-field",
      message: `${outcome.value} needs a reason: what the agent and its people are told`,
    });
  if (outcome.value === "allow" && match && !when && !rego && isBoundless(match))
    file.report(source.at, {
      severity: "warning",
      code: "allows-everything",
      message: "this rule allows every call of every agent",
    });
  if (onFailure?.value === "open" && match?.effect?.value === "write")
    file.report(onFailure.at, {
      code: "cannot-open",
      message: "a write whose condition cannot be evaluated is denied",
      hint: "only a tool of risk low may open, by on_failure: open in the catalog",
    });
}

function isBoundless(match: NonNullable<SourceRule["match"]>): boolean {
  const everything = (patterns: readonly { readonly value: string }[] | undefined): boolean =>
    patterns === undefined || patterns.some(({ value }) => value === "*");
  const read = [...match.given].every((field) => match[field as keyof typeof match] !== undefined);
  return read && everything(match.agents) && everything(match.tools) && !match.effect;
}
