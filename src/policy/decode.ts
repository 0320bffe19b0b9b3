/**
 * Decoders: from a source tree to typed values, strictly. A decoder reports everything that is wrong below its node
 * and returns undefined for what could not be read, so one run finds every fault.
 */
import type { JsonValue } from "../kernel/index.ts";
import { nearestWord, type Position, type Problem } from "./diagnostic.ts";
import type { SourceNode, SourceScalar } from "./yaml.ts";

export type Report = (at: Position, problem: Problem) => void;
export type Decoder<T> = (node: SourceNode, report: Report) => T | undefined;

function describe(node: SourceNode): string {
  if (node.kind !== "scalar") return `a ${node.kind}`;
  return node.value === null ? "nothing" : `the ${typeof node.value} ${JSON.stringify(node.value)}`;
}

function wrongType(node: SourceNode, wanted: string, report: Report): undefined {
  const message = `expected ${wanted}, found ${describe(node)}`;
  const hint =
    wanted === "a string" && node.kind === "scalar" && node.value !== null
      ? "put it in quotes"
      : undefined;
  report(node.at, { code: "wrong-type", message, hint });
  return undefined;
}

/** A string that is not blank, with its places. */
export const text: Decoder<SourceScalar & { readonly value: string }> = (node, report) => {
  if (node.kind !== "scalar" || typeof node.value !== "string")
    return wrongType(node, "a string", report);
  if (node.value.trim() !== "") return node as SourceScalar & { readonly value: string };
  report(node.at, { code: "empty", message: "this must not be empty" });
  return undefined;
};

/** A string of a form. `form` says it in words. */
export function name(pattern: RegExp, form: string): Decoder<string> {
  return (node, report) => {
    const read = text(node, report);
    if (read === undefined || pattern.test(read.value)) return read?.value;
    report(node.at, {
      code: "bad-name",
      message: `${JSON.stringify(read.value)} is not ${form}`,
    });
    return undefined;
  };
}

export function oneOf<const W extends string>(...words: readonly W[]): Decoder<W> {
  return (node, report) => {
    const value = node.kind === "scalar" ? node.value : undefined;
    const word = words.find((candidate) => candidate === value);
    if (word !== undefined) return word;
    if (typeof value !== "string") return wrongType(node, `one of ${words.join(", ")}`, report);
    report(node.at, {
      code: "unknown-word",
      message: `${JSON.stringify(value)} is not one of ${words.join(", ")}`,
      nearest: nearestWord(value, words),
    });
    return undefined;
  };
}

export const flag: Decoder<boolean> = (node, report) => {
  if (node.kind === "scalar" && typeof node.value === "boolean") return node.value;
  return wrongType(node, "true or false", report);
};

/** A whole number, `min` or more, and not over `max`. */
export function whole(min: number, max: number = Number.MAX_SAFE_INTEGER): Decoder<number> {
  return (node, report) => {
    const value = node.kind === "scalar" ? node.value : undefined;
    if (typeof value !== "number" || !Number.isInteger(value) || value < min)
      return wrongType(node, `a whole number of at least ${min}`, report);
    if (value <= max) return value;
    report(node.at, { code: "out-of-range", message: `${value} is over ${max}` });
    return undefined;
  };
}

/** That word, or what is no text and `decode` reads. */
export function wordOr<const W extends string, T>(word: W, decode: Decoder<T>): Decoder<W | T> {
  const only = oneOf(word);
  return (node, report) =>
    node.kind === "scalar" && typeof node.value === "string"
      ? only(node, report)
      : decode(node, report);
}

export function list<T>(item: Decoder<T>): Decoder<readonly T[]> {
  return (node, report) => {
    if (node.kind !== "list") return wrongType(node, "a list", report);
    return node.items.flatMap((each) => item(each, report) ?? []);
  };
}

/** One item alone, or a list of at least one. */
export function oneOrMore<T>(item: Decoder<T>): Decoder<readonly T[]> {
  return (node, report) => {
    if (node.kind !== "list") {
      const alone = item(node, report);
      return alone === undefined ? undefined : [alone];
    }
    if (node.items.length === 0) report(node.at, { code: "empty", message: "this list is empty" });
    return list(item)(node, report);
  };
}

export interface Named<T> {
  readonly name: string;
  readonly at: Position;
  readonly value: T;
}

/** A map whose keys are names of a form. */
export function named<T>(
  pattern: RegExp,
  form: string,
  item: Decoder<T>,
): Decoder<readonly Named<T>[]> {
  return (node, report) => {
    if (node.kind !== "map") return wrongType(node, "a map", report);
    return node.entries.flatMap((entry) => {
      if (!pattern.test(entry.key))
        report(entry.keyAt, {
          code: "bad-name",
          message: `${JSON.stringify(entry.key)} is not ${form}`,
        });
      const value = item(entry.value, report);
      return value === undefined ? [] : [{ name: entry.key, at: entry.keyAt, value }];
    });
  };
}

export interface Field<T> {
  readonly decode: Decoder<T>;
  readonly required: boolean;
}

export function required<T>(decode: Decoder<T>): Field<T> {
  return { decode, required: true };
}

export function optional<T>(decode: Decoder<T>): Field<T> {
  return { decode, required: false };
}

/** What a struct decodes to. A required field is undefined only after it was reported. */
export type Struct<F> = {
  readonly [K in keyof F]: (F[K] extends Field<infer T> ? T : never) | undefined;
} & {
  readonly at: Position;
  /** The fields that were written, also those that could not be read. */
  readonly given: ReadonlySet<string>;
};

/** A map with exactly these fields. `what` names it in messages. */
export function struct<F extends { readonly [K in keyof F]: Field<unknown> }>(
  what: string,
  fields: F,
): Decoder<Struct<F>> {
  const known = new Map<string, Field<unknown>>(Object.entries(fields));
  return (node, report) => {
    if (node.kind !== "map") return wrongType(node, `${what} (a map)`, report);
    const given = new Set(node.entries.map(({ key }) => key));
    const values: Record<string, unknown> = { at: node.at, given };
    for (const { key, keyAt, value } of node.entries) {
      const field = known.get(key);
      if (field) values[key] = field.decode(value, report);
      else reportUnknownField(what, key, [...known.keys()], keyAt, report);
    }
    for (const [key, field] of known)
      if (field.required && !given.has(key))
        report(node.at, { code: "missing-field", message: `${what} needs ${key}` });
    return values as Struct<F>;
  };
}

function reportUnknownField(
  what: string,
  key: string,
  known: readonly string[],
  at: Position,
  report: Report,
): void {
  report(at, {
    code: "unknown-field",
    message: `${what} has no field ${JSON.stringify(key)}`,
    nearest: nearestWord(key, known),
    hint: `its fields are ${known.join(", ")}`,
  });
}

/** Any JSON value, for arguments and facts of test cases. */
export const json: Decoder<JsonValue> = (node, report) => {
  switch (node.kind) {
    case "scalar":
      return node.value;
    case "list":
      return node.items.map((item) => json(item, report) ?? null);
    case "map":
      return Object.fromEntries(node.entries.map((e) => [e.key, json(e.value, report) ?? null]));
  }
};

/** Keeps the node beside what was read from it. */
export function placed<T>(
  decode: Decoder<T>,
): Decoder<{ readonly value: T; readonly at: Position }> {
  return (node, report) => {
    const value = decode(node, report);
    return value === undefined ? undefined : { value, at: node.at };
  };
}
