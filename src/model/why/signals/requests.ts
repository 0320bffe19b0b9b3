/** How many requests there were, where that is measured: what trouble amounts to, and how sure a share of them is. */
import type { Series } from "../../event.ts";
import type { NodeId } from "../../graph-words.ts";
import { type Deviation, stepOf } from "./series.ts";
import { median, rateChangeNats } from "./statistics.ts";

interface Requests {
  /** A second, by the moment of measuring. */
  readonly rates: ReadonlyMap<number, number>;
  /** Of late. */
  readonly rate: number;
}

export type RequestsByNode = ReadonlyMap<NodeId, Requests>;

export function requestsOf(series: readonly Series[], cutAt: number): RequestsByNode {
  return new Map(
    series
      .filter(({ signal }) => signal === "requests")
      .map(({ node, points }) => [
        node,
        {
          rates: new Map(points),
          rate: median(points.flatMap(([at, value]) => (at >= cutAt ? value : []))),
        },
      ]),
  );
}

/** Time or failures a second more than usual, when that was most; undefined where requests are not counted. */
export function excessOf(
  { series, now, usual, peakAt }: Deviation,
  requests: RequestsByNode,
): number | undefined {
  const known = requests.get(series.node);
  const excess = Math.abs(now - usual) * (known?.rates.get(peakAt) ?? known?.rate ?? 0);
  return excess > 0 ? excess : undefined;
}

/**
 * Of a share of requests: nats by which so many bad ones of so few are likelier at another share than that of the past.
 * One of two that failed is half of them, and says little. Undefined for what is no share, or where requests are not counted.
 */
export function countedNats(
  { series, onsetAt }: Deviation,
  requests: RequestsByNode,
  cutAt: number,
): number | undefined {
  const isGood = series.signal === "availability";
  const rates = requests.get(series.node)?.rates;
  if (rates === undefined || (!isGood && series.signal !== "errors")) return undefined;
  const seconds = stepOf(series) / 1000;

  const counts = { bad: 0, all: 0, pastBad: 0, pastAll: 0 };
  for (const [at, value] of series.points) {
    const count = (rates.get(at) ?? 0) * seconds;
    const failed = count * (isGood ? 1 - value : value);
    if (at < cutAt) {
      counts.pastBad += failed;
      counts.pastAll += count;
    } else if (at >= onsetAt) {
      counts.bad += failed;
      counts.all += count;
    }
  }
  if (counts.all === 0 || counts.pastAll === 0) return undefined;
  return rateChangeNats(counts.bad, counts.all, counts.pastBad, counts.pastAll);
}
