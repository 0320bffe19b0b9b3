/**
 * What a rule does while the runtime model does not know: checked when it is loaded, so that a missing fact never opens a
 * write. Three mistakes are refused: the rule cannot be evaluated then; it would have stopped a call and says nothing
 * then; it lets through then what it might not let through with the facts.
 *
 * A condition is taken apart into the parts that look at the model and the others, which are tried true and false. So the
 * answer is exact for conditions built with `&&`, `||`, `!` and `?:`, and errs towards refusing.
 */
import type { Position, Problem } from "./diagnostic.ts";
import { mentions, operandsOf } from "./expr-parts.ts";
import { globMatcher } from "./glob.ts";
import type { Expr, Match, Rule } from "./ir.ts";
import { printExpr } from "./print.ts";

/** A rule, where its condition stands, and where to report. */
export interface PlacedRule {
  readonly rule: Rule;
  readonly at: Position;
  readonly report: (at: Position, problem: Problem) => void;
}

/** What an expression can come to. */
interface Possible {
  readonly yes: boolean;
  readonly no: boolean;
  readonly fails: boolean;
}

const onlyYes: Possible = { yes: true, no: false, fails: false };
const onlyNo: Possible = { yes: false, no: true, fails: false };
const onlyFails: Possible = { yes: false, no: false, fails: true };
const either: Possible = { yes: true, no: true, fails: false };

/** 2^12 evaluations of a condition at most; one with more parts is to be made several rules. */
const partsMax = 12;

export function checkAbsence(rules: readonly PlacedRule[]): void {
  const strict = rules.map(({ rule }) => rule).filter(isStrict);
  for (const placed of rules) {
    const problem = problemOf(placed.rule, strict);
    if (problem) placed.report(placed.at, problem);
  }
}

function isStrict({ outcome }: Rule): boolean {
  return outcome === "deny" || outcome === "approval_needed";
}

function problemOf(rule: Rule, strict: readonly Rule[]): Problem | undefined {
  const when = conditionOf(rule);
  if (when === undefined || !mentions(when, "model")) return undefined;
  const others = isStrict(rule)
    ? strict.filter((other) => other !== rule && covers(other.match, rule.match))
    : [];
  const conditions = [when, ...others.flatMap((other) => conditionOf(other) ?? [])];
  const parts = [...new Set(conditions.flatMap(otherParts))];
  if (parts.length > partsMax)
    return {
      code: "model-unclear",
      message: `what this rule does without facts of the model depends on ${parts.length} other things; at most ${partsMax} can be tried`,
      hint: "make it several rules",
    };
  const always = others.some((other) => other.when === undefined);
  for (let chosen = 0; chosen < 2 ** parts.length; chosen++) {
    const given = new Map(parts.map((part, i) => [part, Math.floor(chosen / 2 ** i) % 2 === 1]));
    const problem = problemGiven(rule, when, conditions, always, given);
    if (problem) return problem;
  }
  return undefined;
}

type Given = ReadonlyMap<string, boolean>;

function problemGiven(
  rule: Rule,
  when: Expr,
  conditions: readonly Expr[],
  always: boolean,
  given: Given,
): Problem | undefined {
  const unknown = possible(when, false, given);
  const known = possible(when, true, given);
  if (unknown.fails)
    return {
      code: "model-absent",
      message:
        "while the model does not know, its facts are absent and this rule cannot be evaluated",
      hint: isStrict(rule) ? "write !model.known || …" : "write model.known && …",
    };
  if (known.fails)
    return {
      code: "model-absent",
      message: "model.why is there only while the model does not know",
      hint: "write !model.known && model.why == …",
    };
  if (rule.match.effect === "read") return undefined;
  if (isStrict(rule)) {
    const stops = always || conditions.some((c) => isSure(possible(c, false, given)));
    return known.yes && !stops ? silent(rule) : undefined;
  }
  return unknown.yes && known.no
    ? {
        code: "model-opens",
        message:
          "while the model does not know, this rule lets through what it might not with its facts",
        hint: "write model.known && …",
      }
    : undefined;
}

