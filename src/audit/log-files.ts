/** Reading a log that lies in a folder in the layout of tlog-tiles, without trusting it. */
import { err, ok, type Result, sha256Hex } from "../kernel/index.ts";
import type { DigestEntry, Entry } from "./entry.ts";
import { blobPath, decodeEntry } from "./entry-codec.ts";
import { decodeBundle, type Tile, tilePath } from "./tile.ts";

/** The files of a log, by relative path. The `Disk` port is one. */
export interface LogFiles {
  read(path: string): Promise<Result<Uint8Array, FileError>>;
  /** Names in a folder, sorted; an absent folder is empty. */
  list(path: string): Promise<Result<readonly string[], FileError>>;
}

export interface FileError {
  readonly kind: string;
  readonly code: string;
  readonly path: string;
}

export const checkpointPath = "checkpoint";
/** The public key as a vkey, for convenience; trust comes from a copy kept elsewhere. */
export const vkeyPath = "log.vkey";

/** A tile, or what begins the full tile when the partial one is gone (the specification lets logs delete it). */
export async function readTile(
  files: LogFiles,
  tile: Tile,
): Promise<Result<{ readonly bytes: Uint8Array; readonly full: boolean }, FileError>> {
  const exact = await files.read(tilePath(tile));
  if (exact.ok) return ok({ bytes: exact.value, full: tile.width === 256 });
  if (exact.error.kind !== "not_found" || tile.width === 256) return exact;
  const full = await files.read(tilePath({ ...tile, width: 256 }));
  return full.ok ? ok({ bytes: full.value, full: true }) : exact;
}

/** The entries of one bundle, exactly `width` of them. The error is a sentence. */
export async function readBundle(
  files: LogFiles,
  index: number,
  width: number,
): Promise<Result<readonly Uint8Array[], string>> {
  const tile: Tile = { level: "entries", index, width };
  const found = await readTile(files, tile);
  if (!found.ok) return err(`${found.error.path} cannot be read (${found.error.code})`);
  const entries = decodeBundle(found.value.bytes);
  if (!entries.ok) return err(`${tilePath(tile)}: ${entries.error}`);
  return ok(found.value.full ? entries.value.slice(0, width) : entries.value);
}

/** The entry of a leaf: itself, or the one in `blobs/` that a stub stands for, its digest checked. */
export async function resolveEntry(
  files: LogFiles,
  leaf: Uint8Array,
): Promise<Result<Entry, string>> {
  const decoded = decodeEntry(leaf);
  if (!decoded.ok) return decoded;
  return decoded.value.kind === "digest" ? readBlob(files, decoded.value) : ok(decoded.value);
}

async function readBlob(files: LogFiles, stub: DigestEntry): Promise<Result<Entry, string>> {
  const path = blobPath(stub);
  if (path === undefined) return err("its digest is no SHA-256");
  const blob = await files.read(path);
  if (!blob.ok) return err(`its content ${path} cannot be read (${blob.error.code})`);
  if (`sha256:${sha256Hex(blob.value)}` !== stub.digest)
    return err(`its content ${path} does not have its digest`);
  const entry = decodeEntry(blob.value);
  if (!entry.ok) return entry;
  return entry.value.kind === "digest" ? err("its content is a stub again") : ok(entry.value);
}
