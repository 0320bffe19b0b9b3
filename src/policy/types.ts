/** Types as far as they are known before a call. */
import { isJsonArray, isJsonObject, type JsonObject, type JsonValue } from "../kernel/index.ts";
import type { Root } from "./ir.ts";
import { typeName } from "./values.ts";

export type Type =
  /** Known only when the call is there. */
  | { readonly kind: "any" }
  | { readonly kind: "null" }
  | { readonly kind: "bool" }
  /** `whole`: surely without a fraction. `fraction`: declared or written as a number with one. */
  | { readonly kind: "number"; readonly form?: "whole" | "fraction" }
  /** `words`: the only values it can have. */
  | { readonly kind: "string"; readonly words?: readonly string[] }
  | { readonly kind: "list"; readonly of: Type }
  | MapType;

export interface MapType {
  readonly kind: "map";
  readonly fields: ReadonlyMap<string, FieldType>;
  /** Type of fields that are not listed; absent when there are none. */
  readonly rest?: Type;
}

export interface FieldType {
  readonly type: Type;
  readonly required: boolean;
}

export const anyType: Type = { kind: "any" };
export const textType: Type = { kind: "string" };
const openMap: MapType = { kind: "map", fields: new Map(), rest: anyType };

function fields(
  needed: Readonly<Record<string, Type>>,
  optional: Readonly<Record<string, Type>> = {},
): MapType {
  const entry =
    (required: boolean) =>
    ([name, type]: [string, Type]): [string, FieldType] => [name, { type, required }];
  return {
    kind: "map",
    fields: new Map([
      ...Object.entries(needed).map(entry(true)),
      ...Object.entries(optional).map(entry(false)),
    ]),
  };
}

const share: Type = { kind: "number", form: "fraction" };
const count: Type = { kind: "number", form: "whole" };

/** Only `known` is always there; that a condition handles this is checked by `absence.ts`, which sees more than types do. */
const modelType: Type = fields({
  known: { kind: "bool" },
  why: {
    kind: "string",
    words: ["not_asked", "no_target", "no_model", "stale", "unknown_target", "no_traffic"],
  },
  target: textType,
  ageSeconds: count,
  blastRadius: fields({
    trafficShare: share,
    trafficShareLow: share,
    trafficShareHigh: share,
    services: count,
    zones: { kind: "list", of: textType },
    dataClasses: { kind: "list", of: textType },
  }),
  dependents: count,
  recentChanges: count,
  memory: fields({ count, sameChange: count }),
});

/** The roots of a condition whose arguments have the type `args`. */
export function rootTypes(args: Type): Readonly<Record<Root, Type>> {
  return {
    subject: fields(
      {
        type: textType,
        id: textType,
        delegation: { kind: "list", of: textType },
        properties: openMap,
      },
      { model: textType, principal: textType, tenant: textType },
    ),
    action: fields({
      name: textType,
      effect: { kind: "string", words: ["read", "write"] },
      risk: { kind: "string", words: ["low", "high", "critical"] },
      properties: openMap,
    }),
    resource: fields({ type: textType, id: textType, properties: openMap }),
    args,
    context: openMap,
    model: modelType,
  };
}

export function typeOfValue(value: JsonValue): Type {
  switch (typeName(value)) {
    case "number":
      return { kind: "number", form: Number.isInteger(value) ? "whole" : "fraction" };
    case "list": {
      const items = isJsonArray(value) ? value.map(typeOfValue) : [];
      return { kind: "list", of: items.reduce(join, items[0] ?? anyType) };
    }
    case "map":
      return openMap;
    case "null":
      return { kind: "null" };
    case "bool":
      return { kind: "bool" };
    case "string":
      return textType;
  }
}

