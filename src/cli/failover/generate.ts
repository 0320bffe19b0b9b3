/** `holdfast failover manifest generate`: a manifest from infrastructure as code, and what is missing in either. */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import {
  type FoundInfrastructure,
  kindOf,
  readInfrastructure,
} from "../../adapters/infrastructure/index.ts";
import type { Manifest } from "../../failover/index.ts";
import { err, isJsonObject, type JsonObject, ok, type Result } from "../../kernel/index.ts";
import {
  type Diagnostic,
  formatDiagnostic,
  parseSource,
  sortDiagnostics,
  sourceValue,
  writeYaml,
} from "../../policy/index.ts";
import { Findings } from "../findings.ts";
import type { CommandOutput } from "../policy-knowledge.ts";
import { type Assembled, assemble, type Origin } from "./assemble.ts";
import { against, baseOnly, unmarked } from "./completeness.ts";
import { nowText, tell } from "./open-manifest.ts";
import { type ManifestReader, manifestReader } from "./read-manifest.ts";

export interface GenerateOptions {
  /** A manifest that may leave out what the files say: sites, keys, residency, and whatever no file knows. */
  readonly base?: string;
  /** Reports only: this manifest against the files. */
  readonly against?: string;
  readonly output?: string;
  readonly json?: boolean;
}

export interface Generated {
  /** The text of the manifest, YAML. */
  readonly manifest: string;
  /** The completeness report; errors keep the manifest from being complete. */
  readonly report: readonly Diagnostic[];
}

/** 0 complete, 1 something is missing in one or the other, 2 unreadable. */
export async function generateCommand(
  files: readonly string[],
  options: GenerateOptions,
  io: CommandOutput,
): Promise<number> {
  const generated = await generateManifest(files, options);
  if (!generated.ok) {
    io.err(generated.error);
    return 2;
  }
  const { manifest, report } = generated.value;
  const complete = !report.some(({ severity }) => severity === "error");
  const isReport = options.against !== undefined;
  const output = isReport ? undefined : options.output;
  if (output !== undefined) await writeFile(output, manifest);
  if (options.json) {
    io.out(JSON.stringify({ complete, ...(isReport ? {} : { manifest }), report }));
    return complete ? 0 : 1;
  }
  tell(report, io);
  const state = complete ? "complete in both directions" : "not complete";
  if (isReport) io.out(state);
  else io.out(output === undefined ? manifest.trimEnd() : `${output}: ${state}`);
  return complete ? 0 : 1;
}

/** The error says which file cannot be used. */
export async function generateManifest(
  files: readonly string[],
  options: Pick<GenerateOptions, "base" | "against" | "output">,
): Promise<Result<Generated, string>> {
  const read = await readAll(files);
  if (!read.ok) return read;
  const base = options.base === undefined ? undefined : await openBase(options.base);
  if (base !== undefined && !base.ok) return base;
  const { found, origins } = read.value;
  const reader = await manifestReader();
  if (options.against !== undefined) {
    const report = await reportAgainst(options.against, read.value, base?.value.value, reader);
    return report.ok ? ok({ manifest: "", report: sortDiagnostics(report.value) }) : report;
  }
  const supplement = base?.value.value ?? {};
  const assembled = assemble(found, supplement, origins);
  const manifest = writeYaml(assembled.value);
  if (base) baseOnly(assembled, supplement, base.value.findings);
  const { diagnostics } = reader.read(options.output ?? "(generated)", manifest, nowText());
  const errors = diagnostics.filter(({ severity }) => severity === "error");
  const said = base?.value.findings.found ?? [];
  const report = [...ofFiles(found, assembled), ...said, ...errors.map(stillMissing)];
  return ok({ manifest, report: sortDiagnostics(report) });
}

function ofFiles(
  found: readonly FoundInfrastructure[],
  assembled: Assembled,
): readonly Diagnostic[] {
  const own = found.flatMap(({ diagnostics }) => diagnostics);
  return [...own, ...assembled.diagnostics, ...unmarked(found)];
}

