/** When the trouble began that is asked about: people ask when they see it, which is later. */
import type { Case } from "../case.ts";
import { pastOf, quietZ, scoredSince, tellingOf } from "./series.ts";

/**
 * When what the question is about last left its past, within `lookbackMs`: people also ask when it is over. What is not
 * named, not measured, or within its noise may have begun at any time of it. A node without a signal is asked about as it is now.
 */
export function onsetOf({ view, symptom, settings }: Case): number {
  const { node, signal, at } = symptom;
  const cutAt = at - settings.lookbackMs;
  const about = tellingOf(view.of("series").filter((each) => each.node === node)).filter(
    (each) => each.signal === signal,
  );
  if (about.length === 0) return node !== undefined && signal === undefined ? at : cutAt;
  const began = about.map((series) => {
    const normal = pastOf(series, cutAt);
    if (normal === undefined) return at;
    const until = scoredSince(series, cutAt, normal).filter((each) => each.at <= at);
    const last = until.findLastIndex(({ z }) => z > quietZ);
    const calm = until.slice(0, Math.max(0, last)).findLastIndex(({ z }) => z <= quietZ);
    return last < 0 ? cutAt : (until[calm + 1]?.at ?? at);
  });
  return Math.min(at, ...began);
}
