/** A manifest from whatever form it has on disk, for commands that only look at it. */
import { readFile } from "node:fs/promises";
import { type Manifest, manifestPayloadType, parseEnvelope } from "../../failover/index.ts";
import { type Diagnostic, formatDiagnostic } from "../../policy/index.ts";
import type { CommandOutput } from "../policy-knowledge.ts";
import { manifestReader } from "./read-manifest.ts";

/** RFC 3339 UTC. */
export function nowText(): string {
  return new Date().toISOString();
}

/** The text, or undefined after saying why there is none. */
export async function textOf(file: string, io: CommandOutput): Promise<string | undefined> {
  try {
    return await readFile(file, "utf8");
  } catch (thrown) {
    io.err(
      `${file}: the file cannot be read (${(thrown as NodeJS.ErrnoException).code ?? thrown})`,
    );
    return undefined;
  }
}

export interface OpenedManifest {
  readonly manifest: Manifest;
  /** Key ids that the envelope claims; undefined for plain YAML. Nothing was verified. */
  readonly claimedBy?: readonly string[];
}

/** YAML, or the unverified payload of an envelope. Undefined after saying what is wrong. */
export async function openManifest(
  file: string,
  io: CommandOutput,
): Promise<OpenedManifest | undefined> {
  const text = await textOf(file, io);
  if (text === undefined) return undefined;
  const envelope = parseEnvelope(text);
  const isEnvelope = envelope.ok && envelope.value.payloadType === manifestPayloadType;
  const body = isEnvelope ? Buffer.from(envelope.value.payload, "base64").toString() : text;
  const { manifest, diagnostics } = (await manifestReader()).read(file, body, nowText());
  if (manifest === undefined) {
    tell(diagnostics, io);
    return undefined;
  }
  if (!isEnvelope) return { manifest };
  return { manifest, claimedBy: envelope.value.signatures.map(({ keyid }) => keyid) };
}

export function tell(diagnostics: readonly Diagnostic[], io: CommandOutput): void {
  for (const diagnostic of diagnostics) io.err(lineOf(diagnostic));
}

/** For a terminal: what stands in a file may hold control characters, which are shown as �. */
export function lineOf(diagnostic: Diagnostic): string {
  return formatDiagnostic(diagnostic).replace(/[^\P{C}\n]/gu, "�");
}
