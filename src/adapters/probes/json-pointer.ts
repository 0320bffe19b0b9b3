/** JSON Pointer (RFC 6901). */
import { isJsonArray, isJsonObject, type JsonValue } from "../../kernel/index.ts";

/** The value there; undefined when nothing is, or when the text is no pointer. */
export function valueAt(document: JsonValue, pointer: string): JsonValue | undefined {
  if (pointer === "") return document;
  if (!pointer.startsWith("/")) return undefined;
  let here: JsonValue | undefined = document;
  for (const token of pointer.slice(1).split("/")) {
    const name = token.replaceAll("~1", "/").replaceAll("~0", "~");
    if (isJsonArray(here)) here = /^(?:0|[1-9]\d*)$/.test(name) ? here[Number(name)] : undefined;
    else if (isJsonObject(here)) here = Object.hasOwn(here, name) ? here[name] : undefined;
    else return undefined;
  }
  return here;
}
