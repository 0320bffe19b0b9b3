/** What agents may do at a site. */
import type { DegradedTier } from "../manifest/manifest.ts";

export type Tier = "full" | DegradedTier;

/** From the least to the most that is taken away. */
const order: readonly Tier[] = ["full", "escrow", "reads_only", "stop"];

/** The one that takes away more. */
export function stricter(a: Tier, b: Tier): Tier {
  return order.indexOf(a) >= order.indexOf(b) ? a : b;
}
