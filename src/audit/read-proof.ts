/** Proofs from the tiles of a log that is kept elsewhere: only those that the proof needs are read. */
import { err, ok, type Result } from "../kernel/index.ts";
import { type LogFiles, readTile } from "./log-files.ts";
import { type Tile, tilePath, tileWidth } from "./tile.ts";
import { consistencyProof, hashBytes, inclusionProof, type NodeAt, nodeHash } from "./tree.ts";

const tileHeight = 8;

/** From the leaf `index` to the root of the tree of `size`. Not verified: the tiles may say anything. */
export function readInclusionProof(
  files: LogFiles,
  index: number,
  size: number,
): Promise<Result<Uint8Array[], string>> {
  return proofFrom(files, size, (node) => inclusionProof(index, size, node));
}

/** That the tree of `first` is the beginning of the tree of `second`. Not verified. */
export function readConsistencyProof(
  files: LogFiles,
  first: number,
  second: number,
): Promise<Result<Uint8Array[], string>> {
  return proofFrom(files, second, (node) => consistencyProof(first, second, node));
}

async function proofFrom(
  files: LogFiles,
  size: number,
  proof: (node: NodeAt) => Uint8Array[],
): Promise<Result<Uint8Array[], string>> {
  // Asked once without answers, to learn which tiles it needs.
  const needed = new Map<string, Tile>();
  proof((level, index) => {
    const { tile } = placeOf(level, index, size);
    needed.set(tilePath(tile), tile);
    return new Uint8Array(hashBytes);
  });
  const tiles = new Map<string, Uint8Array>();
  for (const [path, tile] of needed) {
    const found = await readTile(files, tile);
    if (!found.ok) return err(`${path} cannot be read (${found.error.code})`);
    const { bytes, full } = found.value;
    if (bytes.length !== (full ? tileWidth : tile.width) * hashBytes)
      return err(`${path} does not have ${tile.width} hashes`);
    tiles.set(path, bytes);
  }
  return ok(
    proof((level, index) => {
      const { tile, from, count } = placeOf(level, index, size);
      const bytes = tiles.get(tilePath(tile)) ?? new Uint8Array(0);
      return rootOfHashes(bytes.subarray(from * hashBytes, (from + count) * hashBytes));
    }),
  );
}

/** The tile that holds the hashes below a node, and which of them. A node never lies across two tiles. */
function placeOf(
  level: number,
  index: number,
  size: number,
): { readonly tile: Tile; readonly from: number; readonly count: number } {
  const tileLevel = Math.floor(level / tileHeight);
  const count = 2 ** (level % tileHeight);
  const first = index * count;
  const tileIndex = Math.floor(first / tileWidth);
  const hashes = Math.floor(size / tileWidth ** tileLevel);
  const width = Math.min(tileWidth, hashes - tileIndex * tileWidth);
  return { tile: { level: tileLevel, index: tileIndex, width }, from: first % tileWidth, count };
}

/** The root over a power of two of hashes. */
function rootOfHashes(hashes: Uint8Array): Uint8Array {
  if (hashes.length === hashBytes) return hashes;
  const middle = hashes.length / 2;
  return nodeHash(rootOfHashes(hashes.subarray(0, middle)), rootOfHashes(hashes.subarray(middle)));
}
