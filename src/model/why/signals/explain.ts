/** Trouble that a callee has explains the same trouble of its caller: only what is left speaks against the caller. */
import type { NodeId } from "../../graph-words.ts";
import type { Anomaly, Aspect } from "./anomaly.ts";
import { type Callees, reachableFrom } from "./calls.ts";

export interface Explained {
  readonly node: NodeId;
  /** Nats that no callee explains. */
  readonly strength: number;
  readonly inherited: number;
  /** The callee that explains the most. */
  readonly by: NodeId | null;
  /** Strongest first. */
  readonly anomalies: readonly Anomaly[];
}

/** Which trouble of a callee explains which of its caller: who waits too long fails. A load is always one's own. */
const explains: Readonly<Record<Aspect, readonly Aspect[]>> = {
  slow: ["slow"],
  failing: ["failing", "slow"],
  load: [],
};

/** One kind of trouble of one node. */
interface Trouble {
  readonly nats: number;
  /** How much worse in all, where it was measured on whole calls: time or failures a second. */
  readonly excess: number | null;
  /** How many calls failed beyond what is usual, by what told the most of them. */
  readonly failed: number;
}

type Troubles = ReadonlyMap<NodeId, ReadonlyMap<Aspect, Trouble>>;

/** All nodes with trouble, the least explained first. */
export function explainAway(anomalies: readonly Anomaly[], callees: Callees): Explained[] {
  const byNode = new Map<NodeId, Anomaly[]>();
  for (const anomaly of anomalies)
    byNode.set(anomaly.node, [...(byNode.get(anomaly.node) ?? []), anomaly]);
  const troubles = new Map([...byNode].map(([node, own]) => [node, troublesOf(own)]));
  return [...byNode]
    .map(([node, own]) => explainedOf(node, own, callees, troubles))
    .sort((a, b) => b.strength - a.strength || (a.node < b.node ? -1 : 1));
}

/** About as sure: one failure shows in many ways where it is handled, and in few where it comes from. */
const likeNats = 0.7;
/** Below this, one of many small changes that there always are. */
const leastNats = 1;

/** By aspect, the strongest, and what is strong besides it: what was seen adds up, its logarithm less. */
function troublesOf(anomalies: readonly Anomaly[]): Map<Aspect, Trouble> {
  const byAspect = new Map<Aspect, Anomaly[]>();
  for (const anomaly of anomalies)
    byAspect.set(anomaly.aspect, [...(byAspect.get(anomaly.aspect) ?? []), anomaly]);
  return new Map(
    [...byAspect].map(([aspect, same]) => {
      const excess = Math.max(0, ...same.map((each) => each.excess ?? 0));
      const nats = addUp(same.map(({ strength }) => strength));
      const failed = Math.max(0, ...same.map((each) => each.failed ?? 0));
      return [aspect, { nats, excess: excess > 0 ? excess : null, failed }];
    }),
  );
}

function addUp(strengths: readonly number[]): number {
  const [top = 0, ...rest] = strengths.toSorted((a, b) => b - a);
  return sumOf([top, ...rest.filter((each) => each >= leastNats)]);
}

function sumOf(strengths: readonly number[]): number {
  return Math.log1p(strengths.reduce((sum, each) => sum + Math.expm1(each), 0));
}

function explainedOf(
  node: NodeId,
  anomalies: readonly Anomaly[],
  callees: Callees,
  troubles: Troubles,
): Explained {
  const below = [...reachableFrom(callees, node)].filter((each) => each !== node).sort();
  const [left, inherited]: [number[], number[]] = [[], []];
  let by: { node: NodeId; seen: number } | null = null;
  for (const [aspect, trouble] of troubles.get(node) ?? []) {
    const all = Math.expm1(trouble.nats);
    const top = mostExplaining(aspect, trouble, below, troubles);
    left.push(Math.log1p(all - top.seen));
    inherited.push(Math.log1p(top.seen));
    if (top.node !== null && top.seen > (by?.seen ?? 0)) by = { node: top.node, seen: top.seen };
  }
  return {
    node,
    strength: sumOf(left),
    inherited: sumOf(inherited),
    by: by?.node ?? null,
    anomalies: anomalies.toSorted((a, b) => b.strength - a.strength || (a.says < b.says ? -1 : 1)),
  };
}

/** The callee, direct or further down, that explains the most of a trouble, and how much of what was seen. */
function mostExplaining(
  aspect: Aspect,
  trouble: Trouble,
  below: readonly NodeId[],
  troubles: Troubles,
): { node: NodeId | null; seen: number } {
  let top: { node: NodeId | null; seen: number } = { node: null, seen: 0 };
  for (const node of below)
    for (const [cause, other] of troubles.get(node) ?? []) {
      if (!explains[aspect].includes(cause)) continue;
      const seen = Math.expm1(trouble.nats) * shareOf(trouble, other, aspect === cause);
      if (seen > top.seen) top = { node, seen };
    }
  return top;
}

/**
 * The share of a caller's trouble that a callee's explains. Where both were measured on whole calls, excess adds up along
 * them: a callee with half of it explains half, and none of another kind of trouble. Otherwise as much as was seen of it, or
 * as many calls as failed.
 */
function shareOf(trouble: Trouble, other: Trouble, isSame: boolean): number {
  if (trouble.excess !== null && other.excess !== null)
    return isSame ? Math.min(1, other.excess / trouble.excess) : 0;
  const seen = Math.min(1, Math.expm1(other.nats) / Math.expm1(trouble.nats));
  const isSure = other.nats >= likeNats * trouble.nats;
  return isSame && isSure && trouble.failed > 0
    ? Math.max(seen, Math.min(1, other.failed / trouble.failed))
    : seen;
}
