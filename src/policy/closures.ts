/** The native backend: an expression becomes a closure. Semantics are those of `ir.ts`, in three values. */
import { assert, isJsonArray, isJsonObject, type JsonValue, unreachable } from "../kernel/index.ts";
import type { Expr, Root } from "./ir.ts";
import { type Binary, binary } from "./operators.ts";
import { compileRegex } from "./regex.ts";
import type { RegoAnswers } from "./rego-answers.ts";
import { type Evaluated, Failure, sizeOfText, typeName, worse } from "./values.ts";

/** What the roots stand for in one evaluation, and a place for the variables of `exists`, `all`, `exists_one`. */
export type Frame = Record<Root, Evaluated> & {
  readonly locals: JsonValue[];
  /** Members that `exists`, `all` and `exists_one` may still look at: lists within lists would multiply. */
  membersLeft: number;
  /** What users' own Rego answered for the agent of this frame, or why nothing can be known of it. */
  readonly rego?: { readonly agent: string; readonly answers: RegoAnswers } | Failure;
};

/** Below a second, in one decision. */
export const membersMax = 1_000_000;

export type Compiled = (frame: Frame) => Evaluated;

/** `scope` holds the names bound outside, outermost first. */
export function compileExpr(expr: Expr, scope: readonly string[] = []): Compiled {
  switch (expr.op) {
    case "literal": {
      const { value } = expr;
      return () => value;
    }
    case "root": {
      const { name } = expr;
      return (frame) => frame[name];
    }
    case "local": {
      const slot = scope.lastIndexOf(expr.name);
      assert(slot >= 0, `the variable ${expr.name} is bound`);
      return (frame) => frame.locals[slot] ?? null;
    }
    case "if":
      return conditional(expr, scope);
    case "compare":
    case "arithmetic":
    case "in":
      return both(expr, binary(expr), scope);
    case "string":
      return both({ left: expr.of, right: expr.with }, binary(expr), scope);
    case "list":
      return list(expr.items, scope);
    case "index":
      return both({ left: expr.of, right: expr.at }, element, scope);
    case "and":
    case "or":
      return logical(expr, expr.op === "or", scope);
    case "exists":
    case "all":
    case "exists_one":
      return comprehension(expr, scope);
    default:
      return unary(expr, scope);
  }
}

type Of<K extends Expr["op"]> = Extract<Expr, { op: K }>;

/** Operators with one operand that must have a value. */
function unary(
  expr: Of<"field" | "has" | "not" | "negate" | "size" | "matches">,
  scope: readonly string[],
): Compiled {
  const of = compileExpr(expr.of, scope);
  const apply = unaryStep(expr);
  return (frame) => {
    const value = of(frame);
    return value instanceof Failure ? value : apply(value);
  };
}

function unaryStep(
  expr: Of<"field" | "has" | "not" | "negate" | "size" | "matches">,
): (value: JsonValue) => Evaluated {
  switch (expr.op) {
    case "field":
      return field(expr.name);
    case "has": {
      const { name } = expr;
      return (value) =>
        isJsonObject(value)
          ? Object.hasOwn(value, name) && value[name] !== undefined
          : new Failure(`has() of a field in a ${typeName(value)}`);
    }
    case "not":
      return (value) =>
        typeof value === "boolean" ? !value : new Failure(`! of a ${typeName(value)}`);
    case "negate":
      return (value) =>
        typeof value === "number" ? 0 - value : new Failure(`- of a ${typeName(value)}`);
    case "size":
      return sizeOf;
    case "matches": {
      const search = compileRegex(expr.pattern);
      assert(search.ok, `the pattern ${expr.pattern} was checked when the policy was loaded`);
      const { charactersMax } = search.value;
      const tooLong = new Failure(`matches() of a text over ${charactersMax} characters`);
      return (value) => {
        if (typeof value !== "string") return new Failure(`matches() of a ${typeName(value)}`);
        return value.length > charactersMax ? tooLong : search.value.test(value);
      };
    }
    default:
      return unreachable(expr);
  }
}

function field(name: string): (value: JsonValue) => Evaluated {
  const absent = new Failure(`no field ${name}`);
  return (value) => {
    if (!isJsonObject(value)) return new Failure(`field ${name} of a ${typeName(value)}`);
    return Object.hasOwn(value, name) ? (value[name] ?? nullOf(value, name, absent)) : absent;
  };
}

/** A property set to `undefined` is absent, as it is in JSON. */
function nullOf(value: object, name: string, absent: Failure): Evaluated {
  return (value as Record<string, unknown>)[name] === undefined ? absent : null;
}

