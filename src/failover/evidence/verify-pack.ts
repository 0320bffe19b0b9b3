/** Checks a pack from its files and the key of whoever made it. Trusts nothing in it before the list is verified. */
import { type LogFiles, type NoteVerifier, parseVkey, verifyLog } from "../../audit/index.ts";
import {
  canonicalJson,
  err,
  isJsonArray,
  isJsonObject,
  type JsonObject,
  type JsonValue,
  ok,
  parseJsonStrict,
  type Result,
  sha256Hex,
} from "../../kernel/index.ts";
import { drillPayloadType } from "../drill/index.ts";
import { openEnvelope } from "../envelope.ts";
import { manifestPayloadType } from "../manifest/manifest.ts";
import { type PackFiles, packIndexPath, packPayloadType } from "./pack.ts";

export interface PackReport {
  readonly deployment: string;
  readonly tenant: string;
  readonly manifestDigest: string;
  readonly asOf: string;
  /** Files of each folder. */
  readonly counts: Readonly<Record<string, number>>;
  /** Name and size of each log. */
  readonly logs: Readonly<Record<string, number>>;
  /** Empty: the pack is what its maker signed, and agrees with itself. */
  readonly problems: readonly string[];
}

const jsonLimits = { bytesMax: 256 * 1024 * 1024, depthMax: 80 };

/** The error: there is no list that a trusted key signed, so nothing can be said of the rest. */
export async function verifyPack(
  files: PackFiles,
  trusted: readonly NoteVerifier[],
): Promise<Result<PackReport, string>> {
  const index = files.get(packIndexPath);
  if (index === undefined) return err(`the archive has no ${packIndexPath}`);
  const opened = openEnvelope(index, packPayloadType, trusted);
  if (!opened.ok) return err(`${packIndexPath}: ${opened.error}`);
  const { payload } = opened.value;
  if (payload["format"] !== "holdfast.evidence-pack/v1")
    return err(`the format ${String(payload["format"])} is not known`);
  const problems = [...listProblems(files, payload["files"])];
  const keys = readKeys(files, problems);
  const logs = await checkLogs(files, keys, problems);
  const size = Math.max(0, ...Object.values(logs));
  checkEnvelopes(files, keys, size, problems);
  checkRecords(files, size, problems);
  const counts: Record<string, number> = {};
  for (const path of files.keys()) {
    const [folder = ""] = path.split("/");
    counts[folder] = (counts[folder] ?? 0) + 1;
  }
  return ok({
    deployment: String(payload["deployment"]),
    tenant: String(payload["tenant"]),
    manifestDigest: String(payload["manifest_digest"]),
    asOf: String(payload["as_of"]),
    ...{ counts, logs, problems },
  });
}

/** Every file is listed, every listed file is there, and each has its size and digest. */
function listProblems(files: PackFiles, listed: JsonValue | undefined): readonly string[] {
  const items = isJsonArray(listed) ? listed.filter(isJsonObject) : [];
  const problems: string[] = [];
  const paths = new Set(items.map(({ path }) => String(path)));
  if (paths.size !== items.length) problems.push("the list names a file twice");
  for (const path of files.keys())
    if (path !== packIndexPath && !paths.has(path)) problems.push(`${path} is not in the list`);
  for (const { path, bytes, digest } of items) {
    const file = files.get(String(path));
    if (file === undefined) problems.push(`${String(path)} is missing`);
    else if (file.length !== bytes || digest !== `sha256:${sha256Hex(file)}`)
      problems.push(`${String(path)} was changed`);
  }
  return problems;
}

function readKeys(files: PackFiles, problems: string[]): ReadonlyMap<string, NoteVerifier> {
  const keys = new Map<string, NoteVerifier>();
  for (const [path, bytes] of files) {
    const name = /^keys\/(.+)\.vkey$/.exec(path)?.[1];
    if (name === undefined) continue;
    const key = parseVkey(Buffer.from(bytes).toString());
    if (key.ok) keys.set(name, key.value);
    else problems.push(`${path}: ${key.error}`);
  }
  return keys;
}

