/** What an expression is made of. */
import type { Expr, Root } from "./ir.ts";

/** The operands of an expression, in their order. */
export function operandsOf(expr: Expr): readonly Expr[] {
  switch (expr.op) {
    case "literal":
    case "root":
    case "local":
      return [];
    case "index":
      return [expr.of, expr.at];
    case "list":
      return expr.items;
    case "and":
    case "or":
    case "compare":
    case "arithmetic":
    case "in":
      return [expr.left, expr.right];
    case "if":
      return [expr.test, expr.then, expr.else];
    case "string":
      return [expr.of, expr.with];
    case "exists":
    case "all":
    case "exists_one":
      return [expr.of, expr.body];
    default:
      return [expr.of];
  }
}

/** Whether the expression looks at `root` anywhere. */
export function mentions(expr: Expr, root: Root): boolean {
  if (expr.op === "root") return expr.name === root;
  return operandsOf(expr).some((part) => mentions(part, root));
}
