/**
 * Strict JSON (RFC 8259 within I-JSON, RFC 7493): what two parsers could read differently is refused, so that the
 * value that was judged is the value every other program sees.
 */
import type { JsonArray, JsonValue } from "./json.ts";
import { err, ok, type Result } from "./result.ts";
import { isWellFormed } from "./well-formed.ts";

export interface JsonLimits {
  readonly bytesMax: number;
  /** How many arrays and objects may enclose one another; `[[]]` is 2. */
  readonly depthMax: number;
  /**
   * Also refuse, as `duplicate_key`, two names in one object that differ by case alone: some parsers (Go's
   * `encoding/json`) match names without regard to case and take the last.
   */
  readonly caseTwins?: "refuse";
  /**
   * `nearest` reads integers beyond 2^53 - 1 as the nearest double. Only for reports that are counted and shown, such as
   * metrics of other programs; never for what is judged, signed or forwarded. Default: `refuse`.
   */
  readonly unsafeNumbers?: "refuse" | "nearest";
}

export type JsonRefusalKind =
  | "syntax"
  | "duplicate_key"
  /** An integer outside ±(2^53 - 1), or a number that is not finite as a double. */
  | "unsafe_number"
  | "too_deep"
  | "too_large"
  /** Not UTF-8, or a byte order mark in front. */
  | "bad_utf8"
  | "lone_surrogate";

export interface JsonRefusal {
  readonly kind: JsonRefusalKind;
  /** Byte offset of the first byte that is refused. */
  readonly offset: number;
  /** JSON Pointer (RFC 6901) to the value that was being read; empty for the whole text. */
  readonly pointer: string;
  /** One sentence: what is wrong and where. */
  readonly detail: string;
}

const limitsDefault: JsonLimits = { bytesMax: 4 * 1024 * 1024, depthMax: 64 };
const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/**
 * Parses one JSON text. Objects of the result inherit nothing, so `__proto__` and `constructor` are plain keys.
 * Limits that are not given: 4 MiB, depth 64.
 */
export function parseJsonStrict(
  bytes: Uint8Array,
  limits: Partial<JsonLimits> = limitsDefault,
): Result<JsonValue, JsonRefusal> {
  const bytesMax = limits.bytesMax ?? limitsDefault.bytesMax;
  if (bytes.length > bytesMax) {
    return refuse(
      "too_large",
      bytesMax,
      "",
      `the text has ${bytes.length} bytes, over ${bytesMax}`,
    );
  }
  let text: string;
  try {
    text = utf8.decode(bytes);
  } catch {
    return refuse("bad_utf8", firstBadByte(bytes), "", "the text is not UTF-8");
  }
  if (text.charCodeAt(0) === 0xfeff) {
    return refuse("bad_utf8", 0, "", "the text begins with a byte order mark");
  }
  const parser = new Parser(text, limits);
  try {
    return ok(parser.whole());
  } catch (thrown) {
    if (!(thrown instanceof Refused)) throw thrown;
    const offset = new TextEncoder().encode(text.slice(0, thrown.at)).length;
    return refuse(thrown.kind, offset, parser.pointer(), thrown.message);
  }
}

function refuse(
  kind: JsonRefusalKind,
  offset: number,
  pointer: string,
  what: string,
): Result<never, JsonRefusal> {
  const where = pointer === "" ? "" : ` at ${pointer}`;
  return err({ kind, offset, pointer, detail: `${what}${where} (byte ${offset})` });
}

/** Where a lenient decoding, encoded again, first differs. */
function firstBadByte(bytes: Uint8Array): number {
  const again = new TextEncoder().encode(
    new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes),
  );
  const at = bytes.findIndex((byte, i) => byte !== again[i]);
  return at === -1 ? bytes.length : at;
}

/** Leaves the recursion; never leaves this file. */
class Refused extends Error {
  readonly kind: JsonRefusalKind;
  /** UTF-16 offset in the text. */
  readonly at: number;
  constructor(kind: JsonRefusalKind, at: number, what: string) {
    super(what);
    this.kind = kind;
    this.at = at;
  }
}

/** A name without its case, as Unicode simple folding has it: `ſ` is `s`, the Kelvin sign is `k`. */
export function foldName(name: string): string {
  return name.toUpperCase().toLowerCase();
}

type Members = Record<string, JsonValue>;

/**
 * Makes objects whose prototype is empty and frozen. They behave as `Object.create(null)` does, but keep V8's fast
 * property layout.
 */
const Bare = function Bare() {} as unknown as new () => Members;
Bare.prototype = Object.freeze(Object.create(null));

const numberAt = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y;
const quote = 0x22;
const backslash = 0x5c;
const comma = 0x2c;
const colon = 0x3a;

class Parser {
  readonly #text: string;
  readonly #depthMax: number;
  readonly #nearest: boolean;
  readonly #refuseTwins: boolean;
  #at = 0;
  #depth = 0;
  /**
   * The key or index being read at each depth, undefined before the first name of an object. Only the first `#depth`
   * entries mean anything.
   */
  readonly #path: (string | number | undefined)[] = [];

  constructor(text: string, limits: Partial<JsonLimits>) {
    this.#text = text;
    this.#depthMax = limits.depthMax ?? limitsDefault.depthMax;
    this.#nearest = limits.unsafeNumbers === "nearest";
    this.#refuseTwins = limits.caseTwins === "refuse";
  }

