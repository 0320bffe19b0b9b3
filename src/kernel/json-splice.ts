/** Edits one member of a JSON text in place: every byte that is not the member stays as it was. */
import { err, ok, type Result } from "./result.ts";

export interface SpliceRefusal {
  readonly kind: "syntax" | "duplicate_key" | "not_an_object";
  /** Byte offset in the text. */
  readonly offset: number;
  readonly detail: string;
}

/**
 * Sets the member at `path` (names from the outermost object inward) to the JSON text `json`: replaces its value, or
 * appends it, making the objects that are missing on the way. Refused when a name on the path stands twice or holds
 * something other than an object. What lies off the path is skipped, not checked: give it text that was parsed once.
 */
export function spliceJson(
  text: Uint8Array,
  path: readonly [string, ...string[]],
  json: string,
): Result<Uint8Array, SpliceRefusal> {
  try {
    return ok(splice(text, path, json));
  } catch (thrown) {
    if (thrown instanceof Refused) return err(thrown.refusal);
    throw thrown;
  }
}

export class Refused extends Error {
  readonly refusal: SpliceRefusal;
  constructor(kind: SpliceRefusal["kind"], offset: number, what: string) {
    super(what);
    this.refusal = { kind, offset, detail: `${what} (byte ${offset})` };
  }
}

function splice(text: Uint8Array, path: readonly string[], json: string): Uint8Array {
  let at = skipSpace(text, 0);
  for (const [i, name] of path.entries()) {
    const object = scanObject(text, at, name);
    if (object.found === undefined) {
      const rest = path
        .slice(i + 1)
        .reduceRight((inner, key) => `{${JSON.stringify(key)}:${inner}}`, json);
      const comma = object.empty ? "" : ",";
      return replaced(text, object.end, object.end, `${comma}${JSON.stringify(name)}:${rest}`);
    }
    at = object.found.start;
    if (i === path.length - 1) return replaced(text, at, object.found.end, json);
  }
  return text;
}

function replaced(text: Uint8Array, start: number, end: number, by: string): Uint8Array {
  const middle = new TextEncoder().encode(by);
  const out = new Uint8Array(text.length - (end - start) + middle.length);
  out.set(text.subarray(0, start));
  out.set(middle, start);
  out.set(text.subarray(end), start + middle.length);
  return out;
}

export interface Span {
  readonly start: number;
  readonly end: number;
}

export interface ScannedObject {
  readonly empty: boolean;
  /** Where a further member would go: after the last value, or after the opening brace. */
  readonly end: number;
  readonly found?: Span;
}

const quote = 0x22;
const backslash = 0x5c;
const comma = 0x2c;
const colon = 0x3a;
const braceOpen = 0x7b;
const braceClose = 0x7d;
const bracketOpen = 0x5b;
const bracketClose = 0x5d;

/** Reads the members of the object at `open` and finds the one called `name`. */
export function scanObject(text: Uint8Array, open: number, name: string): ScannedObject {
  if (text[open] !== braceOpen) throw new Refused("not_an_object", open, "an object is expected");
  let at = skipSpace(text, open + 1);
  if (text[at] === braceClose) return { empty: true, end: open + 1 };
  const isNamed = asciiOnly.test(name) ? spellsName : decodesToName;
  let found: Span | undefined;
  for (;;) {
    const nameEnd = skipString(text, at);
    const named = isNamed(text, at + 1, nameEnd - 1, name);
    const start = valueStart(text, nameEnd);
    const end = skipValue(text, start);
    if (named && found !== undefined)
      throw new Refused("duplicate_key", at, `the member ${JSON.stringify(name)} stands twice`);
    if (named) found = { start, end };
    at = skipSpace(text, end);
    if (text[at] === braceClose) return { empty: false, end, ...(found && { found }) };
    if (text[at] !== comma) throw new Refused("syntax", at, "a comma or } is expected");
    at = skipSpace(text, at + 1);
  }
}

function valueStart(text: Uint8Array, nameEnd: number): number {
  const colonAt = skipSpace(text, nameEnd);
  if (text[colonAt] !== colon) throw new Refused("syntax", colonAt, "a colon is expected");
  return skipSpace(text, colonAt + 1);
}

