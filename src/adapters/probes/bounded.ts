/** Evidence stays small, whatever a server answered. */
import { isJsonArray, isJsonObject, type JsonObject, type JsonValue } from "../../kernel/index.ts";

const textCharactersMax = 300;
const itemsMax = 20;
const depthMax = 4;

export const boundedText = (text: string, max: number = textCharactersMax): string =>
  text.length <= max ? text : `${text.slice(0, max)}… (${text.length} characters)`;

/** The same value; texts cut at 300 characters, lists and objects at 20 members, 4 deep. */
export function bounded(value: JsonObject): JsonObject {
  return cut(value, 0) as JsonObject;
}

function cut(value: JsonValue, depth: number): JsonValue {
  if (typeof value === "string") return boundedText(value);
  if (depth >= depthMax && typeof value === "object" && value !== null) return "…";
  if (isJsonArray(value)) return value.slice(0, itemsMax).map((item) => cut(item, depth + 1));
  if (!isJsonObject(value)) return value;
  const members = Object.entries(value).slice(0, itemsMax);
  return Object.fromEntries(
    members.map(([name, item]) => [boundedText(name), cut(item, depth + 1)]),
  );
}
