/** SHA-256, the one digest of this code base. */
import { hash } from "node:crypto";
import { canonicalJson } from "./canonical-json.ts";
import type { JsonValue } from "./json.ts";

/** 32 bytes. A string is hashed as UTF-8. */
export function sha256(bytes: Uint8Array | string): Uint8Array {
  return hash("sha256", bytes, "buffer");
}

/** 64 lower-case hexadecimal digits. A string is hashed as UTF-8. */
export function sha256Hex(bytes: Uint8Array | string): string {
  return hash("sha256", bytes, "hex");
}

/** `sha256:<hex>` of the canonical JSON of `value`. */
export function digestOf(value: JsonValue): string {
  return `sha256:${sha256Hex(canonicalJson(value))}`;
}
