/**
 * Names that differ by case alone from one that is known. Policy judges `amount`; an upstream that matches names without
 * regard to case (Go's `encoding/json`) would act on `Amount`. So a near miss is refused.
 */
import {
  foldName,
  isJsonArray,
  isJsonObject,
  type JsonObject,
  type JsonValue,
} from "../kernel/index.ts";

/** The first name in `object` that is one of `known` but for its case; undefined when there is none. */
export function nearName(object: JsonObject, known: readonly string[]): string | undefined {
  const folded = new Set(known.map(foldName));
  return Object.keys(object).find((name) => folded.has(foldName(name)) && !known.includes(name));
}

/**
 * The same for arguments and the `properties` (and `items`) of their JSON Schema, at any depth. Answers with the path of
 * the name. References are not followed.
 */
export function nearArgument(
  value: JsonValue | undefined,
  schema: JsonValue | undefined,
  path = "arguments",
): string | undefined {
  if (!isJsonObject(schema)) return undefined;
  if (isJsonArray(value)) {
    for (const [at, item] of value.entries()) {
      const found = nearArgument(item, schema["items"], `${path}[${at}]`);
      if (found !== undefined) return found;
    }
    return undefined;
  }
  const { properties } = schema;
  if (!(isJsonObject(value) && isJsonObject(properties))) return undefined;
  const near = nearName(value, Object.keys(properties));
  if (near !== undefined) return `${path}.${near}`;
  for (const [name, part] of Object.entries(value)) {
    const declared = Object.hasOwn(properties, name) ? properties[name] : undefined;
    const found = nearArgument(part, declared, `${path}.${name}`);
    if (found !== undefined) return found;
  }
  return undefined;
}
