/**
 * The Merkle tree of RFC 6962, section 2.1, with SHA-256: hashes, roots, proofs, and their verification (the algorithms
 * of RFC 9162, sections 2.1.3.2 and 2.1.4.2). Sizes are safe integers, so no bit operators, which would cut at 32 bits.
 */
import { assert, sha256 } from "../kernel/index.ts";

export const hashBytes = 32;

/** The hash of the complete subtree number `index` of 2^level leaves. */
export type NodeAt = (level: number, index: number) => Uint8Array;

export const emptyRoot: Uint8Array = sha256(new Uint8Array(0));

/** `SHA-256(0x00 || entry)`. */
export function leafHash(entry: Uint8Array): Uint8Array {
  const input = Buffer.allocUnsafe(1 + entry.length);
  input[0] = 0;
  input.set(entry, 1);
  return sha256(input);
}

/** `SHA-256(0x01 || left || right)`. */
export function nodeHash(left: Uint8Array, right: Uint8Array): Uint8Array {
  const input = Buffer.allocUnsafe(1 + 2 * hashBytes);
  input[0] = 1;
  input.set(left, 1);
  input.set(right, 1 + hashBytes);
  return sha256(input);
}

export function sameHash(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && Buffer.compare(a, b) === 0;
}

/** The root of the tree of the first `size` leaves. */
export function rootOf(size: number, node: NodeAt): Uint8Array {
  return size === 0 ? emptyRoot : rangeHash(0, size, node);
}

/** From the leaf's sibling up to the root's child. `index < size`. */
export function inclusionProof(index: number, size: number, node: NodeAt): Uint8Array[] {
  assert(index >= 0 && index < size, `index ${index} is inside a tree of ${size}`);
  const proof: Uint8Array[] = [];
  let [start, end] = [0, size];
  while (end - start > 1) {
    const middle = start + split(end - start);
    if (index < middle) {
      proof.push(rangeHash(middle, end, node));
      end = middle;
    } else {
      proof.push(rangeHash(start, middle, node));
      start = middle;
    }
  }
  return proof.reverse();
}

/** That the tree of `first` leaves is the beginning of the tree of `second`. `0 < first <= second`. */
export function consistencyProof(first: number, second: number, node: NodeAt): Uint8Array[] {
  assert(first > 0 && first <= second, `0 < ${first} <= ${second}`);
  const proof: Uint8Array[] = [];
  let [start, end] = [0, second];
  while (first < end) {
    const middle = start + split(end - start);
    if (first <= middle) {
      proof.push(rangeHash(middle, end, node));
      end = middle;
    } else {
      proof.push(rangeHash(start, middle, node));
      start = middle;
    }
  }
  if (start > 0) proof.push(rangeHash(start, end, node));
  return proof.reverse();
}

export interface InclusionClaim {
  readonly index: number;
  readonly size: number;
  readonly leaf: Uint8Array;
  readonly root: Uint8Array;
  readonly proof: readonly Uint8Array[];
}

/** Whether `leaf` is at `index` in the tree of `size` leaves with this root. Every field may be an attacker's. */
export function verifyInclusion({ index, size, leaf, root, proof }: InclusionClaim): boolean {
  if (!isCount(index) || !isCount(size) || index >= size) return false;
  if (!proof.every(isHash) || !isHash(leaf) || !isHash(root)) return false;
  const climb = new Climb(index, size - 1);
  let hashed = leaf;
  for (const sibling of proof) {
    if (climb.last === 0) return false;
    hashed = climb.siblingIsLeft() ? nodeHash(sibling, hashed) : nodeHash(hashed, sibling);
    climb.up();
  }
  return climb.last === 0 && sameHash(hashed, root);
}

export interface ConsistencyClaim {
  readonly first: number;
  readonly second: number;
  readonly firstRoot: Uint8Array;
  readonly secondRoot: Uint8Array;
  readonly proof: readonly Uint8Array[];
}

/** Whether the first tree is the beginning of the second. An empty first tree proves nothing and is refused. */
export function verifyConsistency(claim: ConsistencyClaim): boolean {
  const { first, second, firstRoot, secondRoot, proof } = claim;
  if (!isCount(first) || !isCount(second) || first === 0 || first > second) return false;
  if (!proof.every(isHash) || !isHash(firstRoot) || !isHash(secondRoot)) return false;
  if (first === second) return proof.length === 0 && sameHash(firstRoot, secondRoot);
  const climb = new Climb(first - 1, second - 1);
  climb.skipRight();
  // When the first tree is complete its root is the start of the path, and the proof leaves it out.
  const path = climb.index === 0 ? [firstRoot, ...proof] : proof;
  const [start, ...rest] = path;
  if (start === undefined) return false;
  let [inFirst, inSecond] = [start, start];
  for (const sibling of rest) {
    if (climb.last === 0) return false;
    if (climb.siblingIsLeft()) {
      inFirst = nodeHash(sibling, inFirst);
      inSecond = nodeHash(sibling, inSecond);
    } else inSecond = nodeHash(inSecond, sibling);
    climb.up();
  }
  return climb.last === 0 && sameHash(inFirst, firstRoot) && sameHash(inSecond, secondRoot);
}

/** A walk from a leaf to the root: `fn` and `sn` of RFC 9162. */
class Climb {
  index: number;
  last: number;
  constructor(index: number, last: number) {
    this.index = index;
    this.last = last;
  }
  siblingIsLeft(): boolean {
    return this.index % 2 === 1 || this.index === this.last;
  }
  up(): void {
    if (this.siblingIsLeft()) while (this.index % 2 === 0 && this.index !== 0) this.halve();
    this.halve();
  }
  skipRight(): void {
    while (this.index % 2 === 1) this.halve();
  }
  halve(): void {
    this.index = Math.floor(this.index / 2);
    this.last = Math.floor(this.last / 2);
  }
}

/** `MTH(D[start:end])` for a range that the tree cuts at, from complete subtrees. */
function rangeHash(start: number, end: number, node: NodeAt): Uint8Array {
  const count = end - start;
  const level = Math.round(Math.log2(count));
  if (2 ** level === count) return node(level, start / count);
  const middle = start + split(count);
  return nodeHash(rangeHash(start, middle, node), rangeHash(middle, end, node));
}

/** The largest power of two smaller than `count` (at least 2). */
function split(count: number): number {
  let power = 2 ** Math.floor(Math.log2(count));
  while (power >= count) power /= 2;
  while (power * 2 < count) power *= 2;
  return power;
}

function isCount(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}

function isHash(bytes: Uint8Array): boolean {
  return bytes.length === hashBytes;
}
