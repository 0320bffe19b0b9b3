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

/** A caller that is worse than its callee by less than this factor only passes on its callee's trouble. */
const passesOn = 1;

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

/** The strongest of each aspect; further ones say much the same again. */
function strengthsOf(anomalies: readonly Anomaly[]): Map<Aspect, number> {
  const strengths = new Map<Aspect, number>();
  for (const { aspect, strength } of anomalies)
    strengths.set(aspect, Math.max(strength, strengths.get(aspect) ?? 0));
  return strengths;
}

function explainedOf(
  node: NodeId,
  own: readonly Anomaly[],
  callees: Callees,
  strengths: Strengths,
): Explained {
  let [strength, inherited] = [0, 0];
  let by: { node: NodeId; nats: number } | null = null;
  for (const [aspect, nats] of strengths.get(node) ?? []) {
    const from = aspect === "load" ? null : strongestBelow(node, aspect, callees, strengths);
    const explained = Math.min(nats, passesOn * (from?.nats ?? 0));
    strength += nats - explained;
    inherited += explained;
    if (from !== null && explained > (by?.nats ?? 0)) by = { node: from.node, nats: explained };
  }
  const sorted = own.toSorted((a, b) => b.strength - a.strength || (a.says < b.says ? -1 : 1));
  return { node, strength, inherited, by: by?.node ?? null, anomalies: sorted };
}

/** The callee with the most trouble of this aspect, direct or further down. */
function strongestBelow(
  node: NodeId,
  aspect: Aspect,
  callees: Callees,
  strengths: Strengths,
): { node: NodeId; nats: number } | null {
  const seen = new Set([node]);
  const stack = [...(callees.get(node) ?? [])];
  let top = { node, nats: 0 };
  for (let next = stack.pop(); next !== undefined; next = stack.pop()) {
    if (seen.has(next)) continue;
    seen.add(next);
    const nats = strengths.get(next)?.get(aspect) ?? 0;
    if (nats > top.nats || (nats === top.nats && next < top.node)) top = { node: next, nats };
    stack.push(...(callees.get(next) ?? []));
  }
  return top.nats > 0 ? top : null;
}