/** The type of a value that has one type or the other. */
export function join(a: Type, b: Type): Type {
  if (a.kind !== b.kind) return anyType;
  if (a.kind === "number" && b.kind === "number") return a.form === b.form ? a : { kind: "number" };
  if (a.kind === "string" && b.kind === "string")
    return a.words && b.words ? { kind: "string", words: [...a.words, ...b.words] } : textType;
  if (a.kind === "list" && b.kind === "list") return { kind: "list", of: join(a.of, b.of) };
  if (a.kind === "map" && b.kind === "map") return joinMaps(a, b);
  return a;
}

function joinMaps(a: MapType, b: MapType): MapType {
  const joined = new Map<string, FieldType>();
  for (const name of new Set([...a.fields.keys(), ...b.fields.keys()])) {
    const [x, y] = [a.fields.get(name), b.fields.get(name)];
    const one = x ?? y;
    if (x && y)
      joined.set(name, { type: join(x.type, y.type), required: x.required && y.required });
    else if (one) joined.set(name, { type: one.type, required: false });
  }
  const rest = a.rest ?? b.rest;
  return rest ? { kind: "map", fields: joined, rest: anyType } : { kind: "map", fields: joined };
}

const depthMax = 32;

/**
 * The type a JSON Schema declares. An object that lists its properties has no others unless it says so
 * (`additionalProperties`), stricter than JSON Schema: a name that the tool does not list is a mistake. What the
 * schema says in other ways (`anyOf`, `if`, …) is left open.
 */
export function typeOfSchema(schema: JsonValue, root: JsonValue = schema, depth = 0): Type {
  if (!isJsonObject(schema) || depth > depthMax) return anyType;
  const reference = schema["$ref"];
  if (typeof reference === "string") return typeOfSchema(resolve(root, reference), root, depth + 1);
  const values = "const" in schema ? [schema["const"] ?? null] : schema["enum"];
  if (isJsonArray(values)) return typeOfEnum(values);
  switch (schema["type"]) {
    case "string":
      return textType;
    case "integer":
      return { kind: "number", form: "whole" };
    case "number":
      return { kind: "number", form: "fraction" };
    case "boolean":
      return { kind: "bool" };
    case "null":
      return { kind: "null" };
    case "array":
      return { kind: "list", of: typeOfSchema(schema["items"] ?? true, root, depth + 1) };
    case "object":
      return typeOfObject(schema, root, depth);
    default:
      return anyType;
  }
}

function typeOfEnum(values: readonly JsonValue[]): Type {
  if (values.length > 0 && values.every((value) => typeof value === "string"))
    return { kind: "string", words: values };
  const types = values.map(typeOfValue);
  return types.reduce(join, types[0] ?? anyType);
}

const openKeywords = ["patternProperties", "anyOf", "oneOf", "allOf", "if", "$dynamicRef"];

function typeOfObject(schema: JsonObject, root: JsonValue, depth: number): Type {
  const { properties, required } = schema;
  const listed = isJsonObject(properties) ? Object.entries(properties) : [];
  const needed = new Set(isJsonArray(required) ? required : []);
  const known = new Map(
    listed.map(([name, part]) => [
      name,
      { type: typeOfSchema(part, root, depth + 1), required: needed.has(name) },
    ]),
  );
  const more = schema["additionalProperties"];
  if (isJsonObject(more))
    return { kind: "map", fields: known, rest: typeOfSchema(more, root, depth + 1) };
  const closed = more === false || (more === undefined && isJsonObject(properties));
  if (closed && !openKeywords.some((keyword) => keyword in schema))
    return { kind: "map", fields: known };
  return { kind: "map", fields: known, rest: anyType };
}

/** `#/$defs/name` inside the same schema; anything else stays open. */
function resolve(root: JsonValue, reference: string): JsonValue {
  if (!reference.startsWith("#/")) return true;
  let at: JsonValue | undefined = root;
  for (const part of reference.slice(2).split("/")) {
    const name = part.replaceAll("~1", "/").replaceAll("~0", "~");
    at = isJsonObject(at) && Object.hasOwn(at, name) ? at[name] : undefined;
  }
  return at ?? true;
}
