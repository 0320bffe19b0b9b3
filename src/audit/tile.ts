/** Paths and encodings of `c2sp.org/tlog-tiles`: hash tiles of 256, entry bundles, and their partial forms. */
import { assert, err, ok, type Result } from "../kernel/index.ts";

export const tileWidth = 256;
/** The length prefix of a bundle is a uint16. */
export const entryBytesMax = 65_535;

/** One tile of a level; `width` 256 when full. */
export interface Tile {
  /** 0 holds leaf hashes; `entries` the entries themselves. */
  readonly level: number | "entries";
  readonly index: number;
  readonly width: number;
}

/** `tile/0/x001/x234/067`, with `.p/17` when partial. */
export function tilePath({ level, index, width }: Tile): string {
  assert(width >= 1 && width <= tileWidth, `a tile is 1 to 256 wide, not ${width}`);
  const digits = String(index);
  const padded = digits.padStart(Math.ceil(digits.length / 3) * 3, "0");
  const groups = padded.match(/\d{3}/g) ?? [];
  const name = groups.map((group, i) => (i < groups.length - 1 ? `x${group}` : group)).join("/");
  return `tile/${level}/${name}${width < tileWidth ? `.p/${width}` : ""}`;
}

/** Every tile of one level that a tree of `size` has from tile `from` on, the partial one last. */
export function tilesOf(level: number | "entries", size: number, from = 0): Tile[] {
  const count = Math.floor(size / tileWidth ** (level === "entries" ? 0 : level));
  const tiles: Tile[] = [];
  for (let index = from; index * tileWidth < count; index++)
    tiles.push({ level, index, width: Math.min(tileWidth, count - index * tileWidth) });
  return tiles;
}

/** Each entry after its length, big-endian uint16. */
export function encodeBundle(entries: readonly Uint8Array[]): Uint8Array {
  const bytes = Buffer.allocUnsafe(entries.reduce((sum, entry) => sum + 2 + entry.length, 0));
  let at = 0;
  for (const entry of entries) {
    assert(entry.length <= entryBytesMax, `an entry has at most ${entryBytesMax} bytes`);
    at = bytes.writeUInt16BE(entry.length, at);
    bytes.set(entry, at);
    at += entry.length;
  }
  return bytes;
}

/** The inverse. An error names the byte where a length runs past the end. */
export function decodeBundle(bytes: Uint8Array): Result<Uint8Array[], string> {
  const entries: Uint8Array[] = [];
  let at = 0;
  while (at < bytes.length) {
    const [high, low] = [bytes[at], bytes[at + 1]];
    if (high === undefined || low === undefined) return err(`cut inside a length at byte ${at}`);
    const end = at + 2 + high * 256 + low;
    if (end > bytes.length) return err(`entry ${entries.length} runs past the end at byte ${at}`);
    entries.push(bytes.subarray(at + 2, end));
    at = end;
  }
  return ok(entries);
}
