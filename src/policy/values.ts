/**
 * Values at evaluation time: a JSON value, or the reason why there is none. A failure is a value here, never an
 * exception: it travels up to the nearest operator that can decide without it (`&&`, `||`, `in`, `exists`, `all`).
 */
import { isJsonArray, isJsonObject, type JsonValue } from "../kernel/index.ts";

/** Why an expression has no value. */
export class Failure {
  readonly why: string;
  constructor(why: string) {
    this.why = why;
  }
}

/**
 * Stands for every value at once: partial evaluation puts it where arguments and context would be. It is a failure
 * that outranks other failures, so what could still be decided is never reported as a failure.
 */
export const unknown: Failure = new Failure("not known yet");

export type Evaluated = JsonValue | Failure;

export type TypeName = "null" | "bool" | "number" | "string" | "list" | "map";

export function typeName(value: JsonValue): TypeName {
  if (value === null) return "null";
  if (isJsonArray(value)) return "list";
  switch (typeof value) {
    case "boolean":
      return "bool";
    case "number":
      return "number";
    case "string":
      return "string";
    default:
      return "map";
  }
}

/** Of two failures, the one to keep: `unknown` outranks, else the left. */
export function worse(left: Failure, right: Failure): Failure {
  return right === unknown ? right : left;
}

/**
 * Deep equality. Values of different types, at any place that both sides have, are a failure; a different size or set
 * of keys is plain inequality and is decided first, level by level.
 */
export function equal(left: JsonValue, right: JsonValue): boolean | Failure {
  if (isJsonArray(left) && isJsonArray(right)) {
    if (left.length !== right.length) return false;
    return every(left.length, (i) => equal(left[i] ?? null, right[i] ?? null));
  }
  if (isJsonObject(left) && isJsonObject(right)) {
    const keys = Object.keys(left);
    if (keys.length !== Object.keys(right).length) return false;
    if (!keys.every((key) => Object.hasOwn(right, key))) return false;
    return every(keys.length, (i) => {
      const key = keys[i] ?? "";
      return equal(left[key] ?? null, right[key] ?? null);
    });
  }
  const [a, b] = [typeName(left), typeName(right)];
  return a === b ? left === right : new Failure(`${a} compared with ${b}`);
}

function every(count: number, at: (index: number) => boolean | Failure): boolean | Failure {
  let all = true;
  for (let i = 0; i < count; i++) {
    const same = at(i);
    if (same instanceof Failure) return same;
    all &&= same;
  }
  return all;
}

/** Order by Unicode code point (the order of the UTF-8 bytes), unlike `<` of JavaScript. Negative, zero or positive. */
export function compareText(left: string, right: string): number {
  const length = Math.min(left.length, right.length);
  for (let i = 0; i < length; i++) {
    const [a, b] = [left.charCodeAt(i), right.charCodeAt(i)];
    if (a !== b) return codePointRank(a) - codePointRank(b);
  }
  return left.length - right.length;
}

/** Surrogates stand for code points above every other code unit. */
function codePointRank(unit: number): number {
  if (unit < 0xd800) return unit;
  return unit >= 0xe000 ? unit - 0x800 : unit + 0x2000;
}

/** Code points of a string. */
export function sizeOfText(text: string): number {
  let size = text.length;
  for (let i = 0; i + 1 < text.length; i++)
    if (isHigh(text.charCodeAt(i)) && isLow(text.charCodeAt(i + 1))) size--;
  return size;
}

function isHigh(unit: number): boolean {
  return unit >= 0xd800 && unit < 0xdc00;
}

function isLow(unit: number): boolean {
  return unit >= 0xdc00 && unit < 0xe000;
}
