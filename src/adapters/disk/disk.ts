/** The `Disk` port on a real folder, with `node:fs`. */
import {
  constants,
  type FileHandle,
  mkdir,
  open,
  readdir,
  readFile,
  rename,
  rm,
} from "node:fs/promises";
import { dirname, join } from "node:path";
import { assert, err, ok, type Result } from "../../kernel/index.ts";
import type { AppendFile, Disk, DiskError } from "../../ports.ts";
import { lockFile } from "./lock.ts";

/** Aside of the file it will replace. One writer per folder (see `lock`), one replacement per file at a time. */
const asideSuffix = ".tmp";

/** The folder is made on the first write, not here, so reading an absent one changes nothing. */
export function openDisk(root: string): Disk {
  return new FolderDisk(root);
}

class FolderDisk implements Disk {
  readonly #root: string;
  /** Folders whose name is known to be durable. */
  readonly #folders = new Set<string>();

  constructor(root: string) {
    this.#root = root;
  }

  read(path: string): Promise<Result<Uint8Array, DiskError>> {
    return attempt(path, () => readFile(this.#at(path)));
  }

  async list(path: string): Promise<Result<readonly string[], DiskError>> {
    const listed = await attempt(path, () => readdir(this.#at(path), { withFileTypes: true }));
    if (!listed.ok) return listed.error.kind === "not_found" ? ok([]) : listed;
    const names = listed.value
      .filter(({ name }) => !name.endsWith(asideSuffix))
      .map((entry) => (entry.isDirectory() ? `${entry.name}/` : entry.name));
    return ok(names.sort());
  }

  replace(path: string, bytes: Uint8Array): Promise<Result<void, DiskError>> {
    return attempt(path, async () => {
      const target = this.#at(path);
      await this.#makeFolder(dirname(target));
      const aside = target + asideSuffix;
      // What a crash left aside was never the file.
      await rm(aside, { force: true });
      const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL;
      const handle = await open(aside, flags, 0o600);
      try {
        await handle.writeFile(bytes);
        await handle.sync();
      } finally {
        await handle.close();
      }
      // The new content is durable under the other name: a crash now leaves the old file.
      await rename(aside, target);
      // The name may still be the old one after a crash, until the folder is durable.
      await syncFolder(dirname(target));
    });
  }

  openAppend(path: string, keepBytes?: number): Promise<Result<AppendFile, DiskError>> {
    return attempt(path, async () => {
      const target = this.#at(path);
      await this.#makeFolder(dirname(target));
      const handle = await open(target, appendFlags, 0o600);
      try {
        const { size } = await handle.stat();
        assert(
          keepBytes === undefined || keepBytes <= size,
          `${path} has ${keepBytes} bytes to keep`,
        );
        if (keepBytes !== undefined && keepBytes < size) await handle.truncate(keepBytes);
        // The cut is durable before anything is appended where the old bytes were.
        await handle.sync();
        await syncFolder(dirname(target));
        return new FolderAppendFile(path, handle, keepBytes ?? size);
      } catch (error) {
        await handle.close();
        throw error;
      }
    });
  }

  remove(path: string): Promise<Result<void, DiskError>> {
    return attempt(path, () => rm(this.#at(path)));
  }

  async lock(path: string): Promise<Result<{ release(): Promise<void> }, DiskError>> {
    const made = await attempt(path, () => this.#makeFolder(dirname(this.#at(path))));
    return made.ok ? lockFile(this.#at(path), path) : made;
  }

  #at(path: string): string {
    const steps = path.split("/");
    assert(
      !path.startsWith("/") && !steps.includes("..") && !path.includes("\0"),
      `${JSON.stringify(path)} is a relative path without ..`,
    );
    return join(this.#root, path);
  }

  /** Makes the folder and those above it, and their names durable, before any file inside. */
  async #makeFolder(folder: string): Promise<void> {
    if (this.#folders.has(folder)) return;
    const firstMade = await mkdir(folder, { recursive: true, mode: 0o700 });
    if (firstMade !== undefined)
      for (let at = folder; at.length >= firstMade.length; at = dirname(at))
        await syncFolder(dirname(at));
    this.#folders.add(folder);
  }
}

/**
 * On Linux each append is written through: a write on an O_DSYNC file is a write and an fdatasync (open(2)), for one trip
 * to another thread instead of two. Elsewhere (macOS) the flag promises less than fdatasync, so that stays a call of its own.
 */
const writesThrough = process.platform === "linux";
const appendFlags =
  constants.O_WRONLY |
  constants.O_CREAT |
  constants.O_APPEND |
  (writesThrough ? constants.O_DSYNC : 0);

class FolderAppendFile implements AppendFile {
  readonly #path: string;
  readonly #handle: FileHandle;
  #sizeBytes: number;

  constructor(path: string, handle: FileHandle, sizeBytes: number) {
    this.#path = path;
    this.#handle = handle;
    this.#sizeBytes = sizeBytes;
  }

  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  append(bytes: Uint8Array): Promise<Result<void, DiskError>> {
    return attempt(this.#path, async () => {
      // A short write is followed by the rest; on a full disk the rest fails, and the record is torn.
      for (let at = 0; at < bytes.length; ) {
        const { bytesWritten } = await this.#handle.write(bytes, at, bytes.length - at);
        this.#sizeBytes += bytesWritten;
        at += bytesWritten;
      }
    });
  }

  async sync(): Promise<Result<void, DiskError>> {
    // Every append that resolved is durable already; one that did not has ended the log.
    if (writesThrough) return ok(undefined);
    return attempt(this.#path, () => this.#handle.datasync());
  }

  async close(): Promise<void> {
    await this.#handle.close();
  }
}

/** A rename or a new name survives a crash only once its folder is synced. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

const kindOf: Readonly<Record<string, DiskError["kind"]>> = {
  ENOENT: "not_found",
  EEXIST: "exists",
};

async function attempt<T>(path: string, work: () => Promise<T>): Promise<Result<T, DiskError>> {
  try {
    return ok(await work());
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : undefined;
    if (code === undefined) throw error;
    return err({ kind: kindOf[code] ?? "failed", code, path });
  }
}