function element(of: JsonValue, at: JsonValue): Evaluated {
  if (isJsonArray(of)) {
    if (typeof at !== "number") return new Failure(`list index is a ${typeName(at)}`);
    const found = Number.isInteger(at) && at >= 0 ? of[at] : undefined;
    return found === undefined ? new Failure(`no element ${at}`) : found;
  }
  if (!isJsonObject(of)) return new Failure(`index of a ${typeName(of)}`);
  if (typeof at !== "string") return new Failure(`map key is a ${typeName(at)}`);
  return field(at)(of);
}

function sizeOf(value: JsonValue): Evaluated {
  if (typeof value === "string") return sizeOfText(value);
  if (isJsonArray(value)) return value.length;
  if (isJsonObject(value)) return Object.keys(value).length;
  return new Failure(`size() of a ${typeName(value)}`);
}

function both(
  expr: { readonly left: Expr; readonly right: Expr },
  apply: Binary,
  scope: readonly string[],
): Compiled {
  const left = compileExpr(expr.left, scope);
  const right = compileExpr(expr.right, scope);
  return (frame) => {
    const a = left(frame);
    const b = right(frame);
    if (a instanceof Failure) return b instanceof Failure ? worse(a, b) : a;
    return b instanceof Failure ? b : apply(a, b);
  };
}

function list(items: readonly Expr[], scope: readonly string[]): Compiled {
  const parts = items.map((item) => compileExpr(item, scope));
  return (frame) => {
    const values: JsonValue[] = [];
    for (const part of parts) {
      const value = part(frame);
      if (value instanceof Failure) return value;
      values.push(value);
    }
    return values;
  };
}

function truth(value: Evaluated, where: string): boolean | Failure {
  if (typeof value === "boolean" || value instanceof Failure) return value;
  return new Failure(`${where} is a ${typeName(value)}, not a bool`);
}

/** `deciding` is the value that decides alone: true for `||`, false for `&&`. */
function logical(expr: Of<"and" | "or">, deciding: boolean, scope: readonly string[]): Compiled {
  const left = compileExpr(expr.left, scope);
  const right = compileExpr(expr.right, scope);
  const where = deciding ? "a side of ||" : "a side of &&";
  return (frame) => {
    const a = truth(left(frame), where);
    if (a === deciding) return deciding;
    const b = truth(right(frame), where);
    if (b === deciding) return deciding;
    if (a instanceof Failure) return b instanceof Failure ? worse(a, b) : a;
    return b;
  };
}

function conditional(expr: Of<"if">, scope: readonly string[]): Compiled {
  const test = compileExpr(expr.test, scope);
  const yes = compileExpr(expr.then, scope);
  const no = compileExpr(expr.else, scope);
  return (frame) => {
    const chosen = truth(test(frame), "the condition of ?:");
    if (chosen instanceof Failure) return chosen;
    return chosen ? yes(frame) : no(frame);
  };
}

function comprehension(
  expr: Of<"exists" | "all" | "exists_one">,
  scope: readonly string[],
): Compiled {
  const of = compileExpr(expr.of, scope);
  const slot = scope.length;
  const body = compileExpr(expr.body, [...scope, expr.name]);
  const fold = expr.op === "exists_one" ? exactlyOne : decidedBy(expr.op === "exists");
  const where = `the body of ${expr.op}()`;
  const tooMany = new Failure(`over ${membersMax} members to look at`);
  return (frame) => {
    const range = of(frame);
    if (range instanceof Failure) return range;
    const members = isJsonArray(range) ? range : isJsonObject(range) ? Object.keys(range) : null;
    if (members === null) return new Failure(`${expr.op}() over a ${typeName(range)}`);
    frame.membersLeft -= members.length;
    if (frame.membersLeft < 0) return tooMany;
    return fold(members.length, (i) => {
      frame.locals[slot] = members[i] ?? null;
      return truth(body(frame), where);
    });
  };
}

type Fold = (count: number, at: (index: number) => boolean | Failure) => Evaluated;

/** `exists` (deciding true) and `all` (deciding false): one deciding member outranks failures of others. */
function decidedBy(deciding: boolean): Fold {
  return (count, at) => {
    let failure: Failure | undefined;
    for (let i = 0; i < count; i++) {
      const member = at(i);
      if (member === deciding) return deciding;
      if (member instanceof Failure) failure = failure ? worse(failure, member) : member;
    }
    return failure ?? !deciding;
  };
}

const exactlyOne: Fold = (count, at) => {
  let found = 0;
  let failure: Failure | undefined;
  for (let i = 0; i < count; i++) {
    const member = at(i);
    if (member instanceof Failure) failure = failure ? worse(failure, member) : member;
    else if (member) found++;
  }
  return failure ?? found === 1;
};
