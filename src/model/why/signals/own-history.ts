/** How rare it is in a series' own past to be as it is now: what it does every other day is no symptom. */
import type { Series } from "../../event.ts";
import { lastingOf, pastOf, type Span, scoredSince, stepOf } from "./series.ts";

/** With fewer stretches of the past, what is as rare as that cannot be told. */
const leastStretches = 100;

/**
 * The share of stretches of the past, as long as what is known since `cutAt`, in which it was as far from its usual for as
 * long; undefined when the past is too short, or without time.
 */
export function rarityOf(
  series: Series,
  { cutAt, onsetAt, alignToOnset }: Span,
): number | undefined {
  const normal = pastOf(series, cutAt);
  if (normal === undefined || !alignToOnset) return undefined;
  const scored = scoredSince(series, Number.NEGATIVE_INFINITY, normal);
  const [past, now] = [
    scored.filter(({ at }) => at < cutAt),
    scored.filter(({ at }) => at >= cutAt),
  ];
  const standing = now.filter(({ at }) => at <= onsetAt - stepOf(series)).length;
  const stretches = past.length - now.length + 1;
  if (stretches < leastStretches || now.length === 0) return undefined;
  const lasting = lastingOf(
    now.map(({ z }) => z),
    standing,
  );
  const deviations = past.map(({ z }) => z);
  const alike = Array.from({ length: stretches }, (_, from) =>
    lastingOf(deviations.slice(from, from + now.length), standing),
  ).filter((each) => each >= lasting);
  return (alike.length + 1) / (stretches + 1);
}
