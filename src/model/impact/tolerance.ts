/**
 * What of the traffic that touches a target really feels a change of one kind, learned from outcomes: a restart behind a load
 * balancer is hardly felt, a wrong default by everybody. Without outcomes: all of it, because who does not know is careful.
 */
import type { ChangeKind } from "../event.ts";
import type { NodeId } from "../graph-words.ts";
import type { Prediction } from "./prediction.ts";
import type { Share } from "./share.ts";

/** The part of the touched traffic that feels it. */
export type Tolerance = (target: NodeId, change: ChangeKind) => Share;

/** As if so many outcomes had been seen in which all of it was felt. */
const prior = 1;
const everything: Share = { value: 1, low: 0, high: 1 };

/** Outcomes of the target itself, else of the same kind of change anywhere, else everything. */
export function toleranceOf(predictions: readonly Prediction[]): Tolerance {
  const seen = new Map<string, number[]>();
  for (const { target, change, touched, outcome } of predictions) {
    if (outcome === null || touched <= 0) continue;
    const part = Math.min(1, outcome.share / touched);
    for (const key of [keyOf(target, change), keyOf("", change)])
      seen.set(key, [...(seen.get(key) ?? []), part]);
  }
  return (target, change) => {
    const parts = seen.get(keyOf(target, change)) ?? seen.get(keyOf("", change));
    return parts === undefined ? everything : spread(parts);
  };
}

function keyOf(target: string, change: string): string {
  return JSON.stringify([target, change]);
}

/** The mean, drawn towards everything; from the least to the most that was seen, and everything while little was. */
function spread(parts: readonly number[]): Share {
  const sum = parts.reduce((all, part) => all + part, 0);
  const value = (sum + prior) / (parts.length + prior);
  const few = parts.length < 5;
  return {
    value,
    low: few ? 0 : Math.min(value, ...parts),
    high: few ? 1 : Math.max(value, ...parts),
  };
}
