/** Reading members of JSON that others wrote: absent and of the wrong type are the same, unless the member is needed. */
import { isJsonArray, isJsonObject, type JsonObject, type JsonValue } from "../../kernel/index.ts";

export function at(
  value: JsonValue | undefined,
  ...path: readonly string[]
): JsonValue | undefined {
  let found = value;
  for (const name of path)
    found =
      found !== undefined && isJsonObject(found) && Object.hasOwn(found, name)
        ? found[name]
        : undefined;
  return found;
}

export function objectAt(value: JsonValue | undefined, ...path: readonly string[]): JsonObject {
  const found = at(value, ...path);
  return found !== undefined && isJsonObject(found) ? found : {};
}

export function listAt(
  value: JsonValue | undefined,
  ...path: readonly string[]
): readonly JsonValue[] {
  const found = at(value, ...path);
  return found !== undefined && isJsonArray(found) ? found : [];
}

/** A text that is not empty; a number as its text. */
export function textAt(
  value: JsonValue | undefined,
  ...path: readonly string[]
): string | undefined {
  const found = at(value, ...path);
  if (typeof found === "number") return String(found);
  return typeof found === "string" && found !== "" ? found : undefined;
}

/** A time in RFC 3339, or in seconds since 1970, as milliseconds. */
export function timeAt(
  value: JsonValue | undefined,
  ...path: readonly string[]
): number | undefined {
  const found = at(value, ...path);
  if (typeof found === "number") return found > 0 ? found * 1_000 : undefined;
  if (typeof found !== "string" || !/^\d{4}-\d\d-\d\d/.test(found)) return undefined;
  const ms = Date.parse(found);
  return Number.isFinite(ms) ? ms : undefined;
}

export function textsAt(
  value: JsonValue | undefined,
  ...path: readonly string[]
): readonly string[] {
  return listAt(value, ...path).filter((item) => typeof item === "string");
}
