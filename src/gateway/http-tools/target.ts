/**
 * The request target, read so that only one meaning is left (RFC 3986, WHATWG form encoding for the query). What two
 * programs could read differently is refused; what is sent is always written again from the value that was judged.
 */
import {
  err,
  foldName,
  isWellFormed,
  type JsonValue,
  ok,
  type Result,
} from "../../kernel/index.ts";

/** Values by name; a name that was repeated keeps every value in order. Inherits nothing. */
export type Parameters = Readonly<Record<string, string | readonly string[]>>;

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
/** `pchar` of RFC 3986, without the percent sign. */
const literal = /^[A-Za-z0-9\-._~!$&'()*+,;=:@]$/;
const queryLiteral = /^[A-Za-z0-9\-._~!$'()*,;:@/?[\]+=|]$/;
const hexPair = /^[0-9A-Fa-f]{2}$/;

/** RFC 3986 2.3: means itself everywhere, and is never encoded. */
const unreserved = /^[A-Za-z0-9\-._~]*$/;
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
const control = /[\u0000-\u001f\u007f]/;

/** Percent-decodes once. Only `allowed` characters and percent triplets of UTF-8 may occur. */
function decodeOnce(raw: string, allowed: RegExp, plusIsSpace: boolean): Result<string, string> {
  if (unreserved.test(raw)) return ok(raw);
  const bytes: number[] = [];
  for (let i = 0; i < raw.length; i++) {
    const letter = raw.charAt(i);
    if (letter === "%") {
      const pair = raw.slice(i + 1, i + 3);
      if (!hexPair.test(pair)) return err("a percent sign without two hexadecimal digits");
      bytes.push(Number.parseInt(pair, 16));
      i += 2;
    } else if (!allowed.test(letter)) {
      return err(`the character ${JSON.stringify(letter)}, which must be percent-encoded`);
    } else {
      bytes.push(letter === "+" && plusIsSpace ? 0x20 : letter.charCodeAt(0));
    }
  }
  try {
    return ok(utf8.decode(Uint8Array.from(bytes)));
  } catch {
    return err("percent-encoded bytes that are not UTF-8");
  }
}

/** Why a decoded segment could mean something else to the next program that reads it; undefined when it could not. */
function ambiguity(segment: string): string | undefined {
  if (segment.includes("/")) return "an encoded slash (`%2f`)";
  if (segment.includes("\\")) return "a backslash";
  if (control.test(segment)) return "a control character";
  if (/%[0-9A-Fa-f]{2}/.test(segment)) return "double percent-encoding";
  const beforeParameters = segment.split(";", 1)[0];
  if (beforeParameters === "." || beforeParameters === "..") return "a dot segment";
  return undefined;
}

/**
 * The decoded segments of an absolute path: `/a/b%20c` is `["a", "b c"]`, `/` is `[""]`, and a trailing slash leaves an
 * empty last segment. Refuses dot segments, `//`, encoded slashes, backslashes, control characters and double encoding,
 * in any spelling. The error says what was found.
 */
export function readPath(raw: string): Result<readonly string[], string> {
  if (!raw.startsWith("/")) return err("a path that does not begin with `/`");
  const segments: string[] = [];
  const pieces = raw.slice(1).split("/");
  for (const [at, piece] of pieces.entries()) {
    const decoded = decodeOnce(piece, literal, false);
    if (!decoded.ok) return decoded;
    const found = ambiguity(decoded.value);
    if (found !== undefined) return err(found);
    if (decoded.value === "" && at < pieces.length - 1) return err("an empty segment (`//`)");
    segments.push(decoded.value);
  }
  return ok(segments);
}

/** Like `encodeURIComponent`, and the four letters it leaves alone that some servers treat specially. */
export function encodeComponent(text: string): string {
  if (unreserved.test(text)) return text;
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (letter) => `%${letter.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

/** Leaves the delimiters that RFC 3986 allows in a segment as they are, but for `;` and what some servers treat specially. */
function encodeSegment(text: string): string {
  return encodeComponent(text).replace(/%(?:24|26|2B|2C|3A|3D|40)/g, decodeURIComponent);
}

/** The inverse of `readPath`, in one spelling. */
export function writePath(segments: readonly string[]): string {
  return `/${segments.map(encodeSegment).join("/")}`;
}

/** Names by which frameworks let a parameter replace the method of the request. */
const methodOverrides: ReadonlySet<string> = new Set(["_method", "_http_method"]);

/**
 * Values of a query or of a form body (`a=1&b=2`). Refuses what is not well-formed, more than `countMax` values, two names
 * that differ by case alone, and a parameter that would replace the method that is judged.
 */
export function readParameters(raw: string, countMax: number): Result<Parameters, string> {
  const found: Record<string, string | string[]> = Object.create(null);
  if (raw === "") return ok(found);
  const exact = new Map<string, string>();
  const pairs = raw.split("&");
  if (pairs.length > countMax)
    return err(`more than ${countMax} parameters (limits.parameters_max)`);
  for (const pair of pairs) {
    const read = readPair(pair);
    if (!read.ok) return read;
    const [name, value] = read.value;
    const folded = foldName(name);
    if (methodOverrides.has(folded)) return err(`the parameter ${name}, which replaces the method`);
    if ((exact.get(folded) ?? name) !== name)
      return err(`the parameters ${exact.get(folded)} and ${name}, which differ by case alone`);
    exact.set(folded, name);
    const before = found[name];
    if (before === undefined) found[name] = value;
    else if (typeof before === "string") found[name] = [before, value];
    else before.push(value);
  }
  return ok(found);
}

function readPair(pair: string): Result<readonly [string, string], string> {
  const cut = pair.indexOf("=");
  const [rawName, rawValue] = cut === -1 ? [pair, ""] : [pair.slice(0, cut), pair.slice(cut + 1)];
  const name = decodeOnce(rawName, queryLiteral, true);
  if (!name.ok) return name;
  const value = decodeOnce(rawValue, queryLiteral, true);
  if (!value.ok) return value;
  if (name.value === "") return err("a parameter without a name");
  if (name.value.includes("\0") || value.value.includes("\0")) return err("a NUL character");
  return ok([name.value, value.value]);
}

/** Writes judged values as a query or form body. Fails on what such text cannot carry: objects, nested lists, null. */
export function writeParameters(
  values: Readonly<Record<string, JsonValue>>,
): Result<string, string> {
  const pairs: string[] = [];
  for (const [name, value] of Object.entries(values)) {
    for (const one of Array.isArray(value) ? (value as readonly JsonValue[]) : [value]) {
      const text = scalarText(one);
      if (text === undefined || !isWellFormed(text) || !isWellFormed(name)) {
        return err(`the value of ${JSON.stringify(name)} cannot be written as text`);
      }
      pairs.push(`${encodeComponent(name)}=${encodeComponent(text)}`);
    }
  }
  return ok(pairs.join("&"));
}

/** Text of a string, number or boolean; undefined for anything else. */
export function scalarText(value: JsonValue | undefined): string | undefined {
  if (typeof value === "string") return value;
  return typeof value === "number" || typeof value === "boolean" ? String(value) : undefined;
}
