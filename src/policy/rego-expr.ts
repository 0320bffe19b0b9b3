/** From an expression to Rego over the functions of `holdfast.value`. The text reads like the condition it came from. */
import { canonicalJson, unreachable } from "../kernel/index.ts";
import type { ArithmeticOp, CompareOp, Expr, StringTest } from "./ir.ts";

const lineWidth = 100;

const comparisons: Readonly<Record<CompareOp, string>> = {
  "==": "same",
  "!=": "differs",
  "<": "less",
  "<=": "at_most",
  ">": "more",
  ">=": "at_least",
};

const arithmetics: Readonly<Record<ArithmeticOp, string>> = {
  "+": "add",
  "-": "subtract",
  "*": "multiply",
  "/": "divide",
  "%": "remainder",
};

const stringTests: Readonly<Record<StringTest, string>> = {
  startsWith: "starts_with",
  endsWith: "ends_with",
  contains: "includes",
};

const folds: Readonly<Record<"exists" | "all" | "exists_one", string>> = {
  exists: "any_true",
  all: "all_true",
  exists_one: "one_true",
};

/** Where a term stands: how deep the text is indented, and the variables bound outside, outermost first. */
interface Place {
  readonly indent: number;
  readonly scope: readonly string[];
}

const outermost: Place = { indent: 0, scope: [] };

/**
 * A Rego term with the value of `expr` in tagged form. The roots are fields of the Rego variable `roots`; the variable
 * `x` of the outermost `exists` is `each1_x`.
 */
export function regoTerm(expr: Expr, place: Place = outermost): string {
  switch (expr.op) {
    case "literal":
      return `value.ok(${canonicalJson(expr.value)})`;
    case "root":
      return `value.ok(roots.${expr.name})`;
    case "local":
      return variable(expr.name, place.scope.lastIndexOf(expr.name));
    case "list":
      return lines("value.list([", terms(expr.items, place), "])", place);
    case "exists":
    case "all":
    case "exists_one":
      return fold(expr, place);
    default: {
      const [name, ...operands] = call(expr);
      return lines(`value.${name}(`, terms(operands, place), ")", place);
    }
  }
}

type Called = Exclude<
  Expr,
  { op: "literal" | "root" | "local" | "list" | "exists" | "all" | "exists_one" }
>;

/** Name of the function and its operands; a plain string stands as itself. */
function call(expr: Called): readonly [string, ...(Expr | string)[]] {
  switch (expr.op) {
    case "field":
      return ["field", expr.of, expr.name];
    case "has":
      return ["has_field", expr.of, expr.name];
    case "index":
      return ["index", expr.of, expr.at];
    case "not":
      return ["negation", expr.of];
    case "negate":
      return ["negative", expr.of];
    case "and":
      return ["both", expr.left, expr.right];
    case "or":
      return ["either", expr.left, expr.right];
    case "if":
      return ["choose", expr.test, expr.then, expr.else];
    case "compare":
      return [comparisons[expr.how], expr.left, expr.right];
    case "arithmetic":
      return [arithmetics[expr.how], expr.left, expr.right];
    case "in":
      return ["member", expr.left, expr.right];
    case "size":
      return ["size", expr.of];
    case "string":
      return [stringTests[expr.how], expr.of, expr.with];
    case "matches":
      return ["matches", expr.of, expr.pattern];
    default:
      return unreachable(expr);
  }
}

/** Each binding has a name of its own, so that one never hides another. */
function variable(name: string, slot: number): string {
  return `each${slot + 1}_${name}`;
}

function terms(operands: readonly (Expr | string)[], place: Place): readonly string[] {
  const inner = { ...place, indent: place.indent + 1 };
  return operands.map((operand) =>
    typeof operand === "string" ? canonicalJson(operand) : regoTerm(operand, inner),
  );
}

/** On one line when it fits, else one item a line. */
function lines(open: string, items: readonly string[], close: string, { indent }: Place): string {
  const short = `${open}${items.join(", ")}${close}`;
  if (!short.includes("\n") && indent * 4 + short.length <= lineWidth) return short;
  const margin = "\t".repeat(indent);
  return `${open}\n${items.map((item) => `${margin}\t${item},\n`).join("")}${margin}${close}`;
}

function fold(
  expr: Extract<Expr, { op: "exists" | "all" | "exists_one" }>,
  { indent, scope }: Place,
): string {
  const member = variable(expr.name, scope.length);
  const margin = "\t".repeat(indent);
  const of = regoTerm(expr.of, { indent: indent + 1, scope });
  const body = regoTerm(expr.body, { indent: indent + 1, scope: [...scope, expr.name] });
  return [
    `value.${folds[expr.op]}([test |`,
    `${margin}\tsome ${member} in value.elements(${of})`,
    `${margin}\ttest := value.given(${member}, ${body})`,
    `${margin}])`,
  ].join("\n");
}
