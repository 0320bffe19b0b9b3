/** Operators on two values. Both values are there; what does not fit is a failure, never false. */
import { isJsonArray, isJsonObject, type JsonValue, unreachable } from "../kernel/index.ts";
import { add, divide, multiply, remainder, subtract } from "./decimal.ts";
import type { ArithmeticOp, CompareOp, Expr, StringTest } from "./ir.ts";
import { compareText, type Evaluated, equal, Failure, typeName } from "./values.ts";

export type Binary = (left: JsonValue, right: JsonValue) => Evaluated;

export function binary(
  expr: Extract<Expr, { op: "compare" | "arithmetic" | "in" | "string" }>,
): Binary {
  switch (expr.op) {
    case "compare":
      return comparison(expr.how);
    case "arithmetic":
      return arithmetic(expr.how);
    case "in":
      return member;
    case "string":
      return stringTest(expr.how);
    default:
      return unreachable(expr);
  }
}

function comparison(how: CompareOp): Binary {
  switch (how) {
    case "==":
      return sameness(true);
    case "!=":
      return sameness(false);
    case "<":
      return order((sign) => sign < 0);
    case "<=":
      return order((sign) => sign <= 0);
    case ">":
      return order((sign) => sign > 0);
    case ">=":
      return order((sign) => sign >= 0);
    default:
      return unreachable(how);
  }
}

function sameness(wanted: boolean): Binary {
  return (left, right) => {
    if (typeof left === "string" && typeof right === "string") return (left === right) === wanted;
    const same = equal(left, right);
    return same instanceof Failure ? same : same === wanted;
  };
}

function order(accepts: (sign: number) => boolean): Binary {
  return (left, right) => {
    const sign = signOf(left, right);
    return sign === undefined
      ? new Failure(`no order between ${typeName(left)} and ${typeName(right)}`)
      : accepts(sign);
  };
}

/** Number with number, string with string, false before true; undefined for anything else. */
function signOf(left: JsonValue, right: JsonValue): number | undefined {
  if (typeof left === "number" && typeof right === "number")
    return left === right ? 0 : left < right ? -1 : 1;
  if (typeof left === "string" && typeof right === "string") return compareText(left, right);
  if (typeof left === "boolean" && typeof right === "boolean") return Number(left) - Number(right);
  return undefined;
}

function arithmetic(how: ArithmeticOp): Binary {
  const onNumbers = numeric(how);
  return (left, right) => {
    if (typeof left === "number" && typeof right === "number") return onNumbers(left, right);
    if (how === "+") {
      if (typeof left === "string" && typeof right === "string") return left + right;
      if (isJsonArray(left) && isJsonArray(right)) return [...left, ...right];
    }
    return new Failure(`no ${how} of ${typeName(left)} and ${typeName(right)}`);
  };
}

function numeric(how: ArithmeticOp): (left: number, right: number) => Evaluated {
  const exact = exactArithmetic[how];
  const needsDivisor = how === "/" || how === "%";
  return (left, right) => {
    if (needsDivisor && right === 0) return new Failure(`${how} by zero`);
    return exact(left, right) ?? new Failure(`no exact ${how} of ${left} and ${right}`);
  };
}

const exactArithmetic: Readonly<
  Record<ArithmeticOp, (left: number, right: number) => number | undefined>
> = { "+": add, "-": subtract, "*": multiply, "/": divide, "%": remainder };

/** Member of a list (by `==`; one equal member outranks failures), or key of a map. */
function member(left: JsonValue, right: JsonValue): Evaluated {
  if (isJsonObject(right)) {
    if (typeof left !== "string") return new Failure(`map key is a ${typeName(left)}`);
    return Object.hasOwn(right, left) && right[left] !== undefined;
  }
  if (!isJsonArray(right)) return new Failure(`in a ${typeName(right)}`);
  let failure: Failure | undefined;
  for (const item of right) {
    const same = equal(left, item);
    if (same === true) return true;
    if (same instanceof Failure) failure ??= same;
  }
  return failure ?? false;
}

function stringTest(how: StringTest): Binary {
  const tests: Readonly<Record<StringTest, (text: string, part: string) => boolean>> = {
    startsWith: (text, part) => text.startsWith(part),
    endsWith: (text, part) => text.endsWith(part),
    contains: (text, part) => text.includes(part),
  };
  const test = tests[how];
  return (left, right) =>
    typeof left === "string" && typeof right === "string"
      ? test(left, right)
      : new Failure(`${how}() of ${typeName(left)} and ${typeName(right)}`);
}
