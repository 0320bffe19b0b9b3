/** A policy folder on disk: read whole, and watched. */
import { type FSWatcher, watch } from "node:fs";
import { readdir, readFile, realpath, stat } from "node:fs/promises";
import { join, sep } from "node:path";
import { err, ok, type Result, sha256Hex } from "../../kernel/index.ts";
import type { PolicyFile } from "../../policy/index.ts";

/** Everything in the folder at one moment, by path. */
export interface PolicyFolder {
  readonly policies: readonly PolicyFile[];
  /** Files named `*.test.yaml`, `*.test.yml` or `*.test.json`. */
  readonly cases: readonly PolicyFile[];
  /** Files named `*.tar.gz`: bundles of users' own Rego. */
  readonly archives: readonly { readonly path: string; readonly bytes: Uint8Array }[];
}

export interface PolicyFolderError {
  readonly path: string;
  /** The system's word, `ENOENT`, …, or one of ours: `NOT_UTF8`, `NOT_A_FILE`, `LEAVES_THE_FOLDER`, `FILE_OVER_4_MIB`, … */
  readonly code: string;
}

const fileBytesMax = 4 * 1024 * 1024;
const entriesMax = 10_000;
const bytesMax = 64 * 1024 * 1024;
const depthMax = 16;

const policyName = /\.(?:ya?ml|json)$/;
const archiveName = /\.tar\.gz$/;
const caseName = /\.test\.(?:ya?ml|json)$/;

/**
 * Reads every YAML and JSON file and every bundle of Rego below `path`, leaving out names that start with a point. Links are followed inside the
 * folder only (Kubernetes mounts files that way). One file that cannot be read is an error of the whole: half a policy
 * is none.
 */
export async function readPolicyFolder(
  path: string,
): Promise<Result<PolicyFolder, PolicyFolderError>> {
  const root = await attempt(path, (full) => realpath(full));
  if (!root.ok) return root;
  const reading = new Reading(path, root.value);
  const failed = await reading.folder("", 0);
  if (failed) return err(failed);
  const files = reading.files.sort((a, b) => (a.path < b.path ? -1 : 1));
  return ok({
    archives: reading.archives.sort((a, b) => (a.path < b.path ? -1 : 1)),
    policies: files.filter((file) => !caseName.test(file.path)),
    cases: files.filter((file) => caseName.test(file.path)),
  });
}

class Reading {
  readonly files: PolicyFile[] = [];
  readonly archives: { readonly path: string; readonly bytes: Uint8Array }[] = [];
  readonly #path: string;
  /** Where the folder really is. */
  readonly #root: string;
  #entries = 0;
  #bytes = 0;

  constructor(path: string, root: string) {
    this.#path = path;
    this.#root = root;
  }

