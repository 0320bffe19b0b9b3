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
  return nearOf(object, knownNames(known));
}

interface Known {
  readonly exact: ReadonlySet<string>;
  readonly folded: ReadonlySet<string>;
}

function knownNames(names: readonly string[]): Known {
  return { exact: new Set(names), folded: new Set(names.map(foldName)) };
}

function nearOf(object: JsonObject, { exact, folded }: Known): string | undefined {
  return Object.keys(object).find((name) => !exact.has(name) && folded.has(foldName(name)));
}

/**
 * The same for arguments and the `properties` (and `items`) of their JSON Schema, at any depth. Answers with the path of
 * the name. References are not followed.
 */
export function nearArgument(
  value: JsonValue | undefined,
  schema: JsonValue | undefined,
): string | undefined {
  return new Search().find(value, schema, "arguments");
}

class Search {
  /** By the `properties` of a schema: a list of a million arguments is held against names that were folded once. */
  readonly #known = new Map<JsonObject, Known>();

  find(
    value: JsonValue | undefined,
    schema: JsonValue | undefined,
    path: string,
  ): string | undefined {
    if (!isJsonObject(schema)) return undefined;
    if (isJsonArray(value)) {
      for (const [at, item] of value.entries()) {
        const found = this.find(item, schema["items"], `${path}[${at}]`);
        if (found !== undefined) return found;
      }
      return undefined;
    }
    const { properties } = schema;
    if (!(isJsonObject(value) && isJsonObject(properties))) return undefined;
    const near = nearOf(value, this.#names(properties));
    if (near !== undefined) return `${path}.${near}`;
    for (const [name, part] of Object.entries(value)) {
      if (!Object.hasOwn(properties, name)) continue;
      const found = this.find(part, properties[name], `${path}.${name}`);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  #names(properties: JsonObject): Known {
    let known = this.#known.get(properties);
    if (known === undefined) {
      known = knownNames(Object.keys(properties));
      this.#known.set(properties, known);
    }
    return known;
  }
}
