/** From what each rule says to one verdict. Order of rules never matters: everything is taken by rule id. */
import { canonicalJson } from "../kernel/index.ts";
import type { Verdict } from "./decision.ts";
import type { Obligation, Outcome, Rule } from "./ir.ts";
import type { Failure } from "./values.ts";

/** What one rule came to, for one agent. Rules that are false or do not match leave nothing. */
export type Finding =
  | { readonly kind: "true"; readonly rule: Rule }
  /** True, and a `require` of it fails: acts as a deny. */
  | { readonly kind: "broken"; readonly rule: Rule; readonly broken: string }
  | {
      readonly kind: "indeterminate";
      readonly rule: Rule;
      readonly failure: Failure;
      /** Passed over: the rule, or the tool, is declared to open on failure. */
      readonly opened: boolean;
    };

const strictness: Readonly<Record<Outcome, number>> = {
  allow: 0,
  sanitize: 1,
  approval_needed: 2,
  deny: 3,
};

/** True when `a` is stricter than `b`: deny over approval_needed over sanitize over allow. */
export function isStricter(a: Outcome, b: Outcome): boolean {
  return strictness[a] > strictness[b];
}

/** What the rules say about one agent. `findings` must be ordered by rule id. */
export interface AgentVerdict {
  readonly outcome: Outcome;
  readonly reason: string;
  readonly determining: readonly string[];
  readonly findings: readonly Finding[];
}

/** Steps 3 to 5: true denies and broken requirements, then indeterminate rules, then the strictest true outcome. */
export function combineRules(findings: readonly Finding[]): AgentVerdict {
  const denying = findings.filter(isDenying);
  const first = denying[0];
  if (first)
    return { outcome: "deny", reason: reasonOf(first), determining: ids(denying), findings };

  const closed = findings.filter((f) => f.kind === "indeterminate" && !f.opened);
  const unclear = closed[0];
  if (unclear)
    return {
      outcome: "deny",
      reason: `the rule ${unclear.rule.id} could not be evaluated`,
      determining: ids(closed),
      findings,
    };

  for (const outcome of ["approval_needed", "sanitize", "allow"] as const) {
    const saying = findings.filter((f) => f.kind === "true" && f.rule.outcome === outcome);
    const top = saying[0];
    if (top) return { outcome, reason: reasonOf(top), determining: ids(saying), findings };
  }
  return { outcome: "deny", reason: "no rule allows this", determining: [], findings };
}

function isDenying(finding: Finding): boolean {
  return finding.kind === "broken" || (finding.kind === "true" && finding.rule.outcome === "deny");
}

function reasonOf(finding: Finding): string {
  return finding.kind === "broken"
    ? `${finding.rule.reason}: ${finding.broken}`
    : finding.rule.reason;
}

function ids(findings: readonly Finding[]): string[] {
  return findings.map((finding) => finding.rule.id);
}

/** The strictest of the chain wins: a delegated call never has more rights than any agent it came through. */
export function combineChain(chain: readonly { agent: string; verdict: AgentVerdict }[]): Verdict {
  const outcome = chain
    .map(({ verdict }) => verdict.outcome)
    .reduce((strictest, next) => (isStricter(next, strictest) ? next : strictest), "allow");
  const saying = chain.filter(({ verdict }) => verdict.outcome === outcome);
  const first = saying[0];
  const delegate = first === chain[0] ? "" : ` (for ${first?.agent} in the delegation chain)`;
  const findings = chain.flatMap(({ verdict }) => verdict.findings);
  return {
    outcome,
    reason: `${first?.verdict.reason}${delegate}`,
    determiningRules: sortedUnique(saying.flatMap(({ verdict }) => verdict.determining)),
    indeterminate: indeterminateOf(findings),
    obligations: outcome === "deny" ? [] : obligationsOf(findings),
    opened: findings.some((finding) => finding.kind === "indeterminate" && finding.opened),
  };
}

function indeterminateOf(findings: readonly Finding[]): Verdict["indeterminate"] {
  const why = new Map<string, string>();
  for (const finding of findings)
    if (finding.kind === "indeterminate" && !why.has(finding.rule.id))
      why.set(finding.rule.id, finding.failure.why);
  return sortedUnique([...why.keys()]).map((rule) => ({ rule, why: why.get(rule) ?? "" }));
}

/** Of every true rule, by rule id and position, without repetitions. */
function obligationsOf(findings: readonly Finding[]): readonly Obligation[] {
  const rules = new Map<string, Rule>();
  for (const { kind, rule } of findings) if (kind === "true") rules.set(rule.id, rule);
  return uniqueObligations(
    sortedUnique([...rules.keys()]).flatMap((id) => rules.get(id)?.obligations ?? []),
  );
}

/** In their order, each once. */
export function uniqueObligations(obligations: readonly Obligation[]): readonly Obligation[] {
  if (obligations.length < 2) return obligations;
  const unique = new Map<string, Obligation>();
  for (const obligation of obligations) {
    const key = canonicalJson({ ...obligation });
    if (!unique.has(key)) unique.set(key, obligation);
  }
  return [...unique.values()];
}

/** Plain code-unit order, the same on every machine. */
function sortedUnique(words: readonly string[]): string[] {
  return [...new Set(words)].sort();
}