  whole(): JsonValue {
    const value = this.#value();
    if (this.#space() < this.#text.length) this.#fail("something follows the value");
    return value;
  }

  pointer(): string {
    const escaped = (step: string | number): string =>
      `/${String(step).replaceAll("~", "~0").replaceAll("/", "~1")}`;
    const known = this.#path.slice(0, this.#depth).filter((step) => step !== undefined);
    return known.map(escaped).join("");
  }

  #fail(what: string, kind: JsonRefusalKind = "syntax", at: number = this.#at): never {
    throw new Refused(kind, at, what);
  }

  /** Skips white space; returns where the next token begins. */
  #space(): number {
    const text = this.#text;
    let at = this.#at;
    for (;;) {
      const code = text.charCodeAt(at);
      if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) break;
      at++;
    }
    this.#at = at;
    return at;
  }

  #value(): JsonValue {
    const code = this.#text.charCodeAt(this.#space());
    switch (code) {
      case quote:
        return this.#string();
      case 0x7b:
        return this.#object();
      case 0x5b:
        return this.#array();
      case 0x74:
        return this.#word("true", true);
      case 0x66:
        return this.#word("false", false);
      case 0x6e:
        return this.#word("null", null);
      default:
        return this.#number();
    }
  }

  #word<T>(word: string, value: T): T {
    if (!this.#text.startsWith(word, this.#at)) this.#fail("a value is expected");
    this.#at += word.length;
    return value;
  }

  #enter(): void {
    if (this.#depth >= this.#depthMax) {
      this.#fail(`nested deeper than ${this.#depthMax}`, "too_deep");
    }
    this.#at++;
    this.#path[this.#depth++] = undefined;
  }

  #leave(): void {
    this.#at++;
    this.#depth--;
  }

  #object(): Members {
    this.#enter();
    const step = this.#depth - 1;
    const object = new Bare();
    const folded = this.#refuseTwins ? new Set<string>() : undefined;
    if (this.#text.charCodeAt(this.#space()) === 0x7d) {
      this.#leave();
      return object;
    }
    for (;;) {
      const keyAt = this.#space();
      if (this.#text.charCodeAt(keyAt) !== quote) this.#fail("a member name is expected");
      const key = this.#string();
      this.#path[step] = key;
      if (key in object) this.#fail("a member name stands twice", "duplicate_key", keyAt);
      if (folded?.has(foldName(key)))
        this.#fail("two member names differ by case alone", "duplicate_key", keyAt);
      folded?.add(foldName(key));
      if (this.#text.charCodeAt(this.#space()) !== colon) this.#fail("a colon is expected");
      this.#at++;
      object[key] = this.#value();
      if (this.#text.charCodeAt(this.#space()) !== comma) break;
      this.#at++;
    }
    if (this.#text.charCodeAt(this.#at) !== 0x7d) this.#fail("a comma or } is expected");
    this.#leave();
    return object;
  }

  #array(): JsonArray {
    this.#enter();
    const step = this.#depth - 1;
    const items: JsonValue[] = [];
    if (this.#text.charCodeAt(this.#space()) === 0x5d) {
      this.#leave();
      return items;
    }
    for (;;) {
      this.#path[step] = items.length;
      items.push(this.#value());
      if (this.#text.charCodeAt(this.#space()) !== comma) break;
      this.#at++;
    }
    if (this.#text.charCodeAt(this.#at) !== 0x5d) this.#fail("a comma or ] is expected");
    this.#leave();
    return items;
  }

  #string(): string {
    const text = this.#text;
    const start = this.#at + 1;
    for (let at = start; at < text.length; at++) {
      const code = text.charCodeAt(at);
      if (code === quote) {
        this.#at = at + 1;
        return text.slice(start, at);
      }
      if (code === backslash) return this.#escaped(at);
      if (code < 0x20) this.#fail("a string holds a control character", "syntax", at);
    }
    return this.#fail("a string does not end");
  }

  /** A string with an escape at `at`: finds its end, then lets the platform undo the escapes. */
  #escaped(at: number): string {
    const text = this.#text;
    let end = at;
    while (end < text.length && text.charCodeAt(end) !== quote) {
      end += text.charCodeAt(end) === backslash ? 2 : 1;
    }
    if (end >= text.length) this.#fail("a string does not end");
    let value: string;
    try {
      value = JSON.parse(text.slice(this.#at, end + 1)) as string;
    } catch {
      return this.#fail("a string holds a bad escape or a control character");
    }
    if (!isWellFormed(value)) this.#fail("a string holds half a surrogate pair", "lone_surrogate");
    this.#at = end + 1;
    return value;
  }

  #number(): number {
    const start = this.#at;
    numberAt.lastIndex = start;
    if (!numberAt.test(this.#text)) {
      this.#fail(start < this.#text.length ? "a value is expected" : "the text ends too early");
    }
    const end = numberAt.lastIndex;
    const value = Number(this.#text.slice(start, end));
    const exact = this.#nearest || !Number.isInteger(value) || Number.isSafeInteger(value);
    if (!Number.isFinite(value) || !exact) {
      this.#fail("a number is too large to be read exactly; send it as a string", "unsafe_number");
    }
    this.#at = end;
    return value;
  }
}
