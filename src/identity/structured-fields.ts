/** Structured fields for HTTP (RFC 9651), read by `structured-headers`: what does not parse is `undefined`. */
import {
  type BareItem,
  type Dictionary,
  type InnerList,
  type Item,
  parseDictionary,
  parseItem,
  serializeInnerList,
  serializeItem,
} from "structured-headers";

export type { BareItem, Dictionary, InnerList, Item };

export function readDictionary(text: string): Dictionary | undefined {
  return read(() => parseDictionary(text));
}

export function readItem(text: string): Item | undefined {
  return read(() => parseItem(text));
}

/** The one canonical text of a member of a dictionary. */
export function writeMember(member: Item | InnerList): string {
  return isInnerList(member) ? serializeInnerList(member) : serializeItem(member);
}

export function isInnerList(member: Item | InnerList): member is InnerList {
  return Array.isArray(member[0]);
}

/** The parser throws its own errors for what is wrong with the text. */
function read<T>(parse: () => T): T | undefined {
  try {
    return parse();
  } catch (thrown) {
    if (thrown instanceof Error) return undefined;
    throw thrown;
  }
}
