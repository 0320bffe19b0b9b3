/** Types of a condition, checked before any call. What surely fails, or can never be true, is an error now. */
import type { JsonValue } from "../kernel/index.ts";
import { type ConditionProblem, literalItems, type Marks } from "./cel.ts";
import { nearestWord, type Problem } from "./diagnostic.ts";
import { operandsOf } from "./expr-parts.ts";
import type { Expr, Root } from "./ir.ts";
import { printExpr } from "./print.ts";
import {
  anyType,
  type FieldType,
  join,
  type MapType,
  type Type,
  textType,
  typeOfValue,
} from "./types.ts";

type Of<K extends Expr["op"]> = Extract<Expr, { op: K }>;
type Locals = ReadonlyMap<string, Type>;

/** Problems of a condition: it must be a bool, and every operator must be able to have a value. */
export function checkCondition(
  expr: Expr,
  marks: Marks,
  roots: Readonly<Record<Root, Type>>,
): readonly ConditionProblem[] {
  const checking = new Checking(marks, roots, guardedFields(expr));
  checking.expect(expr, ["bool"], new Map(), "a condition");
  return checking.problems;
}

/** Fields that some `has()` of the condition asks about, as text. */
function guardedFields(expr: Expr, found: Set<string> = new Set()): ReadonlySet<string> {
  if (expr.op === "has") found.add(printExpr({ op: "field", of: expr.of, name: expr.name }));
  for (const child of operandsOf(expr)) guardedFields(child, found);
  return found;
}

const boolType: Type = { kind: "bool" };
const orderedKinds: readonly Type["kind"][] = ["number", "string", "bool"];

class Checking {
  readonly problems: ConditionProblem[] = [];
  readonly #marks: Marks;
  readonly #roots: Readonly<Record<Root, Type>>;
  readonly #guarded: ReadonlySet<string>;

  constructor(marks: Marks, roots: Readonly<Record<Root, Type>>, guarded: ReadonlySet<string>) {
    this.#marks = marks;
    this.#roots = roots;
    this.#guarded = guarded;
  }

