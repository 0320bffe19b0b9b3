/** The manifest of a check, and whether what is signed is the same. */
import { readFile } from "node:fs/promises";
import { manifestDigest } from "../../failover/index.ts";
import { err, ok, type Result } from "../../kernel/index.ts";
import { type Diagnostic, diagnosticAt, formatDiagnostic } from "../../policy/index.ts";
import type { CheckedThing } from "./junit.ts";
import { vkeysOf } from "./manifest-verify.ts";
import { nowText } from "./open-manifest.ts";
import { manifestReader } from "./read-manifest.ts";

export interface KnownManifest {
  readonly deployment: string;
  readonly digest: string;
  readonly sites: readonly string[];
}

interface Wanted {
  readonly manifest: string;
  readonly signed?: string;
  readonly key: readonly string[];
  readonly threshold: string;
}

interface CheckedManifests {
  /** Undefined when the manifest has faults. */
  readonly known: KnownManifest | undefined;
  readonly things: readonly CheckedThing[];
}

export async function checkManifests(wanted: Wanted): Promise<Result<CheckedManifests, string>> {
  const { manifest: file, signed } = wanted;
  const reader = await manifestReader();
  const { manifest, diagnostics } = await reader.readFile(file, nowText());
  if (diagnostics.some(({ code }) => code === "unreadable"))
    return err(diagnostics.map(formatDiagnostic).join("\n"));
  const known = manifest && {
    ...{ deployment: manifest.deployment, digest: manifestDigest(manifest) },
    sites: manifest.sites.map(({ id }) => id),
  };
  const things: CheckedThing[] = [{ suite: "manifest", name: file, findings: diagnostics }];
  if (signed === undefined) return ok({ known, things });
  const keys = await vkeysOf(wanted.key);
  if (!keys.ok) return keys;
  const threshold = Number(wanted.threshold);
  if (!Number.isSafeInteger(threshold) || threshold < 1)
    return err("--threshold: give a whole number from 1");
  const text = await readFile(signed, "utf8").catch((thrown: NodeJS.ErrnoException) => thrown);
  if (typeof text !== "string") return err(`${signed}: the file cannot be read (${text.code})`);
  const read = reader.readSigned(text, keys.value, nowText(), threshold);
  const findings = read.ok
    ? staleness(signed, read.value.digest, known?.digest)
    : read.error.map((message) => atStart(signed, "signature", message));
  return ok({ known, things: [...things, { suite: "signature", name: signed, findings }] });
}

function staleness(
  signed: string,
  digest: string,
  expected: string | undefined,
): readonly Diagnostic[] {
  if (expected === undefined || digest === expected) return [];
  const message = `what is signed is ${digest}, and the manifest is ${expected}: sign it again`;
  return [atStart(signed, "signature-stale", message)];
}

export function atStart(file: string, code: string, message: string): Diagnostic {
  return diagnosticAt(file, { line: 1, column: 1 }, { code, message });
}
