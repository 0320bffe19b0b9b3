/** Name-based UUIDs (RFC 9562, version 5): the same evidence has the same identifiers, byte for byte. */
import { hash } from "node:crypto";

/** The namespace of this project's identifiers; made once, never changed. */
const namespace = Buffer.from("6f1a8f0e5d5a5b0f9b7d2c1e4a3f6b80", "hex");

export function uuidOf(...name: readonly string[]): string {
  // A separator that no name holds, so that ("a", "bc") and ("ab", "c") differ.
  const digest = hash(
    "sha1",
    Buffer.concat([namespace, Buffer.from(name.join("\u0000"))]),
    "buffer",
  );
  const bytes = Buffer.from(digest.subarray(0, 16));
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x50;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  const hex = bytes.toString("hex");
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    hex.slice(12, 16),
    hex.slice(16, 20),
    hex.slice(20),
  ].join("-");
}
