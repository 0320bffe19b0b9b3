/** Entries as bytes: canonical JSON (RFC 8785), so that one entry has one leaf hash. */
import {
  canonicalJson,
  err,
  isJsonObject,
  type JsonObject,
  ok,
  parseJsonStrict,
  type Result,
  sha256Hex,
} from "../kernel/index.ts";
import type { DigestEntry, Entry } from "./entry.ts";
import { entryBytesMax } from "./tile.ts";

/** What goes into the log, and the file to write first when the entry itself is too large for it. */
export interface EncodedEntry {
  readonly bytes: Uint8Array;
  readonly blob?: { readonly path: string; readonly bytes: Uint8Array };
}

const digestPrefix = "sha256:";
const kinds: ReadonlySet<string> = new Set([
  "start",
  "policy",
  "kill",
  "approval",
  "breaker",
  "escrow",
  "failover",
  "permit",
  "drill",
  "decision",
  "search",
  "outcome",
  "digest",
]);
const blobBytesMax = 64 * 1024 * 1024;

export function encodeEntry(entry: Entry): EncodedEntry {
  const bytes = canonicalBytes(entry);
  if (bytes.length <= entryBytesMax) return { bytes };
  const hex = sha256Hex(bytes);
  const { v, time, tenant, instance, site, epoch, kind } = entry;
  const stub: DigestEntry = {
    ...{ v, time, tenant, instance, site, epoch },
    kind: "digest",
    of: kind,
    call: "call" in entry ? entry.call : null,
    digest: digestPrefix + hex,
    bytes: bytes.length,
  };
  return { bytes: canonicalBytes(stub), blob: { path: `blobs/${hex}`, bytes } };
}

/** Where the entry of a stub lies; `undefined` when its digest is no SHA-256. */
export function blobPath({ digest }: DigestEntry): string | undefined {
  const hex = digest.slice(digestPrefix.length);
  return digest.startsWith(digestPrefix) && /^[0-9a-f]{64}$/.test(hex) ? `blobs/${hex}` : undefined;
}

/** Reads one entry of a log. Refuses what is not canonical, or lacks the fields that every entry has. */
export function decodeEntry(bytes: Uint8Array): Result<Entry | DigestEntry, string> {
  const parsed = parseJsonStrict(bytes, { bytesMax: blobBytesMax, depthMax: 80 });
  if (!parsed.ok) return err("not strict JSON");
  const value = parsed.value;
  if (!isJsonObject(value)) return err("not a JSON object");
  const wrong = malformed(value);
  if (wrong !== undefined) return err(wrong);
  if (Buffer.compare(Buffer.from(canonicalJson(value)), bytes) !== 0)
    return err("not in canonical form");
  return ok(value as unknown as Entry | DigestEntry);
}

function malformed(value: JsonObject): string | undefined {
  if (value["v"] !== 1) return `format version ${JSON.stringify(value["v"])} is not known`;
  const kind = value["kind"];
  if (typeof kind !== "string" || !kinds.has(kind)) return "its kind is not known";
  const strings = ["time", "tenant", "instance", "site", ...(stringsOf[kind] ?? [])];
  const missing = strings.find((name) => typeof value[name] !== "string");
  if (missing !== undefined) return `its ${missing} is no string`;
  if (!Number.isSafeInteger(value["epoch"])) return "its epoch is no integer";
  if (kind === "outcome" && !Number.isSafeInteger(value["decision_index"]))
    return "its decision_index is no integer";
  if ((kind === "start" || kind === "policy") && !Number.isSafeInteger(value["bundle_serial"]))
    return "its bundle_serial is no integer";
  const list = listsOf[kind];
  if (list !== undefined && !Array.isArray(value[list])) return `its ${list} is no list`;
  if (kind === "start" && !isStringList(value["unknown_calls"]))
    return "its unknown_calls is no list of strings";
  return undefined;
}

/** The fields that the checks and the tables of the CLI read. */
const stringsOf: Readonly<Record<string, readonly string[]>> = {
  start: ["holdfast"],
  policy: ["policy_version", "bundle_digest"],
  approval: ["approval_id", "state", "agent_id", "tool"],
  breaker: ["upstream", "state", "cause", "by"],
  escrow: ["step", "item", "agent_id", "tool", "by", "reason"],
  failover: ["failover", "deployment", "step"],
  permit: ["deployment", "state", "manifest_digest", "tier"],
  drill: ["step", "drill", "scenario", "experiment_digest", "manifest_digest"],
  decision: ["call", "face", "agent_id", "tool", "decision", "reason"],
  search: ["call", "method", "agent_id", "policy_version"],
  outcome: ["call", "outcome"],
  digest: ["of", "digest"],
};

const listsOf: Readonly<Record<string, string>> = { approval: "votes", kill: "switches" };

function isStringList(value: unknown): boolean {
  return Array.isArray(value) && value.every((item) => typeof item === "string");
}

function canonicalBytes(entry: Entry | DigestEntry): Uint8Array {
  // Entries are plain JSON by type; only the compiler cannot see an interface as an index signature.
  const text = canonicalJson(entry as unknown as JsonObject);
  // Memory of its own: receipts keep entries for long, and a slice of node's shared pool would keep all of its slab.
  const bytes = Buffer.allocUnsafeSlow(Buffer.byteLength(text));
  bytes.write(text);
  return bytes;
}
