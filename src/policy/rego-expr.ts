/** From an expression to Rego over the functions of `holdfast.value`. The text reads like the condition it came from. */
import { canonicalJson, type JsonValue, unreachable } from "../kernel/index.ts";
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

/**
 * A Rego term with the value of `expr` in tagged form. The roots are fields of the Rego variable `roots`; a variable of
 * the condition is `each_<name>`. `indent` is how deep the text stands.
 */
export function regoTerm(expr: Expr, indent = 1): string {
  switch (expr.op) {
    case "literal":
      return `value.ok(${regoJson(expr.value)})`;
    case "root":
      return `value.ok(roots.${expr.name})`;
    case "local":
      return `each_${expr.name}`;
    case "field":
      return call("field", [expr.of, expr.name], indent);
    case "has":
      return call("has_field", [expr.of, expr.name], indent);
    case "index":
      return call("index", [expr.of, expr.at], indent);
    case "list":
      return lines("value.list([", expr.items.map(nested(indent)), "])", indent);
    case "exists":
    case "all":
    case "exists_one":
      return fold(expr, indent);
    case "matches":
      return call("matches", [expr.of, expr.pattern], indent);
    default:
      return operator(expr, indent);
  }
}

type Operator = Exclude<
  Expr,
  {
    op:
      | "literal"
      | "root"
      | "local"
      | "field"
      | "has"
      | "index"
      | "list"
      | "exists"
      | "all"
      | "exists_one"
      | "matches";
  }
>;

function operator(expr: Operator, indent: number): string {
  switch (expr.op) {
    case "not":
      return call("negation", [expr.of], indent);
    case "negate":
      return call("negative", [expr.of], indent);
    case "and":
    case "or":
      return call(expr.op === "and" ? "both" : "either", [expr.left, expr.right], indent);
    case "if":
      return call("choose", [expr.test, expr.then, expr.else], indent);
    case "compare":
      return call(comparisons[expr.how], [expr.left, expr.right], indent);
    case "arithmetic":
      return call(arithmetics[expr.how], [expr.left, expr.right], indent);
    case "in":
      return call("member", [expr.left, expr.right], indent);
    case "size":
      return call("size", [expr.of], indent);
    case "string":
      return call(stringTests[expr.how], [expr.of, expr.with], indent);
    default:
      return unreachable(expr);
  }
}

/** Operands are expressions; a plain string stands as itself. */
function call(name: string, operands: readonly (Expr | string)[], indent: number): string {
  const terms = operands.map((operand) =>
    typeof operand === "string" ? regoJson(operand) : nested(indent)(operand),
  );
  return lines(`value.${name}(`, terms, ")", indent);
}

function nested(indent: number): (expr: Expr) => string {
  return (expr) => regoTerm(expr, indent + 1);
}

/** On one line when it fits, else one item a line. */
function lines(open: string, items: readonly string[], close: string, indent: number): string {
  const short = `${open}${items.join(", ")}${close}`;
  if (!short.includes("\n") && indent * 4 + short.length <= lineWidth) return short;
  const inner = "\t".repeat(indent + 1);
  return `${open}\n${items.map((item) => `${inner}${item},\n`).join("")}${"\t".repeat(indent)}${close}`;
}

function fold(
  expr: Extract<Expr, { op: "exists" | "all" | "exists_one" }>,
  indent: number,
): string {
  const member = `each_${expr.name}`;
  const inner = "\t".repeat(indent + 1);
  return [
    `value.${folds[expr.op]}([test |`,
    `${inner}some ${member} in value.elements(${regoTerm(expr.of, indent + 1)})`,
    `${inner}test := value.given(${member}, ${regoTerm(expr.body, indent + 1)})`,
    `${"\t".repeat(indent)}])`,
  ].join("\n");
}

/** A JSON value as a Rego term; the two languages share the syntax of literals. */
function regoJson(value: JsonValue): string {
  return canonicalJson(value);
}
