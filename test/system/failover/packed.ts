/** A whole pack from evidence of its own making: signed manifest, journals, a real log; and ways to spoil it. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { systemClock } from "../../../src/adapters/clock/index.ts";
import { openDisk } from "../../../src/adapters/disk/index.ts";
import { encodeVkey } from "../../../src/audit/index.ts";
import {
  assess,
  assessmentResults,
  drillPayloadType,
  type Evidence,
  jsonBytes,
  manifestPayloadType,
  type PackFiles,
  packFiles,
  packPayloadType,
  signEnvelope,
} from "../../../src/failover/index.ts";
import { type JsonObject, sha256Hex } from "../../../src/kernel/index.ts";
import { openLedger } from "../../../src/ledger/index.ts";
import type { Signer } from "../../../src/ports.ts";
import { Random, simSigner } from "../../../src/sim/index.ts";
import { evidence } from "../../unit/failover/evidence/evidence.ts";
import { policyEntry } from "../../unit/ledger/entries.ts";

export const signers: Readonly<Record<"pack" | "guard" | "log" | "stranger", Signer>> = {
  pack: simSigner("pack.example", new Random(11)),
  guard: simSigner("guard.example", new Random(12)),
  log: simSigner("dub.guard.example", new Random(13)),
  stranger: simSigner("guard.example", new Random(14)),
};

export const vkeyOf = ({ name, publicKey }: Signer): string => encodeVkey(name, publicKey);

/** The files of a log with so many entries, as they lie on a disk. */
export async function logFiles(entries: number): Promise<Map<string, Uint8Array>> {
  const folder = mkdtempSync(join(tmpdir(), "holdfast-packed-"));
  const ledger = await openLedger({
    ...{ disk: openDisk(folder), signer: signers.log, clock: systemClock, tenant: "acme" },
    origin: { instance: "i-1", site: "dub", epoch: 7 },
    holdfastVersion: "0.0.0",
  });
  if (!ledger.ok) throw new Error(ledger.error.detail);
  // The first entry says that the log begins.
  const appended = Array.from({ length: entries - 1 }, (_, i) =>
    ledger.value.append(policyEntry(`r${i}`, 100)),
  );
  await Promise.all(appended);
  await ledger.value.close();
  const files = new Map<string, Uint8Array>();
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    const path = relative(folder, join(entry.parentPath, entry.name));
    if (entry.isFile() && /^(?:checkpoint|tile\/)/.test(path))
      files.set(`logs/dub/${path}`, readFileSync(join(folder, path)));
  }
  rmSync(folder, { recursive: true, force: true });
  return files;
}

export interface Spoiled {
  readonly evidence?: Evidence;
  readonly logs?: PackFiles;
  readonly keys?: ReadonlyMap<string, string>;
  readonly journalSigner?: Signer;
  readonly manifestSigner?: Signer;
}

/** A pack as its maker signs it. */
export function packed(logs: PackFiles, spoiled: Spoiled = {}): Map<string, Uint8Array> {
  const of = spoiled.evidence ?? evidence();
  const envelope = (type: string, payload: object, signer: Signer): Uint8Array =>
    jsonBytes(signEnvelope(type, payload as JsonObject, signer) as unknown as JsonObject);
  const envelopes = new Map(
    of.drills.map((journal) => [
      `drills/${journal.holdfast.drill}.json`,
      envelope(drillPayloadType, journal, spoiled.journalSigner ?? signers.guard),
    ]),
  );
  envelopes.set(
    `manifests/${of.manifest.version}.json`,
    envelope(manifestPayloadType, of.manifest, spoiled.manifestSigner ?? signers.guard),
  );
  const results = assessmentResults(of, assess(of), { owners: { default: "sre" }, dueDays: 30 });
  const keys =
    spoiled.keys ??
    new Map([
      ["guard", vkeyOf(signers.guard)],
      ["dub", vkeyOf(signers.log)],
    ]);
  const content = {
    ...{ evidence: of, envelopes, logs: spoiled.logs ?? logs, keys },
    documents: new Map([["oscal/assessment-results.json", jsonBytes(results)]]),
  };
  return new Map(packFiles(content, signers.pack));
}

/** The same files under a new list, signed by the maker's own key: what only an insider could do. */
export function relisted(files: ReadonlyMap<string, Uint8Array>): Map<string, Uint8Array> {
  const of = evidence();
  const payload = {
    format: "holdfast.evidence-pack/v1",
    ...{ deployment: of.manifest.deployment, tenant: of.manifest.tenant },
    ...{ manifest_digest: of.manifestDigest, as_of: of.asOf },
    files: [...files.keys()]
      .filter((path) => path !== "pack.json")
      .sort()
      .map((path) => {
        const bytes = files.get(path) ?? new Uint8Array();
        return { path, bytes: bytes.length, digest: `sha256:${sha256Hex(bytes)}` };
      }),
  };
  const index = signEnvelope(packPayloadType, payload, signers.pack) as unknown as JsonObject;
  return new Map([...files, ["pack.json", jsonBytes(index)]]);
}
