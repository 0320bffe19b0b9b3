/** Where evidence comes from: signed manifests, the log of a guard, the folder of drills, comparisons of sites. */
import { readFile } from "node:fs/promises";
import { basename } from "node:path";
import { openDisk } from "../../adapters/disk/index.ts";
import {
  type LogFiles,
  type NoteVerifier,
  parseVkey,
  readEntries,
  verifyLog,
} from "../../audit/index.ts";
import { openJournal, stepsIn } from "../../control/index.ts";
import {
  type DrillJournal,
  type Evidence,
  envelopeVerifiers,
  type Manifest,
  manifestDigest,
  type ParityFinding,
  parityIn,
  type RecordedStep,
  recordsOf,
} from "../../failover/index.ts";
import { err, isJsonArray, ok, parseJsonStrict, type Result } from "../../kernel/index.ts";
import { nowText } from "./open-manifest.ts";
import { manifestReader } from "./read-manifest.ts";

export interface SourceOptions {
  /** Signed manifests, every version that is to be in the pack. */
  readonly manifest: readonly string[];
  /** Verifier keys of those who sign manifests, or files of them. */
  readonly manifestKey: readonly string[];
  /** Folder of the guard's log. */
  readonly guardLog?: string;
  /** Folder of drills. */
  readonly drills?: string;
  /** Comparisons besides those in the guard's log, a list in JSON. */
  readonly parity?: string;
  readonly asOf?: string;
}

export interface Sources {
  readonly evidence: Evidence;
  readonly envelopes: ReadonlyMap<string, Uint8Array>;
  readonly logs: ReadonlyMap<string, Uint8Array>;
  readonly keys: ReadonlyMap<string, string>;
}

/** Everything is verified before it is taken; the error names what could not be. */
export async function readSources(options: SourceOptions): Promise<Result<Sources, string>> {
  const manifests = await readManifests(options);
  if (!manifests.ok) return manifests;
  const logs = new Map<string, Uint8Array>();
  const keys = new Map(manifests.value.keys);
  const envelopes = new Map(manifests.value.envelopes);
  const guard = await readLog("guard", options.guardLog, logs, keys);
  if (!guard.ok) return guard;
  const steps = await stepsOf(guard.value);
  if (!steps.ok) return steps;
  const records = recordsOf(steps.value);
  const drillLog = options.drills === undefined ? undefined : `${options.drills}/log`;
  const drilled = await readLog("drills", drillLog, logs, keys);
  if (!drilled.ok) return drilled;
  const drills = await readDrills(options.drills, drilled.value?.verifier, envelopes);
  if (!drills.ok) return drills;
  const given = await readParityFile(options.parity);
  if (!given.ok) return given;
  const parity = [...parityIn(steps.value), ...given.value];
  const times = [
    ...records.map(({ closed, initiated }) => closed ?? initiated),
    ...drills.value.map(({ end }) => end),
    ...parity.map(({ compared }) => compared),
  ];
  const { manifest } = manifests.value;
  const evidence: Evidence = {
    ...{ manifest, manifestDigest: manifestDigest(manifest), records },
    ...{ drills: drills.value, parity },
    // The newest evidence, not the clock: the same evidence makes the same bytes.
    asOf: options.asOf ?? times.sort().at(-1) ?? nowText(),
  };
  return ok({ evidence, envelopes, logs, keys });
}

interface ReadManifests {
  readonly manifest: Manifest;
  readonly envelopes: ReadonlyMap<string, Uint8Array>;
  readonly keys: ReadonlyMap<string, string>;
}

