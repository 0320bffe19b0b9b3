/** How many files and sockets this process may have open (RLIMIT_NOFILE). */
import { readFileSync } from "node:fs";

/** Undefined where the system does not say (it is read from Linux's `/proc`). Node raises the soft limit to the hard one. */
export function openFilesMax(): number | undefined {
  try {
    const found = /^Max open files\s+(\d+)/m.exec(readFileSync("/proc/self/limits", "utf8"));
    return found?.[1] === undefined ? undefined : Number(found[1]);
  } catch {
    return undefined;
  }
}

/**
 * Connections to accept so that the log and the upstreams never find the process without a file: at most two fifths of
 * what may be open, because a request that is answered may hold a second socket to its upstream.
 */
export function connectionsWithin(wanted: number, filesMax: number | undefined): number {
  return filesMax === undefined
    ? wanted
    : Math.max(1, Math.min(wanted, Math.floor(filesMax * 0.4)));
}