const asciiOnly = /^\p{ASCII}*$/u;

/** For any name. */
function decodesToName(text: Uint8Array, from: number, to: number, name: string): boolean {
  try {
    return JSON.parse(new TextDecoder().decode(text.subarray(from - 1, to + 1))) === name;
  } catch {
    throw new Refused("syntax", from - 1, notAString);
  }
}

/**
 * Whether the string between `from` and `to` stands for the ASCII `name`, however it is spelled: `"\u005fmeta"` is
 * `_meta`. Nothing is decoded or copied on the way, because an upstream may send millions of members. A string that is
 * no JSON is refused.
 */
function spellsName(text: Uint8Array, from: number, to: number, name: string): boolean {
  let same = true;
  let units = 0;
  for (let at = from; at < to; units++) {
    const byte = text[at] ?? 0;
    if (byte < 0x20) throw new Refused("syntax", from - 1, notAString);
    // A byte of anything but ASCII is a difference.
    const escaped = byte === backslash;
    if (same || escaped) same = unitAt(text, at, from) === name.charCodeAt(units) && same;
    at += !escaped ? 1 : text[at + 1] === letterU ? 6 : 2;
  }
  return same && units === name.length;
}

const notAString = "a member name is not a JSON string";
const letterU = 0x75;
/** What a letter after a backslash stands for (RFC 8259 §7). */
const escapes: Readonly<Record<number, number>> = {
  34: 34,
  92: 92,
  47: 47,
  98: 8,
  102: 12,
  110: 10,
  114: 13,
  116: 9,
};

/** The UTF-16 unit of the byte or escape at `at`. */
function unitAt(text: Uint8Array, at: number, from: number): number {
  if (text[at] !== backslash) return text[at] ?? 0;
  const letter = text[at + 1] ?? 0;
  if (letter !== letterU) {
    const unit = escapes[letter];
    if (unit === undefined) throw new Refused("syntax", from - 1, notAString);
    return unit;
  }
  let unit = 0;
  for (let i = at + 2; i < at + 6; i++) {
    const digit = hexDigit(text[i] ?? 0);
    if (digit < 0) throw new Refused("syntax", from - 1, notAString);
    unit = unit * 16 + digit;
  }
  return unit;
}

function hexDigit(byte: number): number {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const letter = byte | 0x20;
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : -1;
}

export function skipSpace(text: Uint8Array, from: number): number {
  let at = from;
  while (text[at] === 0x20 || text[at] === 0x0a || text[at] === 0x0d || text[at] === 0x09) at++;
  return at;
}

/** From an opening quote to after the closing one. */
function skipString(text: Uint8Array, open: number): number {
  if (text[open] !== quote) throw new Refused("syntax", open, "a string is expected");
  let at = open + 1;
  while (at < text.length && text[at] !== quote) at += text[at] === backslash ? 2 : 1;
  if (at >= text.length) throw new Refused("syntax", open, "a string does not end");
  return at + 1;
}

export function skipValue(text: Uint8Array, start: number): number {
  if (text[start] === quote) return skipString(text, start);
  if (text[start] === braceOpen || text[start] === bracketOpen) return skipNested(text, start);
  let at = start;
  while (at < text.length && !endsScalar(text[at])) at++;
  if (at === start) throw new Refused("syntax", start, "a value is expected");
  return at;
}

function skipNested(text: Uint8Array, start: number): number {
  let depth = 0;
  let at = start;
  while (at < text.length) {
    const code = text[at];
    if (code === quote) {
      at = skipString(text, at);
      continue;
    }
    at++;
    if (code === braceOpen || code === bracketOpen) depth++;
    else if ((code === braceClose || code === bracketClose) && --depth === 0) return at;
  }
  throw new Refused("syntax", start, "an object or array does not end");
}

function endsScalar(code: number | undefined): boolean {
  return (
    code === comma ||
    code === braceClose ||
    code === bracketClose ||
    code === 0x20 ||
    code === 0x0a ||
    code === 0x0d ||
    code === 0x09
  );
}