async function readManifests(options: SourceOptions): Promise<Result<ReadManifests, string>> {
  const vkeys = await Promise.all(options.manifestKey.map(vkeyText));
  const verifiers = envelopeVerifiers(vkeys);
  if (!verifiers.ok) return verifiers;
  const reader = await manifestReader();
  const envelopes = new Map<string, Uint8Array>();
  const manifests: Manifest[] = [];
  for (const file of options.manifest) {
    const bytes = await readFile(file).catch(() => undefined);
    if (bytes === undefined) return err(`${file} cannot be read`);
    const signed = reader.readSigned(bytes.toString(), vkeys, nowText());
    if (!signed.ok) return err(`${file}: ${signed.error.join("; ")}`);
    manifests.push(signed.value.manifest);
    envelopes.set(`manifests/${signed.value.manifest.version}.json`, bytes);
  }
  const manifest = manifests.sort((a, b) => b.version - a.version)[0];
  if (manifest === undefined) return err("give --manifest, at least the one in force");
  const keys = new Map(vkeys.map((vkey, i) => [`manifest-${i + 1}`, vkey]));
  return ok({ manifest, envelopes, keys });
}

/** A verifier key itself, or a file that holds one. */
export async function vkeyText(given: string): Promise<string> {
  const text = await readFile(given, "utf8").catch(() => given);
  return text.trim();
}

interface ReadLog {
  readonly files: LogFiles;
  readonly verifier: NoteVerifier;
}

/**
 * Verifies what is published of a log, and keeps exactly the files that this took: what is in the pack can be verified
 * again. The journal is left out: it may be growing.
 */
async function readLog(
  name: string,
  folder: string | undefined,
  logs: Map<string, Uint8Array>,
  keys: Map<string, string>,
): Promise<Result<ReadLog | undefined, string>> {
  if (folder === undefined) return ok(undefined);
  const disk = openDisk(folder);
  const vkey = await disk.read("log.vkey");
  if (!vkey.ok) return err(`${folder}/log.vkey cannot be read (${vkey.error.code})`);
  const verifier = parseVkey(Buffer.from(vkey.value).toString());
  if (!verifier.ok) return err(`${folder}/log.vkey: ${verifier.error}`);
  const files: LogFiles = {
    async read(path) {
      const known = logs.get(`logs/${name}/${path}`);
      if (known !== undefined) return ok(known);
      const read = await disk.read(path);
      if (read.ok) logs.set(`logs/${name}/${path}`, read.value);
      return read;
    },
    list: async (path) => (path.startsWith("journal") ? ok([]) : disk.list(path)),
  };
  const report = await verifyLog({ files, verifier: verifier.value });
  const wrong = report.findings.find(({ severity }) => severity !== "note");
  if (wrong !== undefined) return err(`the log in ${folder}: ${wrong.message}`);
  keys.set(name, Buffer.from(vkey.value).toString().trim());
  return ok({ files, verifier: verifier.value });
}

async function stepsOf(log: ReadLog | undefined): Promise<Result<readonly RecordedStep[], string>> {
  if (log === undefined) return ok([]);
  const entries = await readEntries(log.files, log.verifier, 0);
  return entries.ok ? ok(stepsIn(entries.value)) : entries;
}

async function readDrills(
  folder: string | undefined,
  verifier: NoteVerifier | undefined,
  envelopes: Map<string, Uint8Array>,
): Promise<Result<readonly DrillJournal[], string>> {
  if (folder === undefined || verifier === undefined) return ok([]);
  const disk = openDisk(folder);
  const names = await disk.list("journals");
  if (!names.ok) return err(`${folder}/journals cannot be read (${names.error.code})`);
  const journals: DrillJournal[] = [];
  for (const name of names.value) {
    const file = await disk.read(`journals/${name}`);
    if (!file.ok) return err(`${folder}/journals/${name} cannot be read (${file.error.code})`);
    const journal = openJournal(file.value, [verifier]);
    if (!journal.ok) return err(`${folder}/journals/${name}: ${journal.error}`);
    envelopes.set(`drills/${basename(name)}`, file.value);
    journals.push(journal.value);
  }
  return ok(journals);
}

async function readParityFile(
  file: string | undefined,
): Promise<Result<readonly ParityFinding[], string>> {
  if (file === undefined) return ok([]);
  const bytes = await readFile(file).catch(() => undefined);
  if (bytes === undefined) return err(`${file} cannot be read`);
  const parsed = parseJsonStrict(bytes);
  return parsed.ok && isJsonArray(parsed.value)
    ? ok(parsed.value as unknown as readonly ParityFinding[])
    : err(`${file} is no list of {site, compared, equal, drifted}`);
}
