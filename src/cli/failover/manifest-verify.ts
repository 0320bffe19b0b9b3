/** `holdfast failover manifest verify`: whether a signed manifest holds, as the guard will see it. */
import { readFile } from "node:fs/promises";
import { err, ok, type Result } from "../../kernel/index.ts";
import type { CommandOutput } from "../policy-knowledge.ts";
import { nowText, textOf } from "./open-manifest.ts";
import { manifestReader, type SignedManifest } from "./read-manifest.ts";

export interface VerifyOptions {
  /** Verifier keys, or files with one a line. */
  readonly key: readonly string[];
  readonly threshold: string;
  readonly digest?: string;
  readonly json?: boolean;
}

/** 0 it holds, 1 it does not, 2 unusable keys or file. */
export async function verifyManifest(
  file: string,
  options: VerifyOptions,
  io: CommandOutput,
): Promise<number> {
  const text = await textOf(file, io);
  if (text === undefined) return 2;
  const keys = await vkeysOf(options.key);
  if (!keys.ok) return unusable(keys.error, io);
  const threshold = Number(options.threshold);
  if (!Number.isSafeInteger(threshold) || threshold < 1)
    return unusable("--threshold: give a whole number from 1", io);
  const read = (await manifestReader()).readSigned(text, keys.value, nowText(), threshold);
  const faults = read.ok ? wrongDigest(read.value.digest, options.digest) : read.error;
  const code = faults.length === 0 ? 0 : 1;
  if (options.json) {
    const { digest, signedBy, warnings } = read.ok ? read.value : {};
    io.out(JSON.stringify({ ok: code === 0, digest, signedBy, faults, warnings }));
    return code;
  }
  for (const sentence of faults) io.err(`${file}: ${sentence}`);
  if (read.ok && code === 0) report(file, read.value, io);
  return code;
}

function report(file: string, read: SignedManifest, io: CommandOutput): void {
  const { manifest, digest, signedBy, warnings } = read;
  for (const sentence of warnings) io.err(`${file}: warning: ${sentence}`);
  io.out(`verified: ${manifest.deployment} version ${manifest.version}, ${digest}`);
  io.out(`signed by ${signedBy.join(", ")}`);
}

function unusable(detail: string, io: CommandOutput): number {
  io.err(detail);
  return 2;
}

function wrongDigest(digest: string, expected: string | undefined): readonly string[] {
  if (expected === undefined || expected === digest) return [];
  return [`the digest is ${digest}, not ${expected}`];
}

/** Each given key, or the keys in each given file, one a line. */
export async function vkeysOf(given: readonly string[]): Promise<Result<string[], string>> {
  const keys: string[] = [];
  for (const each of given) {
    if (/^[^\s+]+\+[0-9a-f]{8}\+/.test(each)) keys.push(each);
    else
      try {
        const lines = (await readFile(each, "utf8")).split("\n").map((line) => line.trim());
        keys.push(...lines.filter((line) => line !== "" && !line.startsWith("#")));
      } catch (thrown) {
        const code = (thrown as NodeJS.ErrnoException).code ?? String(thrown);
        return err(`${each}: neither a verifier key nor a file that can be read (${code})`);
      }
  }
  return ok(keys);
}
