/** When the trouble began that is asked about: people ask when they see it, which is later. */
import type { Case } from "../case.ts";
import { pastOf, quietZ, scoredSince, tellingOf } from "./series.ts";

/**
 * As long before the question as what it is about has left its past without a break, at most `lookbackMs`. What is named
 * and not measured may have begun at any time of it; where nothing is named, the moment of the question is all there is.
 */
export function onsetOf({ view, symptom, settings }: Case): number {
  const { node, signal, at } = symptom;
  const cutAt = at - settings.lookbackMs;
  const about = tellingOf(view.of("series").filter((each) => each.node === node)).filter(
    (each) => each.signal === signal,
  );
  if (node !== undefined && signal !== undefined && about.length === 0) return cutAt;
  const began = about.map((series) => {
    const normal = pastOf(series, cutAt);
    if (normal === undefined) return at;
    const until = scoredSince(series, cutAt, normal).filter((each) => each.at <= at);
    const calm = until.findLastIndex(({ z }) => z <= quietZ);
    return until[calm + 1]?.at ?? at;
  });
  return Math.min(at, ...began);
}