function stillMissing(diagnostic: Diagnostic): Diagnostic {
  const hint = diagnostic.hint ?? "no file says it; say it in the base (--base)";
  return { ...diagnostic, code: "still-missing", hint };
}

/** The sites of the manifest are known here, too: their `region` variables say where a region of the files lies. */
async function reportAgainst(
  path: string,
  { found, origins }: ReadFiles,
  base: JsonObject | undefined,
  reader: ManifestReader,
): Promise<Result<readonly Diagnostic[], string>> {
  const { manifest, diagnostics } = await reader.readFile(path, nowText());
  if (manifest === undefined) return err(diagnostics.map(formatDiagnostic).join("\n"));
  const { root } = parseSource(path, await readFile(path, "utf8"));
  if (root === undefined) return err(`${path}: the file is empty`);
  const sites = manifest.sites as unknown as JsonObject["sites"];
  const assembled = assemble(found, { ...base, sites: base?.["sites"] ?? sites ?? [] }, origins);
  const findings = new Findings(path, root);
  sourceChanges(manifest, origins, findings);
  const complete = reader.completed(assembled.value);
  const compared = against(manifest, assembled, complete, base !== undefined, findings);
  return ok([...ofFiles(found, assembled), ...compared, ...findings.found]);
}

/** A file that changed may still say the same; one that was left out says nothing at all. */
function sourceChanges(
  { generated_from: from }: Manifest,
  origins: readonly Origin[],
  findings: Findings,
): void {
  for (const [at, { path, digest }] of from.entries()) {
    const now = origins.find((origin) => origin.path === path);
    if (now?.digest === digest) continue;
    const what = now === undefined ? "is not among the files given" : "has changed since";
    const message = `the manifest was generated from ${path}, which ${what}`;
    const place = ["generated_from", String(at)];
    findings.report(place, { code: "source-changed", message, severity: "warning" });
  }
}

interface ReadFiles {
  readonly found: readonly FoundInfrastructure[];
  readonly origins: readonly Origin[];
}

async function readAll(files: readonly string[]): Promise<Result<ReadFiles, string>> {
  const found: FoundInfrastructure[] = [];
  const origins: Origin[] = [];
  for (const path of [...files].sort()) {
    let text: string;
    try {
      text = await readFile(path, "utf8");
    } catch (thrown) {
      return err(`${path}: the file cannot be read (${(thrown as NodeJS.ErrnoException).code})`);
    }
    const kind = kindOf(path, text);
    if (kind === undefined)
      return err(
        `${path}: neither docker compose, Kubernetes objects (Helm templates: render them first, helm template), terraform show -json, Patroni nor HAProxy`,
      );
    origins.push({ kind, path, digest: sha256(text) });
    const digestBeside = (beside: string): string | undefined => digestOfFile(path, beside);
    found.push(readInfrastructure(kind, { path, text, digestBeside }));
  }
  return ok({ found, origins });
}

function digestOfFile(path: string, beside: string): string | undefined {
  try {
    return sha256(readFileSync(resolve(dirname(path), beside)));
  } catch {
    return undefined;
  }
}

function sha256(content: string | Uint8Array): string {
  return `sha256:${createHash("sha256").update(content).digest("hex")}`;
}

async function openBase(
  path: string,
): Promise<Result<{ readonly value: JsonObject; readonly findings: Findings }, string>> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (thrown) {
    return err(`${path}: the file cannot be read (${(thrown as NodeJS.ErrnoException).code})`);
  }
  const { root, diagnostics } = parseSource(path, text);
  if (root === undefined || diagnostics.length > 0)
    return err(diagnostics.map(formatDiagnostic).join("\n") || `${path}: the file is empty`);
  const value = sourceValue(root, () => undefined);
  if (!isJsonObject(value)) return err(`${path}: a base is a manifest that leaves things out`);
  return ok({ value, findings: new Findings(path, root) });
}
