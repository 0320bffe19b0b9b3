/** What confirmed incidents say of a cause that is being considered. */
import type { CauseKind } from "../cause-kind.ts";
import { type NodeId, splitNodeId } from "../graph-words.ts";
import type { ConfirmedIncident } from "./incident.ts";
import type { Memory } from "./memory.ts";

export interface Recalled {
  /** Ids, the most alike first. */
  readonly incidents: readonly string[];
  /** Evidence in nats: never so much that memory alone decides. */
  readonly nats: number;
}

/** What happened once may happen again; it is no evidence that it does. */
const natsMax = 1;
const shownMax = 3;

/** The same kind of trouble at the same node counts most, then at a node of the same type. */
export function recall(
  { incidents }: Memory,
  cause: { readonly node: NodeId; readonly kind: CauseKind; readonly at: number },
): Recalled {
  const alike = incidents
    .filter((each) => each.kind === cause.kind && each.confirmedAt <= cause.at)
    .map((each) => ({ each, likeness: likeness(each, cause.node) }))
    .filter((pair) => pair.likeness > 0)
    .sort(
      (a, b) =>
        b.likeness - a.likeness || b.each.at - a.each.at || (a.each.id < b.each.id ? -1 : 1),
    );
  const sum = alike.reduce((all, pair) => all + pair.likeness, 0);
  return {
    incidents: alike.slice(0, shownMax).map(({ each }) => each.id),
    nats: Math.min(natsMax, 0.25 * Math.log1p(sum)),
  };
}

function likeness(incident: ConfirmedIncident, node: NodeId): number {
  if (incident.node === node) return 1;
  const [a, b] = [splitNodeId(incident.node), splitNodeId(node)];
  return a !== undefined && a.kind === b?.kind ? 0.3 : 0;
}
