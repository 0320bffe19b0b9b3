/**
 * Publishing: the tiles, bundles and checkpoint that foreign tools read. Everything here is derived from the journal,
 * and the same tree always gives the same files, so that after a crash it is simply done again.
 */
import {
  checkpointPath,
  encodeBundle,
  type HashTree,
  tilePath,
  tilesOf,
  tileWidth,
} from "../audit/index.ts";
import { ok, type Result } from "../kernel/index.ts";
import type { Disk, DiskError } from "../ports.ts";

export interface Publication {
  readonly tree: HashTree;
  /** Size of the published checkpoint so far. */
  readonly from: number;
  /** Size of `checkpoint`, which is durable in the journal. */
  readonly to: number;
  readonly checkpoint: string;
  /** The entries `[first, end)`; asked only from the start of the bundle that holds `from`. */
  entries(first: number, end: number): readonly Uint8Array[];
}

/**
 * Each file is replaced whole and durable before the next. A crash before the checkpoint leaves tiles that no
 * checkpoint names; a crash after it leaves partial tiles that nobody needs. Both are harmless.
 */
export async function publish(
  disk: Disk,
  publication: Publication,
): Promise<Result<void, DiskError>> {
  for (const file of files(publication)) {
    const written = await disk.replace(file.path, file.bytes());
    if (!written.ok) return written;
  }
  // Every tile that the new checkpoint needs is durable; only now does it become the published one.
  const named = await disk.replace(checkpointPath, Buffer.from(publication.checkpoint));
  if (!named.ok) return named;
  // The old checkpoint is gone, so nothing needs the partial forms of tiles that are full now.
  await removeOutgrown(disk, publication);
  return ok(undefined);
}

interface TileFile {
  readonly path: string;
  bytes(): Uint8Array;
}

function* files({ tree, from, to, entries }: Publication): Generator<TileFile> {
  for (const tile of tilesOf("entries", to, Math.floor(from / tileWidth))) {
    const first = tile.index * tileWidth;
    const bytes = (): Uint8Array => encodeBundle(entries(first, first + tile.width));
    yield { path: tilePath(tile), bytes };
  }
  for (let level = 0; to >= tileWidth ** level; level++) {
    const firstTile = Math.floor(from / tileWidth ** (level + 1));
    for (const tile of tilesOf(level, to, firstTile))
      yield { path: tilePath(tile), bytes: () => tree.tile(level, tile.index, tile.width) };
  }
}

/** A failure here costs space only, so it is not reported. */
async function removeOutgrown(disk: Disk, { from, to }: Publication): Promise<void> {
  for (let level = 0; to >= tileWidth ** (level + 1); level++) {
    const index = Math.floor(from / tileWidth ** (level + 1));
    const nowFull = Math.floor(to / tileWidth ** (level + 1)) > index;
    if (!nowFull) continue;
    const kinds = level === 0 ? [level, "entries" as const] : [level];
    for (const kind of kinds) {
      const folder = `${tilePath({ level: kind, index, width: tileWidth })}.p`;
      const names = await disk.list(folder);
      for (const name of names.ok ? names.value : []) await disk.remove(`${folder}/${name}`);
    }
  }
}
