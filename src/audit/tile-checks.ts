/** One tile or bundle of a log at a time, against what it must be. */
import { err, ok, type Result } from "../kernel/index.ts";
import { firstDifference } from "./difference.ts";
import { type Finding, finding } from "./finding.ts";
import type { HashTree } from "./hash-tree.ts";
import { type LogFiles, readBundle, readTile } from "./log-files.ts";
import { type Tile, tilePath, tileWidth } from "./tile.ts";
import { hashBytes, leafHash } from "./tree.ts";

export interface CheckedBundle {
  /** The leaf hashes to go on with: those of the tile, or of the entries when it is gone; absent when both are. */
  readonly leaves: readonly Uint8Array[] | undefined;
  /** Empty when they cannot be read. */
  readonly entries: readonly Uint8Array[];
  readonly findings: readonly Finding[];
}

/** Whether the entries of a bundle are the leaves of the tile over them. */
export async function checkBundle(files: LogFiles, tile: Tile): Promise<CheckedBundle> {
  const first = tile.index * tileWidth;
  const bundle = await readBundle(files, tile.index, tile.width);
  const leaves = await readLeaves(files, { ...tile, level: 0 });
  if (!bundle.ok) {
    const findings = [finding("missing_file", bundle.error, first)];
    return leaves.ok
      ? { leaves: leaves.value, entries: [], findings }
      : { leaves: undefined, entries: [], findings: [...findings, leaves.error] };
  }
  const entries = bundle.value;
  const hashes = entries.map(leafHash);
  if (!leaves.ok) {
    const isWhole = hashes.length === tile.width;
    return { leaves: isWhole ? hashes : undefined, entries, findings: [leaves.error] };
  }
  const difference = firstDifference(hashes, leaves.value);
  if (difference === undefined) return { leaves: hashes, entries, findings: [] };
  const index = first + difference.at;
  const message = `entry ${index} ${difference.what}`;
  const findings = [finding("entry_differs", message, index)];
  return { leaves: leaves.value, entries, findings };
}

async function readLeaves(files: LogFiles, tile: Tile): Promise<Result<Uint8Array[], Finding>> {
  const found = await readTile(files, tile);
  const first = tile.index * tileWidth;
  if (!found.ok)
    return err(finding("missing_file", `${tilePath(tile)}: ${found.error.code}`, first));
  const { bytes, full } = found.value;
  if (bytes.length !== (full ? tileWidth : tile.width) * hashBytes)
    return err(
      finding("tile_differs", `${tilePath(tile)} does not have ${tile.width} hashes`, first),
    );
  return ok(
    Array.from({ length: tile.width }, (_, i) => bytes.slice(i * hashBytes, (i + 1) * hashBytes)),
  );
}

/** The tiles above the leaves that a bundle just filled. */
export async function checkFullTiles(files: LogFiles, tree: HashTree): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (let level = 1; tree.size % tileWidth ** (level + 1) === 0; level++) {
    const index = tree.size / tileWidth ** (level + 1) - 1;
    findings.push(...(await checkTile(files, tree, level, { level, index, width: tileWidth })));
  }
  return findings;
}

/** The rightmost, partial tile of each level above the leaves. */
export async function checkPartialTiles(files: LogFiles, tree: HashTree): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (let level = 1; tree.size >= tileWidth ** level; level++) {
    const count = Math.floor(tree.size / tileWidth ** level);
    const [index, width] = [Math.floor(count / tileWidth), count % tileWidth];
    if (width > 0) findings.push(...(await checkTile(files, tree, level, { level, index, width })));
  }
  return findings;
}

async function checkTile(
  files: LogFiles,
  tree: HashTree,
  level: number,
  tile: Tile,
): Promise<Finding[]> {
  const found = await readTile(files, tile);
  const first = tile.index * tileWidth ** (level + 1);
  if (!found.ok) return [finding("missing_file", `${tilePath(tile)}: ${found.error.code}`, first)];
  const { bytes, full } = found.value;
  const expected = tree.tile(level, tile.index, tile.width);
  const length = (full ? tileWidth : tile.width) * hashBytes;
  const begins = Buffer.compare(bytes.subarray(0, expected.length), expected) === 0;
  return begins && bytes.length === length
    ? []
    : [finding("tile_differs", `${tilePath(tile)} is not made of its entries`, first)];
}
