/** Walking through the files of other programs: every answer may be absent, and keeps its place. */
import type { JsonObject, JsonValue } from "../../kernel/index.ts";
import type { Position, SourceNode } from "../../policy/index.ts";

export interface Entry {
  readonly key: string;
  readonly keyAt: Position;
  readonly value: SourceNode;
}

/** The last entry of that name, as readers that allow a name twice take it. */
export function entryOf(node: SourceNode | undefined, key: string): Entry | undefined {
  return node?.kind === "map" ? node.entries.findLast((entry) => entry.key === key) : undefined;
}

export function at(
  node: SourceNode | undefined,
  ...path: readonly string[]
): SourceNode | undefined {
  let found = node;
  for (const key of path) found = entryOf(found, key)?.value;
  return found;
}

/** Numbers and booleans as their texts. */
export function textAt(
  node: SourceNode | undefined,
  ...path: readonly string[]
): string | undefined {
  const found = at(node, ...path);
  if (found?.kind !== "scalar" || found.value === null) return undefined;
  return String(found.value);
}

export function entriesAt(
  node: SourceNode | undefined,
  ...path: readonly string[]
): readonly Entry[] {
  const found = at(node, ...path);
  return found?.kind === "map" ? found.entries : [];
}

export function itemsAt(
  node: SourceNode | undefined,
  ...path: readonly string[]
): readonly SourceNode[] {
  const found = at(node, ...path);
  return found?.kind === "list" ? found.items : [];
}

/** A list of texts, or one text alone. */
export function textsAt(
  node: SourceNode | undefined,
  ...path: readonly string[]
): readonly string[] {
  const single = textAt(node, ...path);
  if (single !== undefined) return [single];
  return itemsAt(node, ...path).flatMap((item) => textAt(item) ?? []);
}

export function jsonOf(node: SourceNode): JsonValue {
  if (node.kind === "scalar") return node.value;
  if (node.kind === "list") return node.items.map(jsonOf);
  const members = node.entries.map(({ key, value }) => [key, jsonOf(value)] as const);
  return Object.fromEntries(members) as JsonObject;
}