const envelopeTypes: ReadonlyMap<string, string> = new Map([
  ["manifests", manifestPayloadType],
  ["drills", drillPayloadType],
]);

function checkEnvelopes(
  files: PackFiles,
  keys: ReadonlyMap<string, NoteVerifier>,
  size: number,
  problems: string[],
): void {
  for (const [path, bytes] of files) {
    const type = envelopeTypes.get(path.split("/")[0] ?? "");
    if (type === undefined) continue;
    const opened = openEnvelope(bytes, type, [...keys.values()]);
    if (!opened.ok) problems.push(`${path}: ${opened.error}`);
    const journal = opened.ok ? opened.value.payload["holdfast"] : undefined;
    const index = isJsonObject(journal) ? (journal["log_index"] ?? null) : null;
    if (index !== null && !(typeof index === "number" && index < size))
      problems.push(`${path} stands in no log of this pack: entry ${String(index)} of ${size}`);
  }
}

/** Sizes of the logs, by name. A log without its key proves nothing. */
async function checkLogs(
  files: PackFiles,
  keys: ReadonlyMap<string, NoteVerifier>,
  problems: string[],
): Promise<Readonly<Record<string, number>>> {
  const names = new Set(
    [...files.keys()].flatMap((path) => /^logs\/([^/]+)\//.exec(path)?.[1] ?? []),
  );
  const sizes: Record<string, number> = {};
  for (const name of [...names].sort()) {
    const verifier = keys.get(name);
    if (verifier === undefined) {
      problems.push(`the log ${name} has no key: keys/${name}.vkey is missing`);
      continue;
    }
    const report = await verifyLog({ files: folderOf(files, `logs/${name}/`), verifier });
    sizes[name] = report.size;
    for (const { severity, message } of report.findings)
      if (severity !== "note") problems.push(`the log ${name}: ${message}`);
  }
  return sizes;
}

function folderOf(files: PackFiles, prefix: string): LogFiles {
  return {
    read: async (path) => {
      const bytes = files.get(prefix + path);
      return bytes === undefined ? err({ kind: "not_found", code: "ENOENT", path }) : ok(bytes);
    },
    list: async (path) => {
      const folder = `${prefix}${path}/`;
      const names = [...files.keys()]
        .filter((each) => each.startsWith(folder))
        .map((each) => each.slice(folder.length).replace(/\/.*/, "/"));
      return ok([...new Set(names)].sort());
    },
  };
}

/** Records are canonical, stand in a log that is here, and the series repeats what they say. */
function checkRecords(files: PackFiles, size: number, problems: string[]): void {
  const measured = new Map<string, string>();
  for (const [path, bytes] of files) {
    if (!path.startsWith("records/")) continue;
    const record = canonicalObject(bytes);
    if (record === undefined) {
      problems.push(`${path} is no canonical JSON object`);
      continue;
    }
    const last = record["last_index"];
    if (typeof last !== "number" || last >= size)
      problems.push(`${path} stands in no log of this pack: entry ${String(last)} of ${size}`);
    measured.set(String(record["failover"]), timesOf(record));
  }
  const series = files.get("grt.json");
  const points = series === undefined ? undefined : canonicalValue(series);
  const repeated = (isJsonArray(points) ? points : []).filter(isJsonObject);
  if (repeated.length !== measured.size) problems.push("grt.json has other failovers than records");
  for (const point of repeated)
    if (measured.get(String(point["failover"])) !== timesOf(point))
      problems.push(`grt.json says something else of ${String(point["failover"])} than its record`);
}

function timesOf({ grt_ms, rto_ms, initiated }: JsonObject): string {
  return canonicalJson([grt_ms ?? null, rto_ms ?? null, initiated ?? null]);
}

function canonicalObject(bytes: Uint8Array): JsonObject | undefined {
  const value = canonicalValue(bytes);
  return isJsonObject(value) ? value : undefined;
}

function canonicalValue(bytes: Uint8Array): JsonValue | undefined {
  const parsed = parseJsonStrict(bytes, jsonLimits);
  if (!parsed.ok) return undefined;
  return Buffer.from(canonicalJson(parsed.value)).equals(bytes) ? parsed.value : undefined;
}
