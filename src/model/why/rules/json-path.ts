/** Reading inside JSON of which nothing is certain: what is absent or of another type is absent. */
import {
  isJsonArray,
  isJsonObject,
  type JsonObject,
  type JsonValue,
} from "../../../kernel/index.ts";

export function at(
  value: JsonValue | undefined,
  ...path: readonly string[]
): JsonValue | undefined {
  let here = value;
  for (const key of path) here = isJsonObject(here) ? here[key] : undefined;
  return here;
}

export function objectAt(value: JsonValue | undefined, ...path: readonly string[]): JsonObject {
  const found = at(value, ...path);
  return isJsonObject(found) ? found : {};
}

/** The objects of a list. */
export function objectsAt(
  value: JsonValue | undefined,
  ...path: readonly string[]
): readonly JsonObject[] {
  const found = at(value, ...path);
  return isJsonArray(found) ? found.filter(isJsonObject) : [];
}

/** The texts of a list. */
export function textsAt(
  value: JsonValue | undefined,
  ...path: readonly string[]
): readonly string[] {
  const found = at(value, ...path);
  return isJsonArray(found) ? found.filter((item): item is string => typeof item === "string") : [];
}

/** Text and numbers as text; "" when there is none. */
export function textAt(value: JsonValue | undefined, ...path: readonly string[]): string {
  const found = at(value, ...path);
  return typeof found === "string" || typeof found === "number" ? String(found) : "";
}

export function numberAt(
  value: JsonValue | undefined,
  ...path: readonly string[]
): number | undefined {
  const found = at(value, ...path);
  return typeof found === "number" ? found : undefined;
}
