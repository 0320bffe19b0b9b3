/**
 * A lock that dies with its process. Node has no flock; the file is opened as an SQLite database and an exclusive
 * transaction is begun and never written to. That takes a POSIX advisory lock on the file itself, which the kernel drops
 * when the process ends however it ends, on Linux and macOS, and which also holds between containers that share the
 * volume (a socket name would not). SQLite adds what POSIX locks lack: exclusion within one process.
 */
import { DatabaseSync } from "node:sqlite";
import { err, ok, type Result } from "../../kernel/index.ts";
import type { DiskError } from "../../ports.ts";

const sqliteBusy = 5;

/** `file` is absolute; `path` is what errors name. */
export function lockFile(
  file: string,
  path: string,
): Result<{ release(): Promise<void> }, DiskError> {
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(file, { timeout: 0 });
    database.exec("BEGIN EXCLUSIVE");
  } catch (error) {
    database?.close();
    const busy = error instanceof Error && "errcode" in error && error.errcode === sqliteBusy;
    return err(
      busy ? { kind: "refused", code: "EBUSY", path } : { kind: "failed", code: "EIO", path },
    );
  }
  const held = database;
  return ok({
    release: async (): Promise<void> => {
      if (held.isOpen) held.close();
    },
  });
}
