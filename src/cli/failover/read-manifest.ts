/** A manifest from its YAML file, or from a signed envelope: complete and checked, or refused with every fault. */
import { readFile } from "node:fs/promises";
import { compileSchema, type SchemaCheck } from "../../adapters/json-schema/index.ts";
import {
  checkManifest,
  envelopeVerifiers,
  type Manifest,
  type ManifestFault,
  manifestDigest,
  manifestPayloadType,
  openEnvelope,
} from "../../failover/index.ts";
import {
  digestOf,
  err,
  isJsonObject,
  type JsonObject,
  ok,
  type Result,
} from "../../kernel/index.ts";
import {
  type Diagnostic,
  nearestWord,
  parseSource,
  sortDiagnostics,
  sourceValue,
} from "../../policy/index.ts";
import { Findings } from "../findings.ts";

/** The JSON Schema, for editors: `# yaml-language-server: $schema=…`. */
const manifestSchemaUrl: URL = new URL("../../../schemas/manifest.schema.json", import.meta.url);

export interface ReadManifest {
  /** Absent when there is an error. Every default is filled in. */
  readonly manifest?: Manifest;
  /** Errors and warnings, in the order of the file. */
  readonly diagnostics: readonly Diagnostic[];
}

export interface SignedManifest {
  readonly manifest: Manifest;
  /** `sha256:<hex>` */
  readonly digest: string;
  /** Key ids, each key once. */
  readonly signedBy: readonly string[];
  readonly warnings: readonly string[];
}

/** Reads manifests with the schema compiled once. Every `now` is RFC 3339 UTC; it tells which transfers have expired. */
export interface ManifestReader {
  /** YAML, or JSON; `file` names it in diagnostics. */
  read(file: string, text: string, now: string): ReadManifest;
  /** A copy with every default filled in, as far as it is a manifest at all. */
  completed(value: JsonObject): JsonObject;
  /** As `read`; a file that cannot be read is a fault like another. */
  readFile(file: string, now: string): Promise<ReadManifest>;
  /**
   * A manifest that at least `threshold` (default 1) of `vkeys` signed, checked again by schema and rules: a signature
   * says who stands for it, not that it is right. The error holds one sentence for each fault.
   */
  readSigned(
    text: string,
    vkeys: readonly string[],
    now: string,
    threshold?: number,
  ): Result<SignedManifest, readonly string[]>;
}

export async function manifestReader(): Promise<ManifestReader> {
  const schema = JSON.parse(await readFile(manifestSchemaUrl, "utf8")) as JsonObject;
  const check = compileSchema(schema);
  return {
    read: (file, text, now) => readManifest(check, file, text, now),
    completed: (value) => {
      const copy = structuredClone(value);
      check(copy);
      return copy;
    },
    readFile: (file, now) => readManifestFile(check, file, now),
    readSigned: (text, vkeys, now, threshold = 1) =>
      readSignedManifest(check, text, vkeys, now, threshold),
  };
}

function readManifest(check: SchemaCheck, file: string, text: string, now: string): ReadManifest {
  const { root, diagnostics } = parseSource(file, text);
  if (root === undefined && diagnostics.length === 0)
    return { diagnostics: [unreadable(file, "the file is empty")] };
  if (root === undefined || diagnostics.length > 0) return { diagnostics };
  const findings = new Findings(file, root);
  const value = sourceValue(root, () => undefined);
  if (isJsonObject(value) && value["payloadType"] === manifestPayloadType) {
    const message = "this is a signed manifest";
    const hint = "holdfast failover manifest verify says whether it holds";
    findings.report([], { code: "signed", message, hint });
    return { diagnostics: findings.found };
  }
  for (const problem of check(value)) findings.reportSchema(problem);
  if (findings.found.length > 0) return { diagnostics: sortDiagnostics(findings.found) };
  const manifest = value as unknown as Manifest;
  const faults = checkManifest(manifest, now);
  for (const fault of faults) reportFault(findings, fault);
  const found = sortDiagnostics(findings.found);
  return faults.some(({ severity }) => severity === "error")
    ? { diagnostics: found }
    : { manifest, diagnostics: found };
}

async function readManifestFile(
  check: SchemaCheck,
  file: string,
  now: string,
): Promise<ReadManifest> {
  try {
    return readManifest(check, file, await readFile(file, "utf8"), now);
  } catch (thrown) {
    return { diagnostics: [unreadable(file, `the file cannot be read (${codeOf(thrown)})`)] };
  }
}

function readSignedManifest(
  check: SchemaCheck,
  text: string,
  vkeys: readonly string[],
  now: string,
  threshold: number,
): Result<SignedManifest, readonly string[]> {
  const verifiers = envelopeVerifiers(vkeys);
  if (!verifiers.ok) return err([verifiers.error]);
  const opened = openEnvelope(text, manifestPayloadType, verifiers.value, { threshold });
  if (!opened.ok) return err([opened.error]);
  const { payload, signedBy } = opened.value;
  const signedDigest = digestOf(payload);
  const value = structuredClone(payload) as JsonObject;
  const problems = check(value);
  if (problems.length > 0) return err(problems.map(({ path, message }) => sentence(path, message)));
  const manifest = value as unknown as Manifest;
  const digest = manifestDigest(manifest);
  if (digest !== signedDigest)
    return err(["the signed manifest leaves something to defaults; sign it with this version"]);
  const faults = checkManifest(manifest, now);
  const errors = faults.filter(({ severity }) => severity === "error");
  if (errors.length > 0) return err(errors.map(({ path, message }) => sentence(path, message)));
  const warnings = faults.map(({ path, message }) => sentence(path, message));
  return ok({ manifest, digest, signedBy, warnings });
}

function sentence(path: readonly string[], message: string): string {
  return path.length === 0 ? message : `${path.join(".")}: ${message}`;
}

function reportFault(findings: Findings, fault: ManifestFault): void {
  const { severity, code, path, message, hint, word } = fault;
  const nearest = word && nearestWord(word.said, word.known);
  const mild = severity === "warning" ? ({ severity } as const) : {};
  findings.report(path, { ...mild, code, message, hint, nearest });
}

function unreadable(file: string, message: string): Diagnostic {
  return { severity: "error", code: "unreadable", file, line: 1, column: 1, message };
}

function codeOf(thrown: unknown): string {
  return (thrown as NodeJS.ErrnoException).code ?? String(thrown);
}