  async folder(folder: string, depth: number): Promise<PolicyFolderError | undefined> {
    const full = join(this.#path, folder);
    if (depth > depthMax) return { path: full, code: `OVER_${depthMax}_FOLDERS_DEEP` };
    const listed = await attempt(full, (each) => readdir(each));
    if (!listed.ok) return listed.error;
    for (const name of listed.value.filter((each) => !each.startsWith("."))) {
      this.#entries += 1;
      if (this.#entries > entriesMax) return { path: full, code: `OVER_${entriesMax}_FILES` };
      const failed = await this.#entry(folder === "" ? name : `${folder}/${name}`, depth);
      if (failed) return failed;
    }
    return undefined;
  }

  async #entry(path: string, depth: number): Promise<PolicyFolderError | undefined> {
    const full = join(this.#path, path);
    const real = await attempt(full, (each) => realpath(each));
    if (!real.ok) return real.error;
    // Whoever may write a policy may not make this process read, and show in a diagnostic, any other file.
    if (!real.value.startsWith(this.#root + sep)) return { path: full, code: "LEAVES_THE_FOLDER" };
    const found = await attempt(full, () => stat(real.value));
    if (!found.ok) return found.error;
    if (found.value.isDirectory()) return await this.folder(path, depth + 1);
    const isArchive = archiveName.test(path);
    if (!isArchive && !policyName.test(path)) return undefined;
    // A pipe would be waited for, a device never ends.
    if (!found.value.isFile()) return { path: full, code: "NOT_A_FILE" };
    this.#bytes += found.value.size;
    if (found.value.size > fileBytesMax) return { path: full, code: "FILE_OVER_4_MIB" };
    if (this.#bytes > bytesMax) return { path: full, code: "FOLDER_OVER_64_MIB" };
    if (isArchive) {
      const bytes = await attempt(full, () => readFile(real.value));
      if (bytes.ok) this.archives.push({ path, bytes: bytes.value });
      return bytes.ok ? undefined : bytes.error;
    }
    const text = await attempt(full, async () => decodeText(await readFile(real.value)));
    if (!text.ok) return text.error;
    this.files.push({ path, text: text.value });
    return undefined;
  }
}

async function attempt<T>(
  path: string,
  read: (path: string) => Promise<T>,
): Promise<Result<T, PolicyFolderError>> {
  try {
    return ok(await read(path));
  } catch (thrown) {
    const code = (thrown as NodeJS.ErrnoException).code ?? "UNKNOWN";
    return err({ path, code: code === "ERR_ENCODING_INVALID_ENCODED_DATA" ? "NOT_UTF8" : code });
  }
}

function decodeText(bytes: Uint8Array): string {
  return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
}

export interface WatchOptions {
  /** Quiet time after a change before the folder is read. */
  readonly debounceMs?: number;
  /** How often the folder is read even when the system reports no change. */
  readonly pollMs?: number;
  /** A snapshot that differs from the one before, or the reason why there is none. */
  onSnapshot(snapshot: Result<PolicyFolder, PolicyFolderError>): void;
}

export interface FolderWatch {
  stop(): void;
}

/**
 * Calls `onSnapshot` with the first snapshot and after each change. A snapshot is delivered only when two readings in
 * a row were the same, so a folder that is being written is never seen half-way.
 */
export function watchPolicyFolder(path: string, options: WatchOptions): FolderWatch {
  return new Watch(path, options);
}

class Watch implements FolderWatch {
  readonly #path: string;
  readonly #options: WatchOptions;
  readonly #debounceMs: number;
  readonly #poll: NodeJS.Timeout;
  readonly #watcher: FSWatcher | undefined;
  #pending: NodeJS.Timeout | undefined;
  #reading = false;
  #stopped = false;
  #last = "";
  #delivered = "";

  constructor(path: string, options: WatchOptions) {
    this.#path = path;
    this.#options = options;
    this.#debounceMs = options.debounceMs ?? 100;
    this.#poll = setInterval(() => this.#soon(), options.pollMs ?? 5_000);
    this.#watcher = startWatcher(path, () => this.#soon());
    this.#soon();
  }

  stop(): void {
    this.#stopped = true;
    clearInterval(this.#poll);
    clearTimeout(this.#pending);
    this.#watcher?.close();
  }

  #soon(): void {
    clearTimeout(this.#pending);
    if (!this.#stopped) this.#pending = setTimeout(() => void this.#read(), this.#debounceMs);
  }

  async #read(): Promise<void> {
    if (this.#reading) return this.#soon();
    this.#reading = true;
    const snapshot = await readPolicyFolder(this.#path);
    this.#reading = false;
    if (this.#stopped) return;
    const text = contentOf(snapshot);
    const settled = text === this.#last;
    this.#last = text;
    if (!settled) return this.#soon();
    if (text === this.#delivered) return;
    this.#delivered = text;
    this.#options.onSnapshot(snapshot);
  }
}

/** Undefined where the system cannot watch; the poll remains. */
function startWatcher(path: string, changed: () => void): FSWatcher | undefined {
  try {
    const watcher = watch(path, { recursive: true }, changed);
    watcher.on("error", () => watcher.close());
    return watcher;
  } catch {
    return undefined;
  }
}

/** The same for the same content. */
function contentOf(snapshot: Result<PolicyFolder, PolicyFolderError>): string {
  if (!snapshot.ok) return JSON.stringify(snapshot);
  const { archives, ...texts } = snapshot.value;
  return JSON.stringify([texts, archives.map(({ path, bytes }) => [path, sha256Hex(bytes)])]);
}
