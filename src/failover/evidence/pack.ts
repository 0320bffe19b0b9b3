/**
 * The evidence pack: files, and an index that names each with its digest, signed. The same evidence makes the same
 * bytes. The format is small on purpose, so that somebody else can check it without our code (`VERIFY.md` says how).
 */
import {
  assert,
  canonicalJson,
  type JsonArray,
  type JsonObject,
  sha256Hex,
} from "../../kernel/index.ts";
import { type EnvelopeSigner, signEnvelope } from "../envelope.ts";
import type { FailoverRecord } from "../record/event-record.ts";
import { type Evidence, plain } from "./evidence.ts";
import { isEvidenceClass } from "./retention.ts";
import { verifyText } from "./verify-text.ts";

export const packPayloadType = "application/vnd.holdfast.evidence-pack.v1+json";
export const packIndexPath = "pack.json";

export type PackFiles = ReadonlyMap<string, Uint8Array>;

export interface PackContent {
  readonly evidence: Evidence;
  /** Signed envelopes as they were kept: `manifests/…`, `drills/…`. */
  readonly envelopes: PackFiles;
  /** Files of logs, each log in a folder of its own: `logs/<name>/…`. */
  readonly logs: PackFiles;
  /** Verifier keys (`name+id+base64`) of everything that is signed, by name: `keys/<name>.vkey`. */
  readonly keys: ReadonlyMap<string, string>;
  /** Reports and OSCAL: `reports/…`, `oscal/…`. */
  readonly documents: PackFiles;
}

export function packFiles(content: PackContent, signer: EnvelopeSigner): PackFiles {
  const { evidence, keys } = content;
  const files = new Map<string, Uint8Array>([
    ...content.envelopes,
    ...content.logs,
    ...content.documents,
    ["VERIFY.md", Buffer.from(verifyText)],
  ]);
  for (const record of evidence.records)
    files.set(`records/${record.failover}.json`, jsonBytes(plain(record)));
  files.set("parity.json", jsonBytes(evidence.parity.map(plain)));
  files.set("grt.json", jsonBytes(grtSeries(evidence.records, evidence.manifest).map(plain)));
  files.set("probes.json", jsonBytes(probeEvidence(evidence.records)));
  for (const [name, vkey] of keys) files.set(`keys/${name}.vkey`, Buffer.from(`${vkey.trim()}\n`));
  const index = signEnvelope(packPayloadType, indexOf(evidence, files), signer);
  files.set(packIndexPath, jsonBytes(plain(index)));
  return files;
}

function indexOf({ manifest, manifestDigest, asOf }: Evidence, files: PackFiles): JsonObject {
  return {
    format: "holdfast.evidence-pack/v1",
    deployment: manifest.deployment,
    tenant: manifest.tenant,
    manifest_digest: manifestDigest,
    as_of: asOf,
    files: [...files.keys()].sort().map((path) => {
      assert(isPackPath(path), `${path} is no path of a pack`);
      const bytes = files.get(path) ?? new Uint8Array();
      return { path, bytes: bytes.length, digest: `sha256:${sha256Hex(bytes)}` };
    }),
  };
}

/** Relative, plain, in a folder whose class of evidence is known. */
export function isPackPath(path: string): boolean {
  const steps = path.split("/");
  return (
    /^[\w@+.-]+(?:\/[\w@+.-]+)*$/.test(path) &&
    !steps.includes("..") &&
    !steps.includes(".") &&
    path !== packIndexPath &&
    isEvidenceClass(steps[0] ?? "")
  );
}

export function jsonBytes(value: JsonObject | JsonArray): Uint8Array {
  return Buffer.from(canonicalJson(value));
}

/** AG-403 4.9: governance recovery beside application recovery, in the order of the failovers. */
export interface GrtPoint {
  readonly failover: string;
  readonly initiated: string;
  readonly planned: boolean;
  readonly outcome: string | null;
  readonly grt_ms: number | null;
  readonly rto_ms: number | null;
  readonly grto_ms: number;
}

export function grtSeries(
  records: readonly FailoverRecord[],
  { objectives }: Evidence["manifest"],
): readonly GrtPoint[] {
  return records
    .map(({ failover, initiated, planned, outcome, grt_ms, rto_ms }) => {
      const grto_ms = objectives.grto_seconds * 1_000;
      return { failover, initiated, planned, outcome, grt_ms, rto_ms, grto_ms };
    })
    .sort((a, b) => compare(a.initiated, b.initiated) || compare(a.failover, b.failover));
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** What each probe saw, by failover. */
function probeEvidence(records: readonly FailoverRecord[]): JsonObject {
  return Object.fromEntries(
    records.map(({ failover, answers }) => [failover, answers.map((answer) => plain(answer))]),
  );
}
