/** What is named on the command line, as files: one, all of a folder, what an address answers, or standard input. */
import type { Dirent } from "node:fs";
import { readdir, readFile, stat } from "node:fs/promises";
import { join, relative } from "node:path";
import { systemClock } from "../../adapters/clock/index.ts";
import { undiciTransport } from "../../adapters/http/index.ts";
import { fileBytesMax, type SourceFile } from "../../adapters/sources/index.ts";
import { err, ok, type Result, readBody } from "../../kernel/index.ts";

const filesMax = 100_000;
const timeoutMs = 30_000;
const hidden = /(?:^|\/)(?:\.[^/]|node_modules\/)/;
const read = /\.(?:json|jsonl|ndjson|ya?ml|sql|pb|binpb|otlp)$/;

/** Paths in order. The error is a sentence. A folder gives its files with endings that a source may read, hidden ones left out. */
export async function pathsIn(path: string): Promise<Result<readonly string[], string>> {
  const found = await stat(path).catch(() => undefined);
  if (found === undefined) return err(`${path}: no such file or folder`);
  if (!found.isDirectory()) return ok([path]);
  const entries = await entriesOf(path);
  if (!entries.ok) return entries;
  const paths = entries.value
    .filter((entry) => entry.isFile() && read.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((each) => !hidden.test(relative(path, each)))
    .sort();
  return paths.length <= filesMax
    ? ok(paths)
    : err(`${path}: ${paths.length} files; at most ${filesMax} at once`);
}

/** A folder within that may not be read is an error too: nobody should believe that all of it was taken. */
async function entriesOf(path: string): Promise<Result<readonly Dirent[], string>> {
  try {
    return ok(await readdir(path, { recursive: true, withFileTypes: true }));
  } catch (thrown) {
    const { code, path: where } = thrown as NodeJS.ErrnoException;
    return err(`${where ?? path}: the folder cannot be read (${code ?? String(thrown)})`);
  }
}

/** `tell` hears how many bytes it has before they are read. */
export async function readSourceFile(
  path: string,
  tell: (bytes: number) => void = () => undefined,
): Promise<Result<SourceFile, string>> {
  try {
    const { mtimeMs, size } = await stat(path);
    if (size > fileBytesMax)
      return err(`${path}: ${size} bytes; at most ${fileBytesMax} are read, split it`);
    tell(size);
    return ok({ path, bytes: await readFile(path), modifiedAtMs: Math.floor(mtimeMs) });
  } catch (thrown) {
    const { code } = thrown as NodeJS.ErrnoException;
    return err(`${path}: it cannot be read (${code ?? String(thrown)})`);
  }
}

/** One answer of a server, known by its content type. */
export async function fetchSource(url: string): Promise<Result<SourceFile, string>> {
  const http = undiciTransport({ addresses: "not_metadata" });
  try {
    const sent = await http.send({
      ...{ method: "GET", url, headers: { accept: "application/json, application/yaml;q=0.9" } },
      ...{ headTimeoutMs: timeoutMs, idleTimeoutMs: timeoutMs },
    });
    if (!sent.ok) return err(`${url}: ${sent.error.reason}: ${sent.error.detail}`);
    const { status, headers } = sent.value;
    if (status !== 200) return err(`${url}: answers ${status}`);
    const body = await readBody(sent.value, fileBytesMax);
    if (!body.ok) return err(`${url}: ${body.error}`);
    const isYaml = String(headers["content-type"] ?? "").includes("yaml");
    const path = isYaml && !/\.ya?ml$/.test(url) ? `${url}#.yaml` : url;
    return ok({ path, bytes: body.value, modifiedAtMs: systemClock.wallMs() });
  } finally {
    await http.close();
  }
}
