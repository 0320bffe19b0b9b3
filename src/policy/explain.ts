/** Why a request got its verdict: what each rule said, and which values made it say so. Slow, for people. */
import type { JsonValue } from "../kernel/index.ts";
import type { Frame } from "./closures.ts";
import type { PolicyRequest, Verdict } from "./decision.ts";
import { compile, findOne, frameFor } from "./engine.ts";
import { formatFieldPath, valuesAt } from "./field-path.ts";
import type {
  ApprovalTerms,
  Expr,
  Limit,
  Outcome,
  PolicySet,
  Rule,
  ToolDeclaration,
} from "./ir.ts";
import { printExpr } from "./print.ts";
import { RegoAnswers } from "./rego-answers.ts";
import { isRego } from "./rego-modules.ts";
import { type CompiledRule, compileRule, compileWhen, requirementTest } from "./rule.ts";
import { type Evaluated, Failure } from "./values.ts";

/** An expression with its value, or why it has none. */
export type ExplainedValue =
  | { readonly text: string; readonly value: JsonValue }
  | { readonly text: string; readonly why: string };

export interface ExplainedRule {
  readonly rule: string;
  readonly source: string;
  readonly outcome: Outcome;
  /** What the rule came to for this agent. `broken`: true, but a requirement fails, so it denies. */
  readonly result: "not_matched" | "false" | "true" | "broken" | "indeterminate";
  /** Parts of `match` that do not fit; empty when the rule looks at this call. */
  readonly unfit: readonly ("agents" | "tools" | "effect")[];
  readonly condition?: ExplainedValue;
  /** The parts of the condition that decided its value, innermost tests with their operands. */
  readonly deciding: readonly ExplainedValue[];
  readonly requirements: readonly {
    readonly path: string;
    readonly pattern: string;
    readonly holds: boolean;
  }[];
  /** An indeterminate rule that was passed over. */
  readonly opened: boolean;
}

interface ExplainedAgent {
  readonly agent: string;
  readonly rules: readonly ExplainedRule[];
  /** That count the call when it is let through. */
  readonly limits: readonly Limit[];
}

export interface Explanation {
  readonly verdict: Verdict;
  readonly tool?: ToolDeclaration;
  /** Who must approve, when the outcome is `approval_needed`. */
  readonly approval?: ApprovalTerms;
  /** The subject, then each agent of the delegation chain. Rules by id. */
  readonly agents: readonly ExplainedAgent[];
}

/** Pure. The verdict is the engine's own. */
export function explain(
  set: PolicySet,
  request: PolicyRequest,
  answers: RegoAnswers = new RegoAnswers(),
): Explanation {
  const rules = [...set.rules].sort((a, b) => (a.id < b.id ? -1 : 1)).map(compileRule);
  const tool = set.tools.find(({ id }) => id === request.action.name);
  const chain = [request.subject.id, ...request.subject.delegation];
  const engine = compile(set, "explain");
  const verdict = engine.decide(request, answers);
  const { outcome, determiningRules } = verdict;
  return {
    verdict,
    ...(tool ? { tool } : {}),
    ...(outcome === "approval_needed"
      ? { approval: engine.approvalOf(determiningRules, request.action.risk) }
      : {}),
    agents: chain.map((agent) => ({
      agent,
      rules: rules.map((rule) =>
        explainRule(rule, frameFor(request, agent, answers), agent, request, tool),
      ),
      limits: engine.limitsOf(agent, request.action),
    })),
  };
}

function explainRule(
  compiled: CompiledRule,
  frame: Frame,
  agent: string,
  request: PolicyRequest,
  tool: ToolDeclaration | undefined,
): ExplainedRule {
  const { rule } = compiled;
  const { action, args } = request;
  const unfit = [
    ...(compiled.fitsAgent(agent) ? [] : (["agents"] as const)),
    ...(compiled.fitsTool(action.name) ? [] : (["tools"] as const)),
    ...(compiled.fitsEffect(action.effect) ? [] : (["effect"] as const)),
  ];
  const common = { rule: rule.id, source: rule.source, outcome: rule.outcome, unfit };
  if (unfit.length > 0)
    return { ...common, result: "not_matched", deciding: [], requirements: [], opened: false };
  const finding = findOne(compiled, frame, args, action, tool);
  return {
    ...common,
    result: finding?.kind ?? "false",
    ...(rule.when ? { condition: explainValue(rule.when, frame) } : {}),
    deciding: rule.when && !isRego(rule.when) ? deciding(rule.when, frame) : [],
    requirements: requirementsOf(rule, request),
    opened: finding?.kind === "indeterminate" && finding.opened,
  };
}

function requirementsOf(rule: Rule, request: PolicyRequest): ExplainedRule["requirements"] {
  return rule.obligations
    .filter((obligation) => obligation.kind === "require")
    .map((requirement) => ({
      path: formatFieldPath(requirement.path),
      pattern: requirement.pattern,
      holds: valuesAt(request.args, requirement.path).every(requirementTest(requirement)),
    }));
}

type When = NonNullable<Rule["when"]>;

function evaluate(when: When, frame: Frame): Evaluated {
  return compileWhen(when)(frame);
}

function explainValue(when: When, frame: Frame): ExplainedValue {
  const value = evaluate(when, frame);
  const text = isRego(when) ? `rego ${when.entrypoint}` : printExpr(when);
  return value instanceof Failure ? { text, why: value.why } : { text, value };
}

/** The smallest parts of a condition that explain its value. */
function deciding(expr: Expr, frame: Frame): readonly ExplainedValue[] {
  switch (expr.op) {
    case "and":
    case "or": {
      const value = evaluate(expr, frame);
      const alike = [expr.left, expr.right].filter((side) =>
        sameKind(evaluate(side, frame), value),
      );
      return alike.flatMap((side) => deciding(side, frame));
    }
    case "not":
      return deciding(expr.of, frame);
    case "if": {
      const test = evaluate(expr.test, frame);
      const chosen = test === true ? [expr.then] : test === false ? [expr.else] : [];
      return [expr.test, ...chosen].flatMap((part) => deciding(part, frame));
    }
    default:
      return [expr, ...operandsOf(expr)].map((part) => explainValue(part, frame));
  }
}

function sameKind(side: Evaluated, whole: Evaluated): boolean {
  if (whole instanceof Failure) return typeof side !== "boolean";
  return side === whole;
}

/** Operands whose value is not plain from the text. */
function operandsOf(expr: Expr): readonly Expr[] {
  switch (expr.op) {
    case "compare":
    case "in":
      return [expr.left, expr.right].filter(({ op }) => op !== "literal");
    case "string":
      return [expr.of, expr.with].filter(({ op }) => op !== "literal");
    case "matches":
    case "exists":
    case "all":
    case "exists_one":
      return [expr.of];
    default:
      return [];
  }
}
