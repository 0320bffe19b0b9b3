/**
 * `Mcp-Param-*` headers (SEP-2243): a tool's schema may say with `x-mcp-header` that an argument is mirrored in a
 * header, for intermediaries that route by it. Such a header must equal the body, and must follow when policy changes
 * the argument.
 */
import { isJsonObject, type JsonObject, type JsonValue } from "../../../kernel/index.ts";

export interface ParamHeader {
  /** Lower case, with the prefix: `mcp-param-region`. */
  readonly header: string;
  readonly path: readonly string[];
  readonly numeric: boolean;
}

const prefix = "mcp-param-";
const sentinelStart = "=?base64?";
const sentinelEnd = "?=";
const canonicalBase64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;
const token = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const plain = /^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/;
const decimal = /^-?\d+(?:\.\d+)?$/;
const depthMax = 64;

/** The declarations reachable from the root by `properties` alone, the only place where they may stand. */
export function paramHeadersOf(inputSchema: JsonObject | undefined): readonly ParamHeader[] {
  const found: ParamHeader[] = [];
  const visit = (schema: JsonObject, path: readonly string[]): void => {
    const name = schema["x-mcp-header"];
    if (path.length > 0 && typeof name === "string" && token.test(name))
      found.push({
        header: prefix + name.toLowerCase(),
        path,
        numeric: schema["type"] === "integer" || schema["type"] === "number",
      });
    const { properties } = schema;
    if (!isJsonObject(properties) || path.length >= depthMax) return;
    for (const [key, child] of Object.entries(properties))
      if (isJsonObject(child)) visit(child, [...path, key]);
  };
  if (inputSchema !== undefined) visit(inputSchema, []);
  return found;
}

/** What is wrong with the headers for these arguments, or undefined. A header for an absent or null argument is ignored. */
export function paramHeaderFault(
  declared: readonly ParamHeader[],
  args: JsonObject,
  headers: Readonly<Record<string, readonly string[]>>,
): string | undefined {
  for (const { header, path, numeric } of declared) {
    const inBody = valueAt(args, path);
    const expected = textOf(inBody);
    if (expected === undefined) continue;
    const sent = headers[header];
    if (sent === undefined) return `${header} is missing; the body has ${path.join(".")}`;
    if (sent.length > 1) return `${header} is sent more than once`;
    const decoded = decodeHeaderValue((sent[0] ?? "").trim());
    if (decoded === undefined) return `${header} is not valid base64 inside =?base64?…?=`;
    const same =
      numeric && typeof inBody === "number" && decimal.test(decoded)
        ? Number(decoded) === inBody
        : decoded === expected;
    if (!same) return `${header} differs from ${path.join(".")} in the body`;
  }
  return undefined;
}

/** The headers these arguments need; every declared header that has no value is listed in `absent`. */
export function paramHeadersFor(
  declared: readonly ParamHeader[],
  args: JsonObject,
): { readonly set: Readonly<Record<string, string>>; readonly absent: readonly string[] } {
  const set: Record<string, string> = {};
  const absent: string[] = [];
  for (const { header, path } of declared) {
    const text = textOf(valueAt(args, path));
    if (text === undefined) absent.push(header);
    else set[header] = encodeHeaderValue(text);
  }
  return { set, absent };
}

/** Decodes `=?base64?…?=`; other values stand for themselves. Undefined when the base64 or its UTF-8 is malformed. */
export function decodeHeaderValue(value: string): string | undefined {
  if (!(value.startsWith(sentinelStart) && value.endsWith(sentinelEnd))) return value;
  const base64 = value.slice(sentinelStart.length, -sentinelEnd.length);
  if (!canonicalBase64.test(base64)) return undefined;
  try {
    const bytes = Uint8Array.from(atob(base64), (char) => char.charCodeAt(0));
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

/** As it is when it is visible ASCII without outer spaces, in the base64 form otherwise. */
export function encodeHeaderValue(text: string): string {
  if (plain.test(text) && !text.startsWith(sentinelStart)) return text;
  const binary = Array.from(new TextEncoder().encode(text), (b) => String.fromCharCode(b)).join("");
  return sentinelStart + btoa(binary) + sentinelEnd;
}

function valueAt(root: JsonObject, path: readonly string[]): JsonValue | undefined {
  let node: JsonValue | undefined = root;
  for (const key of path) node = isJsonObject(node) ? node[key] : undefined;
  return node;
}

function textOf(value: JsonValue | undefined): string | undefined {
  if (typeof value === "string") return value;
  return typeof value === "boolean" || typeof value === "number" ? String(value) : undefined;
}
