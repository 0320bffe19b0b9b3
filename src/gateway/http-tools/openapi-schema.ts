/** References and the schema dialect of OpenAPI 3.0, written out as plain JSON Schema. */
import { isJsonArray, isJsonObject, type JsonObject, type JsonValue } from "../../kernel/index.ts";

const nestingMax = 24;
const referencesMax = 2000;

/** What is recursive, too deep or too large becomes `{}`, which allows anything: a schema here only informs a check. */
export class SchemaReader {
  readonly problems: string[] = [];
  readonly #document: JsonObject;

  constructor(document: JsonObject) {
    this.#document = document;
  }

  /** The object itself, or the one its local `$ref` names. Reports and returns undefined when there is none. */
  object(value: JsonValue | undefined, where: string): JsonObject | undefined {
    const followed = this.#follow(value, where);
    if (followed === undefined) return undefined;
    if (isJsonObject(followed)) return followed;
    this.problems.push(`${where}: an object is needed`);
    return undefined;
  }

  /** A schema with every reference written out. */
  schema(value: JsonValue, where: string): JsonObject {
    const budget = { references: referencesMax };
    const whole = this.#expand(value, { where, open: [], depth: 0, budget });
    return isJsonObject(whole) ? whole : {};
  }

  #follow(value: JsonValue | undefined, where: string): JsonValue | undefined {
    let current = value;
    for (let steps = 0; isJsonObject(current) && typeof current["$ref"] === "string"; steps++) {
      const reference = current["$ref"];
      current = steps < nestingMax ? this.#resolve(reference) : undefined;
      if (current === undefined) {
        this.problems.push(`${where}: ${reference} is not a place in this document`);
        return undefined;
      }
    }
    return current;
  }

  /** A local reference, `#/components/…` (RFC 6901 in a URI fragment). */
  #resolve(reference: string): JsonValue | undefined {
    if (!reference.startsWith("#/")) return undefined;
    let current: JsonValue | undefined = this.#document;
    for (const raw of reference.slice(2).split("/")) {
      const step = decodeFragment(raw).replaceAll("~1", "/").replaceAll("~0", "~");
      if (isJsonArray(current)) current = current[Number(step)];
      else if (isJsonObject(current) && Object.hasOwn(current, step)) current = current[step];
      else return undefined;
    }
    return current;
  }

  #expand(value: JsonValue, at: Place): JsonValue {
    if (at.depth > nestingMax) return {};
    const inner = { ...at, depth: at.depth + 1 };
    if (isJsonArray(value)) return value.map((item) => this.#expand(item, inner));
    if (!isJsonObject(value)) return value;
    const reference = value["$ref"];
    if (typeof reference === "string") return this.#expandReference(reference, inner);
    const members: Record<string, JsonValue> = Object.create(null);
    for (const [key, member] of Object.entries(value)) {
      if (!ignored.includes(key)) members[key] = this.#expandMember(key, member, inner);
    }
    return fromDialect30(members);
  }

  #expandMember(key: string, member: JsonValue, at: Place): JsonValue {
    if (literalKeys.includes(key)) return member;
    if (!nameKeys.includes(key) || !isJsonObject(member)) return this.#expand(member, at);
    return mapValues(member, (schema) => this.#expand(schema, at));
  }

  #expandReference(reference: string, at: Place): JsonValue {
    if (at.open.includes(reference) || at.budget.references-- <= 0) return {};
    const target = this.#resolve(reference);
    if (target !== undefined) return this.#expand(target, { ...at, open: [...at.open, reference] });
    this.problems.push(`${at.where}: ${reference} is not a place in this document`);
    return {};
  }
}

/** Where an expansion stands: the references it is inside of, and how many more it may follow. */
interface Place {
  readonly where: string;
  readonly open: readonly string[];
  readonly depth: number;
  readonly budget: { references: number };
}

/** Says nothing about which values are valid. */
const ignored: readonly string[] = ["example", "examples", "xml", "externalDocs", "discriminator"];
/** Their value is data, not a schema. */
const literalKeys: readonly string[] = ["enum", "const", "default", "required"];

/** Their members are named by the author, so a name means nothing here. */
const nameKeys: readonly string[] = ["properties", "patternProperties", "dependentSchemas"];

function mapValues(object: JsonObject, change: (value: JsonValue) => JsonValue): JsonObject {
  const changed: Record<string, JsonValue> = Object.create(null);
  for (const [name, value] of Object.entries(object)) changed[name] = change(value);
  return changed;
}

/** OpenAPI 3.0: `nullable`, and the boolean form of the exclusive bounds. */
function fromDialect30(schema: Record<string, JsonValue>): JsonObject {
  const { nullable, ...rest } = schema;
  for (const [flag, bound] of [
    ["exclusiveMinimum", "minimum"],
    ["exclusiveMaximum", "maximum"],
  ] as const) {
    if (typeof rest[flag] !== "boolean") continue;
    if (rest[flag] === true && rest[bound] !== undefined) {
      rest[flag] = rest[bound];
      delete rest[bound];
    } else delete rest[flag];
  }
  if (nullable === true && typeof rest["type"] === "string")
    return { ...rest, type: [rest["type"], "null"] };
  if (nullable !== undefined && typeof nullable !== "boolean") return { ...rest, nullable };
  return rest;
}

function decodeFragment(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
