/** Whether an output is what its probe expects; the rules are Chaos Toolkit's. */
import {
  canonicalJson,
  isJsonArray,
  isJsonObject,
  type JsonValue,
  parseJsonStrict,
} from "../../kernel/index.ts";
import type { Tolerance } from "./experiment.ts";

/** Whether `pattern` is found in `text`; a pattern that cannot be used finds nothing. Linear in time. */
export type FindsPattern = (pattern: string, text: string) => boolean;

const outputLimits = { bytesMax: 1_048_576, depthMax: 64 };

/** `undefined` output (nothing was answered) meets no tolerance. */
export function isMet(
  tolerance: Tolerance,
  output: JsonValue | undefined,
  finds: FindsPattern,
): boolean {
  if (output === undefined) return false;
  if (tolerance.kind === "equals") return same(statusOr(output, tolerance.value), tolerance.value);
  if (tolerance.kind === "among") {
    const value = isJsonObject(output) ? (output["status"] ?? null) : output;
    return tolerance.values.some((allowed) => same(allowed, value));
  }
  const value = targeted(output, tolerance.target);
  if (tolerance.kind === "regex")
    return finds(tolerance.pattern, typeof value === "string" ? value : canonicalJson(value));
  if (tolerance.kind === "range") {
    const number = typeof value === "string" && value.trim() !== "" ? Number(value) : value;
    return typeof number === "number" && number >= tolerance.from && number <= tolerance.to;
  }
  return jsonPathMet(tolerance, value);
}

/** A number is compared with the status of an answer; `true` with nothing but itself. */
function statusOr(output: JsonValue, wanted: string | number | boolean): JsonValue {
  if (!isJsonObject(output) || output["status"] === undefined) return output;
  if (typeof wanted === "number") return output["status"];
  const stdout = output["stdout"];
  return typeof stdout === "string" ? stdout.trim() : (output["body"] ?? null);
}

function targeted(output: JsonValue, target: string | undefined): JsonValue {
  if (!isJsonObject(output)) return output;
  if (target !== undefined) return output[target] ?? null;
  return output["body"] ?? output["stdout"] ?? output["status"] ?? null;
}

function jsonPathMet(
  { path, expect, count }: Extract<Tolerance, { kind: "jsonpath" }>,
  value: JsonValue,
): boolean {
  const found = lookUp(parsed(value), path);
  const values = found === undefined ? [] : [found];
  if (count !== undefined && values.length !== count) return false;
  if (expect === undefined) return count !== undefined || values.length > 0;
  return same(values, expect);
}

function parsed(value: JsonValue): JsonValue {
  if (typeof value !== "string") return value;
  const read = parseJsonStrict(Buffer.from(value.trim()), outputLimits);
  return read.ok ? read.value : value;
}

function lookUp(value: JsonValue, path: readonly (string | number)[]): JsonValue | undefined {
  let at: JsonValue | undefined = value;
  for (const step of path) {
    if (typeof step === "number") at = isJsonArray(at) ? at[step] : undefined;
    else at = isJsonObject(at) ? at[step] : undefined;
    if (at === undefined) return undefined;
  }
  return at;
}

function same(a: JsonValue, b: JsonValue): boolean {
  return canonicalJson(a) === canonicalJson(b);
}
