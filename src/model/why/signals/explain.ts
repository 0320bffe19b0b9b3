/** Trouble that a callee has explains the same trouble of its caller: only what is left speaks against the caller. */
import type { NodeId } from "../../graph-words.ts";
import type { Anomaly, Aspect } from "./anomaly.ts";
import type { Callees } from "./calls.ts";

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

/** All nodes with trouble, the least explained first. */
export function explainAway(anomalies: readonly Anomaly[], callees: Callees): Explained[] {
  const byNode = new Map<NodeId, Anomaly[]>();
  for (const anomaly of anomalies)
    byNode.set(anomaly.node, [...(byNode.get(anomaly.node) ?? []), anomaly]);
  const strengths = new Map([...byNode].map(([node, own]) => [node, strengthsOf(own)]));
  return [...byNode]
    .map(([node, own]) => explainedOf(node, own, callees, strengths))
    .sort((a, b) => b.strength - a.strength || (a.node < b.node ? -1 : 1));
}

type Strengths = ReadonlyMap<NodeId, ReadonlyMap<Aspect, number>>;

/** Below this, one of many small changes that there always are. */
const leastNats = 1;

/** By aspect, the strongest, and what is strong besides it: what was seen adds up, its logarithm less. */
function strengthsOf(anomalies: readonly Anomaly[]): Map<Aspect, number> {
  const seen = new Map<Aspect, number[]>();
  for (const { aspect, strength } of anomalies)
    seen.set(aspect, [...(seen.get(aspect) ?? []), strength]);
  return new Map([...seen].map(([aspect, strengths]) => [aspect, addUp(strengths)]));
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
  own: readonly Anomaly[],
  callees: Callees,
  strengths: Strengths,
): Explained {
  const [left, inherited]: [number[], number[]] = [[], []];
  let by: { node: NodeId; nats: number } | null = null;
  for (const [aspect, nats] of strengths.get(node) ?? []) {
    const from = strongestBelow(node, explains[aspect], callees, strengths);
    const own = leftOf(nats, from?.nats ?? 0);
    const explained = nats - own;
    left.push(own);
    inherited.push(explained);
    if (from !== null && explained > (by?.nats ?? 0)) by = { node: from.node, nats: explained };
  }
  const sorted = own.toSorted((a, b) => b.strength - a.strength || (a.says < b.says ? -1 : 1));
  return {
    node,
    strength: sumOf(left),
    inherited: sumOf(inherited),
    by: by?.node ?? null,
    anomalies: sorted,
  };
}

/** Strengths are logarithms of what was seen; what the callee does not explain of it is left. */
function leftOf(nats: number, explained: number): number {
  return Math.log1p(Math.max(0, Math.expm1(nats) - Math.expm1(explained)));
}

/** The callee with the most trouble of these aspects, direct or further down. */
function strongestBelow(
  node: NodeId,
  aspects: readonly Aspect[],
  callees: Callees,
  strengths: Strengths,
): { node: NodeId; nats: number } | null {
  const seen = new Set([node]);
  const stack = [...(callees.get(node) ?? [])];
  let top = { node, nats: 0 };
  for (let next = stack.pop(); next !== undefined; next = stack.pop()) {
    if (seen.has(next)) continue;
    seen.add(next);
    const nats = Math.max(0, ...aspects.map((aspect) => strengths.get(next)?.get(aspect) ?? 0));
    if (nats > top.nats || (nats === top.nats && next < top.node)) top = { node: next, nats };
    stack.push(...(callees.get(next) ?? []));
  }
  return top.nats > 0 ? top : null;
}
