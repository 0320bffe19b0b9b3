/** From what each rule says to one verdict. Order of rules never matters: everything is taken by rule id. */
import { assert, canonicalJson } from "../kernel/index.ts";
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

/** What the rules say about one agent. `findings` must be ordered by rule id. */
export interface AgentVerdict {
  readonly agent: string;
  readonly outcome: Outcome;
  readonly reason: string;
  readonly determining: readonly string[];
  readonly findings: readonly Finding[];
}

/** How strict an outcome is, and how much a finding weighs: the heaviest findings decide, the others do not count. */
const strictness: Readonly<Record<Outcome, number>> = {
  allow: 1,
  sanitize: 2,
  approval_needed: 3,
  deny: 5,
};
const closedWeight = 4;
const openedWeight = 0;

function weightOf(finding: Finding): number {
  switch (finding.kind) {
    case "true":
      return strictness[finding.rule.outcome];
    case "broken":
      return strictness.deny;
    case "indeterminate":
      return finding.opened ? openedWeight : closedWeight;
  }
}

/**
 * True denies and broken requirements over indeterminate rules over approval_needed over sanitize over allow; nothing
 * at all is the default deny.
 */
export function combineRules(agent: string, findings: readonly Finding[]): AgentVerdict {
  let heaviest = openedWeight;
  let first: Finding | undefined;
  for (const finding of findings) {
    const weight = weightOf(finding);
    if (weight <= heaviest) continue;
    heaviest = weight;
    first = finding;
  }
  if (!first)
    return { agent, outcome: "deny", reason: "no rule allows this", determining: [], findings };
  const determining: string[] = [];
  for (const finding of findings)
    if (weightOf(finding) === heaviest) determining.push(finding.rule.id);
  const outcome = first.kind === "true" ? first.rule.outcome : "deny";
  return { agent, outcome, reason: reasonOf(first), determining, findings };
}

function reasonOf(finding: Finding): string {
  const { rule } = finding;
  switch (finding.kind) {
    case "true":
      return rule.reason;
    case "broken":
      return `${rule.reason}: ${finding.broken}`;
    case "indeterminate":
      return `the rule ${rule.id} could not be evaluated`;
  }
}

/**
 * The strictest of the chain wins: a delegated call never has more rights than any agent it came through. `chain`
 * holds at least the subject.
 */
export function combineChain(chain: readonly AgentVerdict[]): Verdict {
  const [subject] = chain;
  assert(subject, "a chain starts with the subject");
  let first = subject;
  for (const next of chain) if (strictness[next.outcome] > strictness[first.outcome]) first = next;
  const { outcome, reason } = first;
  const saying = chain.filter((each) => each.outcome === outcome);
  const findings = chain.length === 1 ? subject.findings : chain.flatMap((each) => each.findings);
  return {
    outcome,
    reason: first === subject ? reason : `${reason} (for ${first.agent} in the delegation chain)`,
    determiningRules:
      saying.length === 1 ? first.determining : sortedUnique(saying.flatMap((s) => s.determining)),
    indeterminate: indeterminateOf(findings),
    obligations: outcome === "deny" ? [] : obligationsOf(findings),
    opened: findings.some((finding) => finding.kind === "indeterminate" && finding.opened),
  };
}

function indeterminateOf(findings: readonly Finding[]): Verdict["indeterminate"] {
  if (!findings.some(({ kind }) => kind === "indeterminate")) return [];
  const why = new Map<string, string>();
  for (const finding of findings)
    if (finding.kind === "indeterminate" && !why.has(finding.rule.id))
      why.set(finding.rule.id, finding.failure.why);
  return sortedUnique([...why.keys()]).map((rule) => ({ rule, why: why.get(rule) ?? "" }));
}

/** Of every true rule, by rule id and position, without repetitions. */
function obligationsOf(findings: readonly Finding[]): readonly Obligation[] {
  if (!findings.some(({ rule }) => rule.obligations.length > 0)) return [];
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
