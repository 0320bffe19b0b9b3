/** Expressions back to CEL text, for messages and explanations. */
import { canonicalJson } from "../kernel/index.ts";
import type { Expr } from "./ir.ts";

/** Binding strength of each operator; a weaker one inside a stronger one gets parentheses. */
const strength: Readonly<Record<string, number>> = {
  if: 0,
  or: 1,
  and: 2,
  compare: 3,
  in: 3,
  arithmetic: 4,
  not: 6,
  negate: 6,
};

/** CEL for the expression, on one line. */
export function printExpr(expr: Expr): string {
  const inner = (part: Expr, least: number): string => {
    const own = part.op === "arithmetic" ? sumOrProduct(part.how) : (strength[part.op] ?? 7);
    return own < least ? `(${printExpr(part)})` : printExpr(part);
  };
  const infix = (left: Expr, sign: string, right: Expr, own: number): string =>
    `${inner(left, own)} ${sign} ${inner(right, own + 1)}`;
  switch (expr.op) {
    case "literal":
      return canonicalJson(expr.value);
    case "root":
    case "local":
      return expr.name;
    case "field":
      return `${inner(expr.of, 7)}.${expr.name}`;
    case "index":
      return `${inner(expr.of, 7)}[${printExpr(expr.at)}]`;
    case "has":
      return `has(${inner(expr.of, 7)}.${expr.name})`;
    case "list":
      return `[${expr.items.map(printExpr).join(", ")}]`;
    case "not":
      return `!${inner(expr.of, 6)}`;
    case "negate":
      return `-${inner(expr.of, 6)}`;
    case "and":
      return infix(expr.left, "&&", expr.right, 2);
    case "or":
      return infix(expr.left, "||", expr.right, 1);
    case "if":
      return `${inner(expr.test, 1)} ? ${inner(expr.then, 1)} : ${inner(expr.else, 0)}`;
    case "compare":
      return infix(expr.left, expr.how, expr.right, 3);
    case "in":
      return infix(expr.left, "in", expr.right, 3);
    case "arithmetic":
      return infix(expr.left, expr.how, expr.right, sumOrProduct(expr.how));
    case "size":
      return `size(${printExpr(expr.of)})`;
    case "string":
      return `${inner(expr.of, 7)}.${expr.how}(${printExpr(expr.with)})`;
    case "matches":
      return `${inner(expr.of, 7)}.matches(${JSON.stringify(expr.pattern)})`;
    default:
      return `${inner(expr.of, 7)}.${expr.op}(${expr.name}, ${printExpr(expr.body)})`;
  }
}

function sumOrProduct(how: string): number {
  return how === "+" || how === "-" ? 4 : 5;
}
