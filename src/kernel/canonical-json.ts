/** Canonical JSON, RFC 8785 (JCS): one text per value, so that a digest of it is a digest of the value. */
import { assert } from "./assert.ts";
import { isJsonArray, type JsonObject, type JsonValue } from "./json.ts";
import { isWellFormed } from "./well-formed.ts";

/**
 * The canonical text: no white space, members sorted by the UTF-16 code units of their names, numbers and strings as
 * ECMAScript writes them. Throws `InvariantError` for what has no canonical form (a number that is not finite, a lone
 * surrogate, `undefined`); values that came through `parseJsonStrict` always have one.
 */
export function canonicalJson(value: JsonValue): string {
  return text(value, 2);
}

/**
 * Where every name already stands in its place, the engine's own serialiser writes the same text several times faster.
 * That is looked for at the root and at most `looks` levels below, so that no shape of a value makes us look often.
 */
function text(value: JsonValue, looks: number): string {
  if (typeof value === "string") return quoted(value);
  if (typeof value === "number") {
    assert(Number.isFinite(value), "canonical JSON: a number is finite");
    return String(value);
  }
  if (value === null || typeof value === "boolean") return String(value);
  assert(
    typeof value === "object",
    "canonical JSON: a value is null, boolean, number, string, array or object",
  );
  if (looks >= 0 && isOrdered(value)) {
    const written = JSON.stringify(value);
    // A lone surrogate is written as an escape, which our own writer refuses. (A backslash before "ud" looks alike.)
    if (!written.includes("\\ud")) return written;
  }
  return isJsonArray(value) ? list(value, looks - 1) : members(value, looks - 1);
}

/** Whether `JSON.stringify` writes the canonical text: all names in order, nothing that is not JSON. */
function isOrdered(value: JsonValue): boolean {
  if (typeof value === "string" || typeof value === "boolean" || value === null) return true;
  if (typeof value !== "object") return Number.isFinite(value);
  if (isJsonArray(value)) {
    for (const item of value) if (!isOrdered(item)) return false;
    return true;
  }
  let last = "";
  for (const name of Object.keys(value)) {
    if (last > name || !isOrdered(value[name] as JsonValue)) return false;
    last = name;
  }
  return true;
}

function list(items: readonly JsonValue[], looks: number): string {
  let written = "[";
  let comma = "";
  for (const item of items) {
    written += comma + text(item, looks);
    comma = ",";
  }
  return `${written}]`;
}

function members(object: JsonObject, looks: number): string {
  let written = "{";
  let comma = "";
  // The default order of `sort` is that of UTF-16 code units, which RFC 8785 §3.2.3 asks for.
  for (const name of Object.keys(object).sort()) {
    written += `${comma}${quoted(name)}:${text(object[name] as JsonValue, looks)}`;
    comma = ",";
  }
  return `${written}}`;
}

/** Text in which nothing needs an escape. */
const plain = /^[ !#-[\]-~]*$/;

function quoted(string: string): string {
  if (plain.test(string)) return `"${string}"`;
  assert(isWellFormed(string), "canonical JSON: a string has no lone surrogate");
  return JSON.stringify(string);
}
