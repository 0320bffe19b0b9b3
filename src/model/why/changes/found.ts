/** Causes that are no change of ours, as findings. */
import type { CauseKind } from "../../cause-kind.ts";
import type { Origin } from "../../event.ts";
import { type NodeId, nodeId } from "../../graph-words.ts";
import type { Finding } from "../finding.ts";
import type { Trouble } from "./trouble.ts";

/** Where a cause of the kind lies as long as nobody knows a better place. */
export function anywhere(kind: CauseKind): NodeId {
  return nodeId("external", kind.split(".")[1] ?? kind);
}

/** A cause that is no change of ours: all that suffers is explained by it. */
export function found(
  trouble: Trouble,
  kind: CauseKind,
  weight: number,
  says: string,
  origin: Origin,
  node: NodeId = anywhere(kind),
): Finding {
  return {
    node,
    kind,
    weight,
    onsetAt: trouble.onsetAt,
    path: [{ from: node, to: trouble.symptom, edge: "depends_on", because: says }],
    evidence: [{ node, says, weight, onsetAt: trouble.onsetAt, origin }],
    explains: [...trouble.affected.keys()],
  };
}
