/** Places inside `args` that obligations name. */
import { isJsonArray, isJsonObject, type JsonObject, type JsonValue } from "../kernel/index.ts";
import type { FieldPath } from "./ir.ts";

const plainName = /^[A-Za-z_][A-Za-z0-9_]*$/;

/** `args.items[*].iban` */
export function formatFieldPath(path: FieldPath): string {
  const step = (name: string): string => {
    if (name === "*") return "[*]";
    return plainName.test(name) ? `.${name}` : `[${JSON.stringify(name)}]`;
  };
  return `args${path.map(step).join("")}`;
}

/** A syntax error in a path: `at` counts characters from its start. */
export interface FieldPathError {
  readonly at: number;
  readonly message: string;
}

const stepPattern = /\.([A-Za-z_][A-Za-z0-9_]*)|\.?(?:\[\*\]|\*)|\[("(?:[^"\\]|\\.)+")\]/y;

/** Reads `args.card.number`, `args.items[*].iban`, `args["first name"]`. */
export function parseFieldPath(text: string): FieldPath | FieldPathError {
  const root = /^args(?![A-Za-z0-9_])/.exec(text);
  if (!root) return { at: 0, message: "a field path starts with args" };
  const path: string[] = [];
  let at = root[0].length;
  while (at < text.length) {
    stepPattern.lastIndex = at;
    const step = stepPattern.exec(text);
    if (!step) return { at, message: `a field path cannot go on with ${text.slice(at, at + 12)}` };
    path.push(step[1] ?? (step[2] === undefined ? "*" : unquote(step[2])));
    at += step[0].length;
  }
  if (path.length === 0) return { at: 0, message: "a field path names a field inside args" };
  return path;
}

function unquote(quoted: string): string {
  return quoted.slice(1, -1).replaceAll(/\\(.)/g, "$1");
}

/** Each value that `path` names; `undefined` for each branch that ends before the path does. */
export function valuesAt(args: JsonObject, path: FieldPath): readonly (JsonValue | undefined)[] {
  let values: readonly (JsonValue | undefined)[] = [args];
  for (const name of path) values = values.flatMap((value) => step(value, name));
  return values;
}

function step(value: JsonValue | undefined, name: string): readonly (JsonValue | undefined)[] {
  if (name === "*") {
    if (isJsonArray(value)) return value;
    return isJsonObject(value) ? Object.values(value) : [undefined];
  }
  return [isJsonObject(value) && Object.hasOwn(value, name) ? value[name] : undefined];
}
