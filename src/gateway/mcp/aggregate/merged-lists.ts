/** Lists of several upstreams as one. Every item keeps its bytes but for its name, which becomes `server.name`. */
import { itemsOfJson, sliceJson, spliceJson } from "../../../kernel/index.ts";
import { jsonValueOf } from "../wire/inbound.ts";

/** The list methods the aggregate merges: the field of the result, and what names an item. */
export const listShapes = {
  "tools/list": { field: "tools", key: "name", prefixed: true },
  "prompts/list": { field: "prompts", key: "name", prefixed: true },
  "resources/list": { field: "resources", key: "uri", prefixed: false },
  "resources/templates/list": { field: "resourceTemplates", key: "uriTemplate", prefixed: false },
} as const;

export type ListMethod = keyof typeof listShapes;

export function isListMethod(method: string): method is ListMethod {
  return Object.hasOwn(listShapes, method);
}

export interface ListedItem {
  readonly server: string;
  /** The item's own name or URI. */
  readonly key: string;
  /** As the aggregate shows it. */
  readonly shown: string;
  readonly json: string;
}

const decoder = new TextDecoder();

/** The items of one page; an answer without the list has none. */
export function itemsOf(server: string, method: ListMethod, answer: Uint8Array): ListedItem[] {
  const { field, key: keyName, prefixed } = listShapes[method];
  const list = sliceJson(answer, ["result", field]);
  const items = (list && itemsOfJson(list)) ?? [];
  return items.flatMap((bytes) => {
    const key = jsonValueOf(sliceJson(bytes, [keyName]));
    if (typeof key !== "string") return [];
    const shown = prefixed ? `${server}.${key}` : key;
    const renamed = prefixed ? spliceJson(bytes, [keyName], JSON.stringify(shown)) : undefined;
    const json = decoder.decode(renamed?.ok ? renamed.value : bytes);
    return [{ server, key, shown, json }];
  });
}

/** Sorted by what is shown; an item two servers show under one URI is left out, for nobody could say which is meant. */
export function merged(items: readonly ListedItem[]): readonly ListedItem[] {
  const owners = new Map<string, string | undefined>();
  for (const { shown, server } of items)
    owners.set(shown, owners.has(shown) && owners.get(shown) !== server ? undefined : server);
  return items
    .filter(({ shown }) => owners.get(shown) !== undefined)
    .sort((a, b) => (a.shown < b.shown ? -1 : 1));
}

/** `server.name` taken apart; a server name has no dot. */
export function splitShown(
  shown: unknown,
): { readonly server: string; readonly name: string } | undefined {
  if (typeof shown !== "string") return undefined;
  const dot = shown.indexOf(".");
  return dot < 1 ? undefined : { server: shown.slice(0, dot), name: shown.slice(dot + 1) };
}
