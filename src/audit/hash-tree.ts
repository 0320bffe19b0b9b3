/** A growing tree that keeps only the hashes still needed: recent ones, and the left edge of every level. */
import { assert } from "../kernel/index.ts";
import { hashBytes, type NodeAt, nodeHash, rootOf } from "./tree.ts";

const tileWidth = 256;
const tileHeight = 8;

interface Level {
  /** Index of the first hash kept. */
  first: number;
  readonly hashes: Uint8Array[];
}

export class HashTree {
  readonly #levels: Level[] = [];
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** Adds one leaf hash; one more node hash on average. */
  append(leaf: Uint8Array): void {
    this.#put(0, this.#size, leaf);
    this.#size += 1;
    let index = this.#size - 1;
    for (let level = 0; index % 2 === 1; level++) {
      const parent = nodeHash(this.node(level, index - 1), this.node(level, index));
      index = (index - 1) / 2;
      this.#put(level + 1, index, parent);
    }
  }

  /** The complete subtree `index` of 2^level leaves. Throws when it is not complete or was forgotten. */
  readonly node: NodeAt = (level, index) => {
    const row = this.#levels[level];
    const found = row?.hashes[index - row.first];
    assert(found, `node ${index} of level ${level} is kept (size ${this.#size})`);
    return found;
  };

  /** The root at any size from the last forgotten index up to now. */
  root(size: number = this.#size): Uint8Array {
    return rootOf(size, this.node);
  }

  /** The hashes of one tlog tile, concatenated: `width` nodes of tile level `level` from tile `index`. */
  tile(level: number, index: number, width: number): Uint8Array {
    const bytes = new Uint8Array(width * hashBytes);
    for (let i = 0; i < width; i++)
      bytes.set(this.node(level * tileHeight, index * tileWidth + i), i * hashBytes);
    return bytes;
  }

  /**
   * Forgets what no proof of an entry from `index` on needs, and no tile that holds one. Rows are cut at whole tiles,
   * so the left siblings of every remaining path stay.
   */
  forgetBefore(index: number): void {
    this.#levels.forEach((row, level) => {
      const cut = Math.floor(index / 2 ** level / tileWidth) * tileWidth;
      if (cut <= row.first) return;
      row.hashes.splice(0, cut - row.first);
      row.first = cut;
    });
  }

  /** A tree of `size` leaves from its partial tiles: `tile(level, index, width)` gives their bytes. */
  static restore(
    size: number,
    tile: (level: number, index: number, width: number) => Uint8Array,
  ): HashTree {
    const tree = new HashTree();
    tree.#size = size;
    for (let level = 0, count = size; count > 0; level++, count = Math.floor(count / tileWidth)) {
      const width = count % tileWidth;
      const index = Math.floor(count / tileWidth);
      if (width > 0)
        tree.#restoreTile(level * tileHeight, index * tileWidth, split(tile(level, index, width)));
    }
    return tree;
  }

  #restoreTile(level: number, first: number, hashes: readonly Uint8Array[]): void {
    let [row, start, height] = [hashes, first, level];
    while (row.length > 0 && height < level + tileHeight) {
      row.forEach((hash, i) => {
        this.#put(height, start + i, hash);
      });
      row = pairs(row);
      start /= 2;
      height += 1;
    }
  }

  #put(level: number, index: number, hash: Uint8Array): void {
    const row = this.#levels[level] ?? { first: index, hashes: [] };
    this.#levels[level] = row;
    if (row.hashes.length === 0) row.first = index;
    assert(index === row.first + row.hashes.length, `level ${level} grows by one at ${index}`);
    row.hashes.push(hash);
  }
}

function pairs(row: readonly Uint8Array[]): Uint8Array[] {
  const parents: Uint8Array[] = [];
  for (let i = 0; i + 1 < row.length; i += 2) {
    const [left, right] = [row[i], row[i + 1]];
    assert(left && right, "a pair is two");
    parents.push(nodeHash(left, right));
  }
  return parents;
}

function split(bytes: Uint8Array): Uint8Array[] {
  const hashes: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; at += hashBytes) hashes.push(bytes.slice(at, at + hashBytes));
  return hashes;
}
