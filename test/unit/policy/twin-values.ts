/** The twin's values: expressions evaluated slowly and obviously, a failure being an exception. */
import { type JsonObject, type JsonValue, unreachable } from "../../../src/kernel/index.ts";
import type { Expr } from "../../../src/policy/ir.ts";

/** There is no value. */
export class NoValue extends Error {}

export type Names = ReadonlyMap<string, JsonValue>;

type Kind = "null" | "bool" | "number" | "string" | "list" | "map";

export function kindOf(value: JsonValue): Kind {
  if (value === null) return "null";
  if (Array.isArray(value)) return "list";
  if (typeof value === "object") return "map";
  return typeof value === "boolean" ? "bool" : (typeof value as Kind);
}

/** `names` holds the five roots and, nearer names winning, the variables. */
export function evaluate(expr: Expr, names: Names): JsonValue {
  const value = (inner: Expr): JsonValue => evaluate(inner, names);
  switch (expr.op) {
    case "literal":
      return expr.value;
    case "root":
      return names.get(`root ${expr.name}`) as JsonValue;
    case "local":
      return names.get(`local ${expr.name}`) as JsonValue;
    case "field":
      return member(value(expr.of), expr.name);
    case "index":
      return indexed(value(expr.of), value(expr.at));
    case "has":
      return Object.keys(map(value(expr.of))).includes(expr.name);
    case "list":
      return expr.items.map(value);
    case "if":
      return bool(value(expr.test)) ? value(expr.then) : value(expr.else);
    case "not":
      return !bool(value(expr.of));
    case "negate":
      return 0 - number(value(expr.of));
    case "and":
    case "or":
      return logic(expr.op, [() => value(expr.left), () => value(expr.right)]);
    case "exists":
    case "all":
    case "exists_one":
      return quantified(expr, names);
    default:
      return operation(expr, value);
  }
}

type Operation = Extract<
  Expr,
  { op: "compare" | "arithmetic" | "in" | "size" | "string" | "matches" }
>;

function operation(expr: Operation, value: (inner: Expr) => JsonValue): JsonValue {
  switch (expr.op) {
    case "compare":
      return compared(expr.how, value(expr.left), value(expr.right));
    case "arithmetic":
      return computed(expr.how, value(expr.left), value(expr.right));
    case "in":
      return isIn(value(expr.left), value(expr.right));
    case "size": {
      const of = value(expr.of);
      if (typeof of === "string") return [...of].length;
      if (Array.isArray(of)) return of.length;
      return Object.keys(map(of)).length;
    }
    case "string": {
      const [of, part] = [text(value(expr.of)), text(value(expr.with))];
      if (expr.how === "startsWith") return of.slice(0, part.length) === part;
      if (expr.how === "endsWith") return of.slice(of.length - part.length) === part || part === "";
      return of.split(part).length > 1 || part === "";
    }
    case "matches":
      return new RegExp(expr.pattern, "u").test(text(value(expr.of)));
    default:
      return unreachable(expr);
  }
}

function need<T extends JsonValue>(value: JsonValue, kind: Kind): T {
  if (kindOf(value) !== kind) throw new NoValue(`not a ${kind}`);
  return value as T;
}
const bool = (value: JsonValue): boolean => need(value, "bool");
const number = (value: JsonValue): number => need(value, "number");
const text = (value: JsonValue): string => need(value, "string");
const map = (value: JsonValue): JsonObject => need(value, "map");

function member(of: JsonValue, name: string): JsonValue {
  const found = Object.entries(map(of)).find(([key]) => key === name);
  if (!found) throw new NoValue("no such field");
  return found[1];
}

function indexed(of: JsonValue, at: JsonValue): JsonValue {
  if (kindOf(of) === "map") return member(of, text(at));
  const list = need<readonly JsonValue[]>(of, "list");
  const wanted = number(at);
  const found = [...list.entries()].find(([position]) => position === wanted);
  if (!found) throw new NoValue("no such element");
  return found[1];
}

/** What a test comes to: true, false, or no value (also when it is no boolean). */
function outcome(test: () => JsonValue): boolean | "none" {
  try {
    return bool(test());
  } catch (thrown) {
    if (thrown instanceof NoValue) return "none";
    throw thrown;
  }
}

function logic(op: "and" | "or", sides: readonly (() => JsonValue)[]): boolean {
  const outcomes = sides.map(outcome);
  const decides = op === "or";
  if (outcomes.includes(decides)) return decides;
  if (outcomes.includes("none")) throw new NoValue("a side has no value");
  return !decides;
}