function silent({ outcome }: Rule): Problem {
  return {
    code: "model-silent",
    message: `while the model does not know, this ${outcome} says nothing and other rules may let the call through`,
    hint: "write !model.known || …, or add a rule that denies or asks people when !model.known",
  };
}

/** Users' own Rego is not given facts of the model. */
function conditionOf({ when }: Rule): Expr | undefined {
  return when === undefined || when.op === "rego" ? undefined : when;
}

function isSure({ yes, no, fails }: Possible): boolean {
  return yes && !no && !fails;
}

/** Whether every call that `narrow` looks at is one that `wide` looks at, as far as patterns tell. */
function covers(wide: Match, narrow: Match): boolean {
  const within = (outer?: readonly string[], inner?: readonly string[]): boolean =>
    outer === undefined ||
    (inner ?? ["*"]).every((name) =>
      outer.some((pattern) => pattern === name || globMatcher(pattern)(name)),
    );
  return (
    within(wide.tools, narrow.tools) &&
    within(wide.agents, narrow.agents) &&
    (wide.effect === undefined || wide.effect === narrow.effect || wide.effect === "write")
  );
}

/** The largest parts that do not look at the model, as text; the same text has the same value. */
function otherParts(expr: Expr): readonly string[] {
  if (expr.op === "literal") return [];
  if (!mentions(expr, "model")) return [printExpr(expr)];
  switch (expr.op) {
    case "not":
      return otherParts(expr.of);
    case "and":
    case "or":
      return [...otherParts(expr.left), ...otherParts(expr.right)];
    case "if":
      return [expr.test, expr.then, expr.else].flatMap(otherParts);
    default:
      return [];
  }
}

function possible(expr: Expr, known: boolean, given: Given): Possible {
  if (expr.op === "literal") return expr.value === true ? onlyYes : onlyNo;
  if (!mentions(expr, "model")) return given.get(printExpr(expr)) === true ? onlyYes : onlyNo;
  switch (expr.op) {
    case "not": {
      const { yes, no, fails } = possible(expr.of, known, given);
      return { yes: no, no: yes, fails };
    }
    case "and":
    case "or":
      return combined(expr, known, given);
    case "if": {
      const test = possible(expr.test, known, given);
      const branches = [
        ...(test.yes ? [possible(expr.then, known, given)] : []),
        ...(test.no ? [possible(expr.else, known, given)] : []),
        ...(test.fails ? [onlyFails] : []),
      ];
      return {
        yes: branches.some(({ yes }) => yes),
        no: branches.some(({ no }) => no),
        fails: branches.some(({ fails }) => fails),
      };
    }
    default:
      return ofFact(expr, known);
  }
}

/** As CEL: the side that decides wins over one that cannot be evaluated. */
function combined(
  expr: Extract<Expr, { op: "and" | "or" }>,
  known: boolean,
  given: Given,
): Possible {
  const turn = ({ yes, no, fails }: Possible): Possible =>
    expr.op === "and" ? { yes, no, fails } : { yes: no, no: yes, fails };
  const left = turn(possible(expr.left, known, given));
  const right = turn(possible(expr.right, known, given));
  return turn({
    yes: left.yes && right.yes,
    no: left.no || right.no,
    fails: (left.fails && (right.yes || right.fails)) || (right.fails && left.yes),
  });
}

/** A test of a fact itself. */
function ofFact(expr: Expr, known: boolean): Possible {
  if (isField(expr, "known")) return known ? onlyYes : onlyNo;
  if (expr.op === "has" && isModel(expr.of)) {
    if (expr.name === "known") return onlyYes;
    return (expr.name === "why") === known ? onlyNo : onlyYes;
  }
  const uses = fieldsUsed(expr);
  const there = (name: string): boolean => name === "known" || (name === "why") !== known;
  return uses.every(there) ? either : onlyFails;
}

function isModel(expr: Expr): boolean {
  return expr.op === "root" && expr.name === "model";
}

function isField(expr: Expr, name: string): boolean {
  return expr.op === "field" && expr.name === name && isModel(expr.of);
}

/** Names of the model's fields that an expression needs. */
function fieldsUsed(expr: Expr): readonly string[] {
  if (expr.op === "field" && isModel(expr.of)) return [expr.name];
  return operandsOf(expr).flatMap(fieldsUsed);
}
