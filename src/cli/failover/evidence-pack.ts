/** `holdfast failover evidence`: make a pack, verify one, look at it. */
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { readArchive, writeArchive } from "../../adapters/bundle/index.ts";
import { compilePublishedSchema } from "../../adapters/json-schema/index.ts";
import { openSigner } from "../../adapters/keys/index.ts";
import { encodeVkey } from "../../audit/index.ts";
import {
  assess,
  assessmentResults,
  type Evidence,
  envelopeVerifiers,
  evidenceIn,
  expiryOf,
  jsonBytes,
  mayRead,
  type Ownership,
  oscalProblems,
  type PackFiles,
  type PackReport,
  packFiles,
  planOfAction,
  regulationIds,
  reportMarkdown,
  reportOf,
  reportPage,
  retentionDefault,
  retentionRules,
  verifyPack,
} from "../../failover/index.ts";
import { err, type JsonObject, ok, type Result } from "../../kernel/index.ts";
import type { CommandOutput } from "../policy-knowledge.ts";
import { tableLines } from "../table.ts";
import { readSources, type SourceOptions, vkeyText } from "./evidence-sources.ts";

export interface PackOptions extends SourceOptions {
  readonly out: string;
  readonly signingKey: string;
  readonly name: string;
  /** `team`, or `4.7=team`. */
  readonly owner: readonly string[];
  readonly dueDays: string;
  readonly json?: boolean;
}

export interface VerifyPackOptions {
  readonly key: readonly string[];
  readonly json?: boolean;
}

const packLimits = { filesMax: 200_000, bytesMax: 2 * 1024 * 1024 * 1024 };

/** 0 written, 2 something is missing or does not verify. */
export async function makePack(options: PackOptions, io: CommandOutput): Promise<number> {
  const ownership = ownershipOf(options);
  if (!ownership.ok) return complain(io, ownership.error);
  const sources = await readSources(options);
  if (!sources.ok) return complain(io, sources.error);
  const signer = await openSigner(options.signingKey, options.name);
  if (!signer.ok) return complain(io, `${signer.error.path}: ${signer.error.detail}`);
  const documents = documentsOf(sources.value.evidence, ownership.value);
  const files = packFiles({ ...sources.value, documents }, signer.value);
  const archive = await writeArchive(files);
  await writeFile(options.out, archive);
  const key = encodeVkey(options.name, signer.value.publicKey);
  const { records, drills, asOf } = sources.value.evidence;
  if (options.json === true)
    io.out(JSON.stringify({ out: options.out, files: files.size, key, as_of: asOf }));
  else {
    io.out(`${options.out}: ${records.length} failovers, ${drills.length} drills, as of ${asOf}`);
    io.out(`verify it with --key ${key}`);
  }
  return 0;
}

function ownershipOf({ owner, dueDays }: PackOptions): Result<Ownership, string> {
  const owners: Record<string, string> = {};
  for (const each of owner) {
    const [, requirement = "default", name = ""] = /^(?:(4\.\d{1,2})=)?(.+)$/.exec(each) ?? [];
    owners[requirement] = name;
  }
  const days = Number(dueDays);
  const { default: otherwise } = owners;
  if (otherwise === undefined)
    return err("give --owner: every weakness needs somebody who answers for it");
  if (!Number.isSafeInteger(days) || days < 1) return err("--due-days is a whole number from 1");
  return ok({ owners: { ...owners, default: otherwise }, dueDays: days });
}

function documentsOf(evidence: Evidence, ownership: Ownership): PackFiles {
  const assessed = assess(evidence);
  const report = reportOf(evidence, regulationIds);
  const documents = new Map<string, Uint8Array>([
    ["oscal/assessment-results.json", jsonBytes(assessmentResults(evidence, assessed, ownership))],
    ["reports/regulations.md", Buffer.from(reportMarkdown(report))],
    ["reports/regulations.html", Buffer.from(reportPage(report))],
    ["reports/regulations.json", jsonBytes(report as unknown as JsonObject)],
  ]);
  const plan = planOfAction(evidence, assessed, ownership);
  if (plan !== undefined) documents.set("oscal/poam.json", jsonBytes(plan));
  return documents;
}

export interface OpenedPack {
  readonly files: PackFiles;
  readonly report: PackReport;
}

/** A pack that verifies, and nothing else. */
export async function openPack(
  file: string,
  keys: readonly string[],
): Promise<Result<OpenedPack, string>> {
  const bytes = await readFile(file).catch(() => undefined);
  if (bytes === undefined) return err(`${file} cannot be read`);
  const verifiers = envelopeVerifiers(await Promise.all(keys.map(vkeyText)));
  if (!verifiers.ok) return verifiers;
  const read = await readArchive(bytes, packLimits);
  if (!read.ok) return err(read.error.detail);
  const report = await verifyPack(read.value, verifiers.value);
  if (!report.ok) return report;
  // Bytes around the files say nothing, so they may not differ either.
  const canonical = await writeArchive(read.value);
  const problems = [
    ...report.value.problems,
    ...(Buffer.compare(canonical, bytes) === 0 ? [] : ["the archive is not in its one form"]),
  ];
  return ok({ files: read.value, report: { ...report.value, problems } });
}