function quantified(
  expr: Extract<Expr, { op: "exists" | "all" | "exists_one" }>,
  names: Names,
): boolean {
  const of = evaluate(expr.of, names);
  const members = Array.isArray(of) ? of : Object.keys(map(of));
  const tests = members.map(
    (one) => () => evaluate(expr.body, new Map(names).set(`local ${expr.name}`, one)),
  );
  if (expr.op === "exists") return logic("or", tests);
  if (expr.op === "all") return logic("and", tests);
  const outcomes = tests.map(outcome);
  if (outcomes.includes("none")) throw new NoValue("a test has no value");
  return outcomes.filter((one) => one === true).length === 1;
}

function isIn(left: JsonValue, right: JsonValue): boolean {
  if (kindOf(right) === "map") return Object.keys(map(right)).includes(text(left));
  return logic(
    "or",
    need<readonly JsonValue[]>(right, "list").map((one) => () => equals(left, one)),
  );
}

function equals(left: JsonValue, right: JsonValue): boolean {
  if (kindOf(left) !== kindOf(right)) throw new NoValue("different types");
  if (left === null || typeof left !== "object") return left === right;
  const [a, b] = [left as Record<string, JsonValue>, right as Record<string, JsonValue>];
  const keys = Object.keys(a).sort();
  if (JSON.stringify(keys) !== JSON.stringify(Object.keys(b).sort())) return false;
  const same = keys.map((key) => equals(a[key] as JsonValue, b[key] as JsonValue));
  return !same.includes(false);
}

function compared(how: string, left: JsonValue, right: JsonValue): boolean {
  if (how === "==") return equals(left, right);
  if (how === "!=") return !equals(left, right);
  const kind = kindOf(left);
  if (kind !== kindOf(right) || !["number", "string", "bool"].includes(kind))
    throw new NoValue("no order");
  const sign =
    kind === "string"
      ? Math.sign(Buffer.compare(Buffer.from(left as string), Buffer.from(right as string)))
      : Math.sign(Number(left) - Number(right));
  return { "<": sign < 0, "<=": sign <= 0, ">": sign > 0, ">=": sign >= 0 }[how] as boolean;
}

function computed(how: string, left: JsonValue, right: JsonValue): JsonValue {
  if (how === "+" && kindOf(left) === "string") return (left as string) + text(right);
  if (how === "+" && Array.isArray(left)) return [...left, ...need<JsonValue[]>(right, "list")];
  const [a, b] = [decimal(number(left)), decimal(number(right))];
  if (how === "*") return asNumber(a.coefficient * b.coefficient, a.places + b.places);
  const places = Math.max(a.places, b.places);
  const [x, y] = [scaled(a, places), scaled(b, places)];
  switch (how) {
    case "+":
      return asNumber(x + y, places);
    case "-":
      return asNumber(x - y, places);
    case "/": {
      if (y === 0n) throw new NoValue("division by zero");
      if (x % y === 0n) return asNumber(x / y, 0);
      if (size((x % y) * 1_000_000n) >= 10n ** 15n) throw new NoValue("too many digits");
      return asNumber((x * 1_000_000n) / y, 6);
    }
    default:
      if (places > 0 || y === 0n) throw new NoValue("no remainder");
      return asNumber(x % y, 0);
  }
}

const size = (value: bigint): bigint => (value < 0n ? -value : value);

/** The number as it is written. */
function decimal(value: number): { coefficient: bigint; places: number } {
  if (Number.isInteger(value)) return { coefficient: checked(BigInt(value), 0), places: 0 };
  const [mantissa = "", exponent = "0"] = String(value).split("e");
  const [whole = "", fraction = ""] = mantissa.split(".");
  const places = fraction.length - Number(exponent);
  return { coefficient: checked(BigInt(whole + fraction), places), places };
}

function scaled(value: { coefficient: bigint; places: number }, places: number): bigint {
  return checked(value.coefficient * 10n ** BigInt(places - value.places), places);
}

function checked(coefficient: bigint, places: number): bigint {
  const fits =
    places === 0
      ? size(coefficient) <= 2n ** 53n - 1n
      : places > 0 && places <= 15 && size(coefficient) < 10n ** 15n;
  if (!fits) throw new NoValue("too many digits");
  return coefficient;
}

function asNumber(coefficient: bigint, places: number): number {
  return Number(`${checked(coefficient, places)}e-${places}`) + 0;
}
