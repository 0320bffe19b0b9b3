/** Doing what a verdict obliges to, on a copy of the arguments. */
import {
  canonicalJson,
  digestOf,
  err,
  isJsonArray,
  isJsonObject,
  type JsonObject,
  type JsonValue,
  ok,
  type Result,
} from "../kernel/index.ts";
import { formatFieldPath } from "./field-path.ts";
import type { FieldPath, Obligation, Redaction } from "./ir.ts";

export interface ObligationError {
  /** The place that is neither absent nor something the path can go through. */
  readonly path: string;
  readonly message: string;
}

export interface Applied {
  readonly args: JsonObject;
  /** False when `args` is the very object that was given. */
  readonly changed: boolean;
}

/**
 * Applies every `redact`, in order, to a copy; `require` was judged by the engine and changes nothing. A path that
 * ends early finds nothing to redact. One that meets a text or a number where it should go on is an error, and the
 * call must be refused: what should be hidden may be in there.
 */
export function applyObligations(
  args: JsonObject,
  obligations: readonly Obligation[],
): Result<Applied, ObligationError> {
  let current: JsonValue = args;
  for (const obligation of obligations) {
    if (obligation.kind !== "redact") continue;
    const redacting = new Redacting(obligation.path, obligation.replacement, false);
    current = redacting.at(current, 0) ?? {};
    if (redacting.error) return err(redacting.error);
  }
  return ok({ args: current as JsonObject, changed: current !== args });
}

/**
 * The arguments as they may be kept in a record: the same redactions, and where a path cannot go on, the whole value
 * that stands there is replaced. Never fails.
 */
export function redactForRecord(args: JsonObject, obligations: readonly Obligation[]): JsonObject {
  let current: JsonValue = args;
  for (const obligation of obligations)
    if (obligation.kind === "redact")
      current = new Redacting(obligation.path, obligation.replacement, true).at(current, 0) ?? {};
  return current as JsonObject;
}

const replacedWhole = "[redacted]";

class Redacting {
  error: ObligationError | undefined;
  readonly #path: FieldPath;
  readonly #replacement: Redaction;
  readonly #forRecord: boolean;

  constructor(path: FieldPath, replacement: Redaction, forRecord: boolean) {
    this.#path = path;
    this.#replacement = replacement;
    this.#forRecord = forRecord;
  }

  /** The value with everything below redacted; the same object when nothing was; undefined when it is removed. */
  at(value: JsonValue, depth: number): JsonValue | undefined {
    const name = this.#path[depth];
    if (name === undefined) return redacted(value, this.#replacement);
    if (name === "*" && isJsonArray(value)) return this.#elements(value, depth);
    if (isJsonObject(value)) return this.#fields(value, name, depth);
    if (value === null) return value;
    if (this.#forRecord) return replacedWhole;
    const path = formatFieldPath(this.#path.slice(0, depth));
    this.error = { path, message: `${path} cannot be redacted as the policy obliges` };
    return value;
  }

  #elements(list: readonly JsonValue[], depth: number): JsonValue {
    const next = list.flatMap((element) => {
      const value = this.at(element, depth + 1);
      return value === undefined ? [] : [value];
    });
    const same = next.length === list.length && next.every((value, i) => value === list[i]);
    return same ? list : next;
  }

  #fields(map: JsonObject, name: string, depth: number): JsonValue {
    let changed = false;
    const next: Record<string, JsonValue> = Object.create(null);
    for (const [key, value] of Object.entries(map)) {
      const kept = name === "*" || name === key ? this.at(value, depth + 1) : value;
      changed ||= kept !== value;
      if (kept !== undefined) next[key] = kept;
    }
    return changed ? next : map;
  }
}

function redacted(value: JsonValue, replacement: Redaction): JsonValue | undefined {
  switch (replacement.with) {
    case "text":
      return replacement.text;
    case "mask":
      return masked(value, replacement.keep);
    case "digest":
      return digestOf(value);
    case "remove":
      return undefined;
  }
}

/** Keeps the last characters of a text or number, but never all of it; a list or map keeps nothing. */
function masked(value: JsonValue, keep: number): string {
  if (isJsonArray(value) || isJsonObject(value)) return "***";
  const characters = [...(typeof value === "string" ? value : canonicalJson(value))];
  const kept = keep < characters.length ? keep : 0;
  const hidden = characters.length - kept;
  return "*".repeat(hidden) + characters.slice(hidden).join("");
}
