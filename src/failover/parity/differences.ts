/** Where two JSON values differ in meaning. Members of named lists are matched by their names, not by their places. */
import {
  canonicalJson,
  isJsonArray,
  isJsonObject,
  type JsonObject,
  type JsonValue,
} from "../../kernel/index.ts";

export interface Difference {
  /** `components[gateway].verify.url` */
  readonly path: string;
  /** Absent where it was added. */
  readonly before?: JsonValue;
  /** Absent where it was taken away. */
  readonly after?: JsonValue;
}

/** What names an item of a list, by preference. */
const nameKeys = ["name", "id", "data_class", "class", "to", "path"] as const;

/** Lists of texts whose order means nothing. In others (a command and its arguments) it does. */
const sets =
  /(?:^|\.)(?:blocs|depends_on|sites|controls|covers|profiles|jurisdictions|keys|allowed|images)$/;

/** Every difference, in the order of the paths. */
export function differences(before: JsonObject, after: JsonObject): readonly Difference[] {
  const found: Difference[] = [];
  compare(before, after, "", found);
  return found.sort((a, b) => (a.path < b.path ? -1 : Number(a.path > b.path)));
}

function compare(
  a: JsonValue | undefined,
  b: JsonValue | undefined,
  path: string,
  found: Difference[],
): void {
  if (a === undefined && b !== undefined) found.push({ path, after: b });
  else if (b === undefined && a !== undefined) found.push({ path, before: a });
  else if (isJsonObject(a) && isJsonObject(b)) {
    // A member that is undefined is one that is not there.
    for (const key of new Set([...Object.keys(a), ...Object.keys(b)]))
      compare(a[key], b[key], path === "" ? key : `${path}.${key}`, found);
  } else if (isJsonArray(a) && isJsonArray(b)) compareLists(a, b, path, found);
  else if (a !== undefined && b !== undefined && canonicalJson(a) !== canonicalJson(b))
    found.push({ path, before: a, after: b });
}

function compareLists(
  a: readonly JsonValue[],
  b: readonly JsonValue[],
  path: string,
  found: Difference[],
): void {
  const [left, right] = [named(a, path), named(b, path)];
  if (left === undefined || right === undefined) {
    if (canonicalJson(a) !== canonicalJson(b)) found.push({ path, before: a, after: b });
    return;
  }
  for (const name of new Set([...left.keys(), ...right.keys()]))
    compare(left.get(name), right.get(name), `${path}[${name}]`, found);
}

/** Items by name; undefined where an item has none, or two have the same. In a set, a text is its own name. */
function named(
  items: readonly JsonValue[],
  path: string,
): ReadonlyMap<string, JsonValue> | undefined {
  const byName = new Map<string, JsonValue>();
  for (const item of items) {
    const key = isJsonObject(item) ? nameKeys.find((each) => item[each] !== undefined) : undefined;
    const name = isJsonObject(item) ? key && item[key] : sets.test(path) ? item : undefined;
    if (typeof name !== "string" || byName.has(name)) return undefined;
    byName.set(name, item);
  }
  return byName;
}