/** 0 verified, 1 it is not what its maker signed, 2 unreadable. */
export async function verifyPackFile(
  file: string,
  options: VerifyPackOptions,
  io: CommandOutput,
): Promise<number> {
  const opened = await openPack(file, options.key);
  if (!opened.ok) {
    if (options.json === true) io.out(JSON.stringify({ ok: false, problems: [opened.error] }));
    io.err(`error: ${opened.error}`);
    return opened.error.endsWith("cannot be read") ? 2 : 1;
  }
  const { report } = opened.value;
  const isOk = report.problems.length === 0;
  if (options.json === true) io.out(JSON.stringify({ ok: isOk, ...report }));
  else {
    for (const problem of report.problems) io.err(`tampered: ${problem}`);
    const counts = Object.entries(report.counts).map(([folder, count]) => `${folder} ${count}`);
    io.out(
      `${isOk ? "verified" : "NOT VERIFIED"}: ${report.tenant}/${report.deployment}, as of ${report.asOf}`,
    );
    io.out(`files: ${counts.sort().join(", ")}`);
  }
  return isOk ? 0 : 1;
}

export interface ListOptions extends VerifyPackOptions {
  readonly role: readonly string[];
  readonly retention?: string;
  /** Writes what the roles may read into this folder. */
  readonly to?: string;
}

/** What is in a pack, who may read it, and when it may go. */
export async function listPack(
  file: string,
  options: ListOptions,
  io: CommandOutput,
): Promise<number> {
  const opened = await openPack(file, options.key);
  if (!opened.ok) return complain(io, opened.error);
  const { files, report } = opened.value;
  if (report.problems.length > 0) return complain(io, report.problems.join("; "));
  const rules = await rulesIn(options.retention);
  if (!rules.ok) return complain(io, rules.error);
  const rows = [...files.keys()].sort().map((path) => {
    const expiry = expiryOf(path, report.asOf, rules.value);
    return {
      path,
      readable: mayRead(path, options.role, rules.value),
      expires: expiry.ok ? expiry.value : null,
    };
  });
  if (options.to !== undefined)
    for (const { path, readable } of rows)
      if (readable) await written(join(options.to, path), files.get(path));
  if (options.json === true) io.out(JSON.stringify(rows));
  else
    for (const line of tableLines([
      ["FILE", "READABLE", "MAY GO"],
      ...rows.map((row) => [row.path, row.readable ? "yes" : "no", row.expires ?? "-"]),
    ]))
      io.out(line);
  return 0;
}

async function rulesIn(file: string | undefined) {
  if (file === undefined) return ok(retentionDefault);
  const text = await readFile(file, "utf8").catch(() => undefined);
  if (text === undefined) return err(`${file} cannot be read`);
  try {
    const rules = retentionRules(JSON.parse(text));
    return rules.ok ? rules : err(`${file}: ${rules.error.join("; ")}`);
  } catch {
    return err(`${file} is no JSON`);
  }
}

async function written(path: string, bytes: Uint8Array | undefined): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, bytes ?? new Uint8Array());
}

/** Checks an OSCAL document: our own structure always, a published schema when one is given. 0 valid, 1 not, 2 unreadable. */
export async function checkOscal(
  file: string,
  schema: string | undefined,
  io: CommandOutput,
): Promise<number> {
  const read = async (path: string): Promise<JsonObject | undefined> => {
    try {
      return JSON.parse(await readFile(path, "utf8")) as JsonObject;
    } catch {
      io.err(`error: ${path} is no JSON that can be read`);
      return undefined;
    }
  };
  const document = await read(file);
  const published = schema === undefined ? undefined : await read(schema);
  if (document === undefined || (schema !== undefined && published === undefined)) return 2;
  const problems = [
    ...oscalProblems(document),
    ...(published === undefined ? [] : compilePublishedSchema(published)(document)).map(
      ({ path, message }) => `${path.join(".")}: ${message}`,
    ),
  ];
  for (const problem of problems) io.err(problem);
  io.out(`${file}: ${problems.length === 0 ? "valid" : `${problems.length} problems`}`);
  return problems.length === 0 ? 0 : 1;
}

/** The evidence of a pack that verifies. */
export async function packedEvidence(
  file: string,
  keys: readonly string[],
): Promise<Result<Evidence, string>> {
  const opened = await openPack(file, keys);
  if (!opened.ok) return opened;
  const { files, report } = opened.value;
  if (report.problems.length > 0) return err(report.problems.join("; "));
  return evidenceIn(files, report);
}

export function complain(io: CommandOutput, sentence: string): number {
  io.err(`error: ${sentence}`);
  return 2;
}
