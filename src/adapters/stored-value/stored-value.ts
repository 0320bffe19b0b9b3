/** Values as a database keeps them: canonical JSON text, so that equal values are equal texts. */
import {
  assert,
  canonicalJson,
  isJsonObject,
  type JsonObject,
  parseJsonStrict,
} from "../../kernel/index.ts";

const valueBytesMax = 1024 * 1024;

/** Throws when the value is larger than any state of ours may grow: 1 MiB. */
export function valueText(value: JsonObject): string {
  const text = canonicalJson(value);
  assert(text.length <= valueBytesMax, `a stored value is over ${valueBytesMax} characters`);
  return text;
}

/** Throws on what we cannot have written: somebody else writes our tables, and nothing may be decided from them. */
export function storedValue(key: string, text: string): JsonObject {
  const parsed = parseJsonStrict(Buffer.from(text), { bytesMax: 4 * valueBytesMax });
  assert(parsed.ok && isJsonObject(parsed.value), `the stored value of ${key} is not ours`);
  return parsed.value;
}

/** The first key after all that start with `prefix`: keys are visible ASCII, and none is beyond `~`. */
export function prefixEnd(prefix: string): string {
  return `${prefix}\u007f`;
}
