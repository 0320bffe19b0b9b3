/** Structure × exercised traffic × learned tolerance: the predicted blast radius of one change. */
import type { ChangeKind } from "../event.ts";
import type { View } from "../graph/index.ts";
import type { NodeId } from "../graph-words.ts";
import type { Exercised } from "./exercised.ts";
import { type Exposure, exposure } from "./exposure.ts";
import type { Share } from "./share.ts";
import type { Tolerance } from "./tolerance.ts";

export interface BlastRadius extends Exposure {
  readonly change: ChangeKind;
  /** Of the traffic that touches it, what would feel the change. */
  readonly tolerance: Share;
  /** Part of all traffic that would feel it. */
  readonly felt: Share | null;
}

export function predict(
  view: View,
  { target, change }: { readonly target: NodeId; readonly change: ChangeKind },
  seen: Exercised,
  toleranceFor: Tolerance,
): BlastRadius {
  const exposed = exposure(view, target, seen);
  const tolerance = toleranceFor(target, change);
  return { ...exposed, change, tolerance, felt: times(exposed.share, tolerance) };
}

function times(share: Share | null, part: Share): Share | null {
  if (share === null) return null;
  return {
    value: share.value * part.value,
    low: share.low * part.low,
    high: share.high * part.high,
  };
}
