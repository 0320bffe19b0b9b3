/** How a bundle of entries differs from the leaf hashes it should have: the first place, and a guess at what was done. */
import { sameHash } from "./tree.ts";

export interface Difference {
  /** Position in the bundle. */
  readonly at: number;
  readonly what: string;
}

export function firstDifference(
  found: readonly Uint8Array[],
  expected: readonly Uint8Array[],
): Difference | undefined {
  const length = Math.max(found.length, expected.length);
  for (let at = 0; at < length; at++)
    if (!same(found[at], expected[at])) return { at, what: guess(found, expected, at) };
  return undefined;
}

function guess(found: readonly Uint8Array[], expected: readonly Uint8Array[], at: number): string {
  const here = found[at];
  if (here === undefined) return "is missing";
  const isCopy = expected.slice(0, at).some((hash) => sameHash(hash, here));
  if (at >= expected.length || same(found[at + 1], expected[at]))
    return isCopy ? "is a duplicate put in" : "was inserted";
  if (same(here, expected[at + 1])) {
    const swapped = same(found[at + 1], expected[at]);
    return swapped ? "was moved" : "was deleted, and the next stands in its place";
  }
  if (isCopy) return "was overwritten by a duplicate of an earlier one";
  return expected.some((hash) => sameHash(hash, here)) ? "was moved" : "was edited";
}

function same(a: Uint8Array | undefined, b: Uint8Array | undefined): boolean {
  return a !== undefined && b !== undefined && sameHash(a, b);
}
