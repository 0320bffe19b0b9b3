/** Reading, with a memory for the first thing the disk would not give. */
import { err, type Result } from "../kernel/index.ts";
import type { Disk, DiskError } from "../ports.ts";

export type Reads = Pick<Disk, "read" | "list">;

export interface WatchedReads extends Reads {
  /** The first failure that is not simply an absent file. */
  readonly unreadable: DiskError | undefined;
}

export function watchedReads(disk: Reads): WatchedReads {
  const seen: { unreadable: DiskError | undefined } = { unreadable: undefined };
  const noted = <T>(result: Result<T, DiskError>): Result<T, DiskError> => {
    if (result.ok) return result;
    if (result.error.kind !== "not_found") seen.unreadable ??= result.error;
    return err(result.error);
  };
  return {
    read: async (path) => noted(await disk.read(path)),
    list: async (path) => noted(await disk.list(path)),
    get unreadable() {
      return seen.unreadable;
    },
  };
}
