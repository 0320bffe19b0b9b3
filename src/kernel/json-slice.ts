/** Reads one member, or the items of an array, out of a JSON text as the bytes they are. */
import { Refused, type ScannedObject, scanObject, skipSpace, skipValue } from "./json-splice.ts";

/**
 * The bytes of the value at `path` (names from the outermost object inward). Undefined when a name is absent, stands
 * twice, or the text on the way is not what was expected; what lies off the path is skipped, not checked.
 */
export function sliceJson(
  text: Uint8Array,
  path: readonly [string, ...string[]],
): Uint8Array | undefined {
  return attempt(() => {
    let at = skipSpace(text, 0);
    let found: ScannedObject["found"];
    for (const name of path) {
      found = scanObject(text, at, name).found;
      if (found === undefined) return undefined;
      at = found.start;
    }
    return found && text.subarray(found.start, found.end);
  });
}

/** Something stands at the path, once or more often; `sliceJson` calls a member that stands twice absent. */
export function hasMember(text: Uint8Array, path: readonly [string, ...string[]]): boolean {
  try {
    let at = skipSpace(text, 0);
    for (const name of path) {
      const { found } = scanObject(text, at, name);
      if (found === undefined) return false;
      at = found.start;
    }
    return true;
  } catch (thrown) {
    if (thrown instanceof Refused) return thrown.refusal.kind === "duplicate_key";
    throw thrown;
  }
}

/** The bytes of each item of a JSON array; undefined when the text is not an array. */
export function itemsOfJson(text: Uint8Array): readonly Uint8Array[] | undefined {
  return attempt(() => {
    let at = skipSpace(text, 0);
    if (text[at] !== 0x5b) return undefined;
    const items: Uint8Array[] = [];
    at = skipSpace(text, at + 1);
    if (text[at] === 0x5d) return items;
    for (;;) {
      const end = skipValue(text, at);
      items.push(text.subarray(at, end));
      at = skipSpace(text, end);
      if (text[at] === 0x5d) return items;
      if (text[at] !== 0x2c) return undefined;
      at = skipSpace(text, at + 1);
    }
  });
}

function attempt<T>(read: () => T | undefined): T | undefined {
  try {
    return read();
  } catch (thrown) {
    if (thrown instanceof Refused) return undefined;
    throw thrown;
  }
}
