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
  return isJsonArray(value) ? list(value) : members(value);
}

function list(items: readonly JsonValue[]): string {
  let text = "[";
  let comma = "";
  for (const item of items) {
    text += comma + canonicalJson(item);
    comma = ",";
  }
  return `${text}]`;
}

function members(object: JsonObject): string {
  let text = "{";
  let comma = "";
  // The default order of `sort` is that of UTF-16 code units, which RFC 8785 §3.2.3 asks for.
  for (const name of Object.keys(object).sort()) {
    text += `${comma}${quoted(name)}:${canonicalJson(object[name] as JsonValue)}`;
    comma = ",";
  }
  return `${text}}`;
}

function quoted(text: string): string {
  assert(isWellFormed(text), "canonical JSON: a string has no lone surrogate");
  return JSON.stringify(text);
}
