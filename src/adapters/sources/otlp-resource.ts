/** What all signals of OTLP say of who sent them. */
import { isJsonObject, type JsonObject, type JsonValue } from "../../kernel/index.ts";
import { at, listAt, textAt } from "./members.ts";
import { nameOf } from "./source.ts";

/** Attributes by name; values that are lists or maps are left out. */
export type Attributes = ReadonlyMap<string, string | number | boolean>;

export function attributesOf(value: JsonValue | undefined): Attributes {
  const found = new Map<string, string | number | boolean>();
  for (const attribute of listAt(value, "attributes")) {
    const key = textAt(attribute, "key");
    const held = at(attribute, "value");
    if (key === undefined || held === undefined || !isJsonObject(held)) continue;
    const [kind, inner] = Object.entries(held)[0] ?? [];
    if (kind === "intValue") found.set(key, Number(inner));
    else if (typeof inner === "string" || typeof inner === "number" || typeof inner === "boolean")
      found.set(key, inner);
  }
  return found;
}

/** The first of these attributes that is there, as text. */
export function firstOf(attributes: Attributes, ...names: readonly string[]): string | undefined {
  for (const name of names) {
    const value = attributes.get(name);
    if (value !== undefined && value !== "") return String(value);
  }
  return undefined;
}

export function serviceOf(resource: Attributes): string {
  return nameOf(
    firstOf(resource, "service.name", "k8s.deployment.name", "host.name") ?? "unknown_service",
  );
}

/** Nanoseconds since 1970, which JSON numbers do not hold, as microseconds; undefined when it is no such time. */
export function microsecondsAt(value: JsonValue | undefined, name: string): number | undefined {
  const text = textAt(value, name);
  if (text === undefined || !/^\d{4,20}$/.test(text)) return undefined;
  return Number(text.slice(0, -3));
}

/** The resources of a request, with their groups. */
export function* resourcesOf(
  value: JsonObject,
  [resources, scopes, items]: readonly [string, string, string],
): Iterable<readonly [Attributes, JsonValue]> {
  for (const resource of listAt(value, resources)) {
    const attributes = attributesOf(at(resource, "resource"));
    for (const scope of listAt(resource, scopes))
      for (const item of listAt(scope, items)) yield [attributes, item];
  }
}
