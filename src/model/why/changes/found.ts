/** A cause that is no change of ours: all that suffers is explained by it. */
import type { CauseKind } from "../../cause-kind.ts";
import type { Origin } from "../../event.ts";
import { type NodeId, nodeId } from "../../graph-words.ts";
import type { Finding } from "../finding.ts";
import type { Trouble } from "./trouble.ts";

export function found(
  trouble: Trouble,
  kind: CauseKind,
  weight: number,
  says: string,
  origin: Origin,
  node: NodeId = nodeId("external", kind.split(".")[1] ?? kind),
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
