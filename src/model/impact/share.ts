/** Parts of something, with how sure they are. */

/** 0 ≤ low ≤ value ≤ high ≤ 1. */
export interface Share {
  readonly value: number;
  readonly low: number;
  readonly high: number;
}

/** Of a normal distribution, for 95 of 100. */
const z = 1.96;

/**
 * A part that was counted, with Wilson's interval for 95 % (E. B. Wilson, 1927): it stays within 0 and 1 and is wide for few
 * counts, where the simple one is too narrow. `hits` may be a fraction. Throws nothing; of nothing the part is 0 to 1.
 */
export function proportion(hits: number, of: number): Share {
  if (of <= 0) return { value: 0, low: 0, high: 1 };
  const value = Math.min(1, Math.max(0, hits / of));
  const centre = (value + (z * z) / (2 * of)) / (1 + (z * z) / of);
  const half =
    (z * Math.sqrt((value * (1 - value)) / of + (z * z) / (4 * of * of))) / (1 + (z * z) / of);
  return {
    value,
    low: Math.min(value, Math.max(0, centre - half)),
    high: Math.max(value, Math.min(1, centre + half)),
  };
}
