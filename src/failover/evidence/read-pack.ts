/** The evidence of a pack, as a value again. Only for a pack that `verifyPack` found without problems. */
import {
  err,
  isJsonArray,
  isJsonObject,
  type JsonObject,
  type JsonValue,
  ok,
  parseJsonStrict,
  type Result,
} from "../../kernel/index.ts";
import type { DrillJournal } from "../drill/index.ts";
import { parseEnvelope } from "../envelope.ts";
import type { Manifest } from "../manifest/manifest.ts";
import type { FailoverRecord } from "../record/event-record.ts";
import type { Evidence, ParityFinding } from "./evidence.ts";
import type { PackFiles } from "./pack.ts";
import type { PackReport } from "./verify-pack.ts";

const limits = { bytesMax: 256 * 1024 * 1024, depthMax: 80 };

/** The manifest in force is that of the highest version. */
export function evidenceIn(files: PackFiles, report: PackReport): Result<Evidence, string> {
  const manifests: Manifest[] = [];
  const records: FailoverRecord[] = [];
  const drills: DrillJournal[] = [];
  for (const [path, bytes] of files) {
    const [folder] = path.split("/");
    // What is signed or listed was written by this code: its form is known.
    if (folder === "manifests") manifests.push(payloadOf(bytes) as unknown as Manifest);
    if (folder === "drills") drills.push(payloadOf(bytes) as unknown as DrillJournal);
    if (folder === "records") records.push(jsonValue(bytes) as unknown as FailoverRecord);
  }
  const manifest = manifests.sort((a, b) => b.version - a.version)[0];
  if (manifest === undefined) return err("the pack holds no manifest");
  const parity = jsonValue(files.get("parity.json") ?? new Uint8Array());
  return ok({
    ...{ manifest, manifestDigest: report.manifestDigest, asOf: report.asOf, records, drills },
    parity: (isJsonArray(parity) ? parity : []) as unknown as readonly ParityFinding[],
  });
}

function jsonValue(bytes: Uint8Array): JsonValue | undefined {
  const parsed = parseJsonStrict(bytes, limits);
  return parsed.ok ? parsed.value : undefined;
}

function payloadOf(bytes: Uint8Array): JsonObject | undefined {
  const envelope = parseEnvelope(bytes);
  if (!envelope.ok) return undefined;
  const value = jsonValue(Buffer.from(envelope.value.payload, "base64"));
  return isJsonObject(value) ? value : undefined;
}
