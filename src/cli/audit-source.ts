/** What the audit commands share: the folder, the key, the evidence, and how they speak. */
import { readFile } from "node:fs/promises";
import { openDisk } from "../adapters/disk/index.ts";
import { type LogFiles, type NoteVerifier, parseVkey, vkeyPath } from "../audit/index.ts";
import { err, ok, type Result } from "../kernel/index.ts";

export const exit = { ok: 0, tampered: 1, usage: 2 } as const;

export interface LogSource {
  readonly files: LogFiles;
  readonly verifier: NoteVerifier;
  /** The key came from the folder it is to verify, so it proves consistency, not who wrote it. */
  readonly keyIsItsOwn: boolean;
}

/** Opens a log for reading. The error is a sentence with what to do. */
export async function openSource(
  folder: string,
  key: string | undefined,
): Promise<Result<LogSource, string>> {
  const files = openDisk(folder);
  if (key !== undefined) {
    const verifier = await readKey(key);
    return verifier.ok ? ok({ files, verifier: verifier.value, keyIsItsOwn: false }) : verifier;
  }
  const own = await files.read(vkeyPath);
  if (!own.ok) return err(`${folder} holds no ${vkeyPath} (${own.error.code}): give --key`);
  const verifier = parseVkey(Buffer.from(own.value).toString());
  if (!verifier.ok) return err(`${folder}/${vkeyPath}: ${verifier.error}`);
  return ok({ files, verifier: verifier.value, keyIsItsOwn: true });
}

/** A vkey, or the path of a file that holds one. */
export async function readKey(key: string): Promise<Result<NoteVerifier, string>> {
  const literal = parseVkey(key);
  if (literal.ok) return literal;
  const text = await readText(key);
  if (!text.ok)
    return err(`--key is no verifier key (${literal.error}) and no file: ${text.error}`);
  const verifier = parseVkey(text.value);
  return verifier.ok ? verifier : err(`${key}: ${verifier.error}`);
}

export async function readText(path: string): Promise<Result<string, string>> {
  try {
    return ok(await readFile(path, "utf8"));
  } catch (error) {
    return err(error instanceof Error ? error.message : String(error));
  }
}

export function print(line: string): void {
  process.stdout.write(`${visible(line)}\n`);
}

/** For people; what is asked for goes to standard output. */
export function complain(line: string): void {
  process.stderr.write(`${visible(line)}\n`);
}

/**
 * Control, format and unassigned characters as JSON escapes. Agents choose names and foreign logs hold any bytes: no
 * terminal may act on them, people see that something is there, and JSON stays the same JSON.
 */
function visible(text: string): string {
  return text.replace(/[^\P{C}\n]/gu, (character) =>
    character.replace(
      /[\s\S]/g,
      (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`,
    ),
  );
}
