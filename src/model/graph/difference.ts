/** What differs between two versions of an object, member by member, as a diff that people and `why` read alike. */
import { isJsonArray, isJsonObject, type JsonObject, type JsonValue } from "../../kernel/index.ts";
import type { DiffPart } from "../event.ts";
import { boundedText } from "../feed/index.ts";

const partsMax = 100;
const linesMax = 100;

/** A part, with its members apart: `["template", "spec", "containers[web]", "image"]`. */
export interface Difference extends DiffPart {
  readonly members: readonly string[];
  /** What stands before a value of one line. */
  readonly label: string;
}

/** Controllers and the API server write these within what people write. */
const generated: ReadonlySet<string> = new Set(["status", "creationTimestamp"]);

/** In order of the members' names; `path` begins with `about` and a space. Of long texts only the lines that differ. */
export function differencesOf(
  about: string,
  aspect: string,
  before: JsonObject,
  after: JsonObject,
): readonly Difference[] {
  const found: Difference[] = [];
  collect(before, after, [], (members, was, is) => {
    if (found.length >= partsMax) return;
    const label = labelOf(members);
    const [removed, added] = [linesOf(label, was), linesOf(label, is)];
    found.push({
      path: boundedText(`${about} ${[aspect, ...members].join(".")}`),
      ...{ members, label },
      removed: only(removed, added),
      added: only(added, removed),
    });
  });
  return found;
}

type Visit = (
  members: readonly string[],
  was: JsonValue | undefined,
  is: JsonValue | undefined,
) => void;

function collect(
  was: JsonValue | undefined,
  is: JsonValue | undefined,
  members: readonly string[],
  visit: Visit,
): void {
  const [a, b] = [branchesOf(was), branchesOf(is)];
  // What is there on one side only is as if the other were empty.
  const isBranch = (a !== undefined || was == null) && (b !== undefined || is == null);
  if (!isBranch || (a ?? b) === undefined) {
    if (JSON.stringify(was) !== JSON.stringify(is)) visit(members, was, is);
    return;
  }
  for (const name of [...new Set([...(a?.keys() ?? []), ...(b?.keys() ?? [])])].sort())
    if (!generated.has(name)) collect(a?.get(name), b?.get(name), below(members, name), visit);
}

/** An item of a list is named with it: `containers[web]`. */
function below(members: readonly string[], name: string): readonly string[] {
  if (!name.startsWith("[")) return [...members, name];
  return [...members.slice(0, -1), (members.at(-1) ?? "") + name];
}

/** Members by name; of a list its items, by their own names where they have them. A list of texts is one text. */
function branchesOf(value: JsonValue | undefined): ReadonlyMap<string, JsonValue> | undefined {
  if (value === undefined || value === null) return undefined;
  if (isJsonArray(value)) {
    if (!value.every(isJsonObject)) return undefined;
    const names = value.map((item) => item["name"]);
    const isNamed = names.every((name) => typeof name === "string");
    const keys = isNamed && new Set(names).size === names.length ? names : value.map((_, at) => at);
    return new Map(value.map((item, at) => [`[${String(keys[at])}]`, item]));
  }
  return isJsonObject(value) ? new Map(Object.entries(value)) : undefined;
}

/** The value of an environment variable is known by the variable's name. */
function labelOf(members: readonly string[]): string {
  const last = members.at(-1) ?? "";
  const variable = /^env\[(.+)\]$/.exec(members.at(-2) ?? "")?.[1];
  return last === "value" && variable !== undefined ? variable : last;
}

function linesOf(label: string, value: JsonValue | undefined): readonly string[] {
  if (value === undefined) return [];
  if (isJsonArray(value)) return value.map(textOf);
  const text = textOf(value);
  return text.includes("\n") ? text.split(/\r?\n/) : [`${label}: ${text}`];
}

function textOf(value: JsonValue): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}

/** Lines of `a` that are not in `b`, each as often as it is there more. */
function only(a: readonly string[], b: readonly string[]): readonly string[] {
  const counts = new Map<string, number>();
  for (const line of b) counts.set(line, (counts.get(line) ?? 0) + 1);
  const left = a.filter((line) => {
    const count = counts.get(line) ?? 0;
    if (count > 0) counts.set(line, count - 1);
    return count === 0;
  });
  return left.slice(0, linesMax).map(boundedText);
}