  /** The type of `expr`, which must be one of `kinds` as far as it is known. */
  expect(expr: Expr, kinds: readonly Type["kind"][], locals: Locals, where: string): Type {
    const type = this.#typeOf(expr, locals);
    if (type.kind !== "any" && !kinds.includes(type.kind))
      this.#report(expr, {
        code: "wrong-type",
        message: `${where} must be a ${kinds.join(" or ")}; ${printExpr(expr)} is a ${type.kind}`,
      });
    return type;
  }

  #report(expr: Expr, problem: Problem): void {
    this.problems.push({ ...problem, start: this.#marks.starts.get(expr) ?? 0 });
  }

  #typeOf(expr: Expr, locals: Locals): Type {
    switch (expr.op) {
      case "literal":
        return this.#marks.fractions.has(expr)
          ? { kind: "number", form: "fraction" }
          : typeOfValue(expr.value);
      case "root":
        return this.#roots[expr.name];
      case "local":
        return locals.get(expr.name) ?? anyType;
      case "list": {
        const types = expr.items.map((item) => this.#typeOf(item, locals));
        return { kind: "list", of: types.reduce(join, types[0] ?? anyType) };
      }
      case "field":
        return this.#field(expr, this.expect(expr.of, ["map"], locals, `.${expr.name} of`));
      case "has":
        this.#has(expr, this.expect(expr.of, ["map"], locals, "has() of a field of"));
        return boolType;
      case "index":
        return this.#index(expr, locals);
      case "size":
        this.expect(expr.of, ["string", "list", "map"], locals, "size() of");
        return { kind: "number", form: "whole" };
      case "negate":
        return this.expect(expr.of, ["number"], locals, "- of");
      case "if": {
        this.expect(expr.test, ["bool"], locals, "the condition of ?:");
        return join(this.#typeOf(expr.then, locals), this.#typeOf(expr.else, locals));
      }
      case "arithmetic":
        return this.#arithmetic(expr, locals);
      default:
        this.#test(expr, locals);
        return boolType;
    }
  }

  #test(
    expr: Of<
      | "not"
      | "and"
      | "or"
      | "compare"
      | "in"
      | "string"
      | "matches"
      | "exists"
      | "all"
      | "exists_one"
    >,
    locals: Locals,
  ): void {
    switch (expr.op) {
      case "not":
        this.expect(expr.of, ["bool"], locals, "! of");
        break;
      case "and":
      case "or": {
        const where = expr.op === "and" ? "a side of &&" : "a side of ||";
        this.expect(expr.left, ["bool"], locals, where);
        this.expect(expr.right, ["bool"], locals, where);
        break;
      }
      case "compare":
        this.#compare(expr, locals);
        break;
      case "in":
        this.#in(expr, locals);
        break;
      case "string":
        this.expect(expr.of, ["string"], locals, `${expr.how}() of`);
        this.expect(expr.with, ["string"], locals, `what ${expr.how}() looks for`);
        break;
      case "matches":
        this.expect(expr.of, ["string"], locals, "matches() of");
        break;
      default:
        this.#macro(expr, locals);
    }
  }

  #macro(expr: Of<"exists" | "all" | "exists_one">, locals: Locals): void {
    const range = this.expect(expr.of, ["list", "map"], locals, `${expr.op}() over`);
    const member = range.kind === "list" ? range.of : range.kind === "map" ? textType : anyType;
    const inner = new Map(locals).set(expr.name, member);
    this.expect(expr.body, ["bool"], inner, `the body of ${expr.op}()`);
  }

  #field(expr: Of<"field">, of: Type): Type {
    if (of.kind !== "map") return anyType;
    const found = this.#member(expr, of, expr.name);
    if (!found) return anyType;
    if (!found.required && !this.#guarded.has(printExpr(expr)))
      this.#report(expr, {
        severity: "warning",
        code: "optional-field",
        message: `${printExpr(expr)} may be absent; the rule then cannot be evaluated`,
        hint: `guard it: has(${printExpr(expr)}) && …`,
      });
    return found.type;
  }

  #has(expr: Of<"has">, of: Type): void {
    if (of.kind === "map") this.#member(expr, of, expr.name);
  }

  #member(expr: Of<"field" | "has" | "index">, of: MapType, name: string): FieldType | undefined {
    const found = of.fields.get(name);
    if (found) return found;
    if (of.rest) return { type: of.rest, required: true };
    this.#report(expr, {
      code: "unknown-field",
      message: `${printExpr(expr.of)} has no field ${name}`,
      nearest: nearestWord(name, of.fields.keys()),
      hint: `it has ${[...of.fields.keys()].join(", ") || "no fields"}`,
    });
    return undefined;
  }

  #index(expr: Of<"index">, locals: Locals): Type {
    const of = this.expect(expr.of, ["list", "map"], locals, "what is indexed");
    if (of.kind === "list") {
      this.expect(expr.at, ["number"], locals, "the index of a list");
      return of.of;
    }
    if (of.kind !== "map") {
      this.expect(expr.at, ["number", "string"], locals, "an index");
      return anyType;
    }
    this.expect(expr.at, ["string"], locals, "the key of a map");
    if (expr.at.op !== "literal" || typeof expr.at.value !== "string") return anyType;
    return this.#member(expr, of, expr.at.value)?.type ?? anyType;
  }

  #compare(expr: Of<"compare">, locals: Locals): void {
    const [left, right] = [this.#typeOf(expr.left, locals), this.#typeOf(expr.right, locals)];
    if (left.kind !== "any" && right.kind !== "any" && left.kind !== right.kind)
      this.#report(expr, {
        code: "wrong-type",
        message: `${printExpr(expr)} compares a ${left.kind} with a ${right.kind}, which is never decided`,
      });
    else if (expr.how === "==" || expr.how === "!=") {
      if (expr.left.op === "literal") this.#word(expr.left, expr.left.value, right);
      if (expr.right.op === "literal") this.#word(expr.right, expr.right.value, left);
    } else if (left.kind === "any") this.#ordered(expr.right, right);
    else this.#ordered(expr.left, left);
  }

  #ordered(side: Expr, type: Type): void {
    if (type.kind === "any" || orderedKinds.includes(type.kind)) return;
    this.#report(side, {
      code: "wrong-type",
      message: `${printExpr(side)} is a ${type.kind}, which has no order`,
    });
  }

  #in(expr: Of<"in">, locals: Locals): void {
    const [left, right] = [this.#typeOf(expr.left, locals), this.#typeOf(expr.right, locals)];
    if (right.kind === "map") this.expect(expr.left, ["string"], locals, "the key of a map");
    else if (right.kind !== "list") this.expect(expr.right, ["list", "map"], locals, "in");
    else if (left.kind !== "any" && right.of.kind !== "any" && left.kind !== right.of.kind)
      this.#report(expr, {
        code: "wrong-type",
        message: `${printExpr(expr)} looks for a ${left.kind} among values of type ${right.of.kind}`,
      });
    for (const item of literalItems(expr.right) ?? []) this.#word(expr.right, item, left);
    if (right.kind === "list" && expr.left.op === "literal")
      this.#word(expr.left, expr.left.value, right.of);
  }

  /** A literal beside a value that has only certain words must be one of them. */
  #word(at: Expr, value: JsonValue, other: Type): void {
    if (other.kind !== "string" || !other.words || typeof value !== "string") return;
    if (other.words.includes(value)) return;
    this.#report(at, {
      code: "unknown-word",
      message: `${JSON.stringify(value)} is not one of ${other.words.join(", ")}`,
      nearest: nearestWord(value, other.words),
    });
  }

  #arithmetic(expr: Of<"arithmetic">, locals: Locals): Type {
    const kinds: readonly Type["kind"][] =
      expr.how === "+" ? ["number", "string", "list"] : ["number"];
    const left = this.expect(expr.left, kinds, locals, `the left of ${expr.how}`);
    const right = this.expect(expr.right, kinds, locals, `the right of ${expr.how}`);
    if (left.kind !== "any" && right.kind !== "any" && left.kind !== right.kind)
      this.#report(expr, {
        code: "wrong-type",
        message: `${printExpr(expr)} mixes a ${left.kind} and a ${right.kind}`,
      });
    if (expr.how === "/") this.#division(expr, left, right);
    if (left.kind !== "number" || right.kind !== "number")
      return left.kind === "any" ? right : left;
    return left.form === right.form ? left : { kind: "number" };
  }

  /** CEL drops the fraction when both sides are whole; JSON cannot tell whole from not. So one side must be a fraction by type. */
  #division(expr: Of<"arithmetic">, left: Type, right: Type): void {
    const forms = [left, right].map((type) => (type.kind === "number" ? type.form : undefined));
    if (forms.includes("fraction") && !forms.includes("whole")) return;
    this.#report(expr, {
      code: "division",
      message: "dividing whole numbers drops the fraction in CEL, and not in JSON",
      hint: "multiply the other side instead, or divide by a number with a point, as in / 100.0",
    });
  }
}
