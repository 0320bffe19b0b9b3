/** The tree against a plain recursive reading of RFC 6962, and proofs that were changed. */
import { createHash } from "node:crypto";
import fc from "fast-check";
import { expect, test } from "vitest";
import {
  consistencyProof,
  emptyRoot,
  HashTree,
  inclusionProof,
  leafHash,
  nodeHash,
  tilesOf,
  verifyConsistency,
  verifyInclusion,
} from "../../../src/audit/index.ts";

const sha = (...parts: Uint8Array[]): Uint8Array => {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part);
  return hash.digest();
};
const leaf = (i: number): Uint8Array => Buffer.from(`leaf ${i}`);

/** RFC 6962, section 2.1, as written. */
function mth(entries: readonly Uint8Array[]): Uint8Array {
  const [only] = entries;
  if (only === undefined) return sha();
  if (entries.length === 1) return sha(Uint8Array.of(0), only);
  let k = 1;
  while (k * 2 < entries.length) k *= 2;
  return sha(Uint8Array.of(1), mth(entries.slice(0, k)), mth(entries.slice(k)));
}

/** RFC 6962, section 2.1.1. */
function path(m: number, entries: readonly Uint8Array[]): Uint8Array[] {
  if (entries.length <= 1) return [];
  let k = 1;
  while (k * 2 < entries.length) k *= 2;
  const [left, right] = [entries.slice(0, k), entries.slice(k)];
  return m < k ? [...path(m, left), mth(right)] : [...path(m - k, right), mth(left)];
}

/** RFC 6962, section 2.1.2. */
function subproof(m: number, entries: readonly Uint8Array[], whole: boolean): Uint8Array[] {
  if (m === entries.length) return whole ? [] : [mth(entries)];
  let k = 1;
  while (k * 2 < entries.length) k *= 2;
  const [left, right] = [entries.slice(0, k), entries.slice(k)];
  return m <= k
    ? [...subproof(m, left, whole), mth(right)]
    : [...subproof(m - k, right, false), mth(left)];
}

const leaves = Array.from({ length: 70 }, (_, i) => leaf(i));
const tree = new HashTree();
for (const each of leaves) tree.append(leafHash(each));
const hex = (hashes: readonly Uint8Array[]): string[] =>
  hashes.map((hash) => Buffer.from(hash).toString("hex"));

test("known hashes: the empty tree, one empty leaf, two of them", () => {
  const zero = leafHash(new Uint8Array(0));
  expect(hex([emptyRoot, zero, nodeHash(zero, zero)])).toEqual([
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    hex([sha(Uint8Array.of(1), zero, zero)])[0],
  ]);
});

test("roots and proofs of every size and index up to 70 are those of the recursive reading", () => {
  for (let size = 1; size <= leaves.length; size++) {
    const entries = leaves.slice(0, size);
    expect(hex([tree.root(size)])).toEqual(hex([mth(entries)]));
    for (let m = 0; m < size; m++) {
      expect(hex(inclusionProof(m, size, tree.node))).toEqual(hex(path(m, entries)));
      if (m > 0)
        expect(hex(consistencyProof(m, size, tree.node))).toEqual(hex(subproof(m, entries, true)));
    }
  }
});

const pairs = fc
  .integer({ min: 1, max: 70 })
  .chain((size) => fc.tuple(fc.constant(size), fc.integer({ min: 0, max: size - 1 })));

test("a proof verifies, and no changed one does", () => {
  fc.assert(
    fc.property(pairs, fc.nat(), fc.nat(255), ([size, index], where, bit) => {
      const root = tree.root(size);
      const proof = inclusionProof(index, size, tree.node);
      const claim = { index, size, leaf: leafHash(leaf(index)), root, proof };
      expect(verifyInclusion(claim)).toBe(true);
      expect(verifyInclusion({ ...claim, leaf: leafHash(leaf(index + 1)) })).toBe(false);
      expect(verifyInclusion({ ...claim, proof: [...proof, root] })).toBe(false);
      expect(verifyInclusion({ ...claim, proof: proof.slice(1) })).toBe(proof.length === 0);
      for (const wrong of [-1, 0.5, Number.NaN, size, 2 ** 53])
        expect(verifyInclusion({ ...claim, index: wrong })).toBe(false);
      if (proof.length === 0) return;
      expect(verifyInclusion({ ...claim, proof: flipped(proof, where, bit) })).toBe(false);
    }),
  );
});

test("a consistency proof verifies, and no changed one does", () => {
  fc.assert(
    fc.property(pairs, fc.nat(), fc.nat(255), ([second, at], where, bit) => {
      const first = at + 1;
      const proof = consistencyProof(first, second, tree.node);
      const [firstRoot, secondRoot] = [tree.root(first), tree.root(second)];
      const claim = { first, second, firstRoot, secondRoot, proof };
      expect(verifyConsistency(claim)).toBe(true);
      expect(verifyConsistency({ ...claim, proof: [...proof, firstRoot] })).toBe(false);
      expect(verifyConsistency({ ...claim, firstRoot: leafHash(leaf(99)) })).toBe(false);
      expect(verifyConsistency({ ...claim, secondRoot: leafHash(leaf(99)) })).toBe(false);
      for (const wrong of [-1, 0, 0.5, second + 1])
        expect(verifyConsistency({ ...claim, first: wrong })).toBe(false);
      if (proof.length === 0) return;
      expect(verifyConsistency({ ...claim, proof: flipped(proof, where, bit) })).toBe(false);
      expect(verifyConsistency({ ...claim, proof: proof.slice(0, -1) })).toBe(false);
    }),
  );
});

test("a tree that forgot, and one restored from tiles, prove what is left and grow alike", () => {
  const large = new HashTree();
  const whole = new HashTree();
  for (let i = 0; i < 140_000; i++) {
    const hash = leafHash(leaf(i));
    large.append(hash);
    whole.append(hash);
    if (i % 5_000 === 0) large.forgetBefore(Math.max(0, i - 300));
  }
  const size = large.size;
  const restored = HashTree.restore(size, (level, index, width) => whole.tile(level, index, width));
  for (const index of [size - 1, size - 200])
    expect(inclusionProof(index, size, large.node)).toEqual(
      inclusionProof(index, size, whole.node),
    );
  for (let i = 0; i < 700; i++)
    for (const each of [large, whole, restored]) each.append(leafHash(leaf(i)));
  expect(hex([large.root(), restored.root()])).toEqual(hex([whole.root(), whole.root()]));
});

test("the tiles of a tree of 70,000 and of 256 are those of the specification's example", () => {
  const shape = (size: number): string[] =>
    [0, 1, 2].map((level) => {
      const tiles = tilesOf(level, size);
      const full = tiles.filter(({ width }) => width === 256).length;
      return `${full} full, ${tiles.at(-1)?.width ?? 0} wide at the end`;
    });
  expect(shape(70_000)).toEqual([
    "273 full, 112 wide at the end",
    "1 full, 17 wide at the end",
    "0 full, 1 wide at the end",
  ]);
  expect(shape(256)).toEqual([
    "1 full, 256 wide at the end",
    "0 full, 1 wide at the end",
    "0 full, 0 wide at the end",
  ]);
});

function flipped(proof: readonly Uint8Array[], where: number, bit: number): Uint8Array[] {
  const at = where % proof.length;
  return proof.map((hash, i) => {
    const copy = Uint8Array.from(hash);
    if (i === at) copy[bit >> 3] = (copy[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    return copy;
  });
}
