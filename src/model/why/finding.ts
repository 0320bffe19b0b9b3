import type { Evidence, RuledOut, Step } from "../answer.ts";
import type { CauseKind } from "../cause-kind.ts";
import type { NodeId } from "../graph-words.ts";
import type { Case } from "./case.ts";

/** One source's reason to hold a node for the cause. */
export interface Finding {
  readonly node: NodeId;
  readonly kind: CauseKind;
  readonly change?: NodeId;
  /**
   * Evidence in nats: the logarithm of how many times likelier this is seen when the node is the cause so, than when it
   * is not. Weights of independent findings add up. 3 is strong, 6 is as good as proof.
   */
  readonly weight: number;
  readonly onsetAt: number | null;
  readonly path?: readonly Step[];
  readonly evidence: readonly Evidence[];
  readonly remembered?: readonly string[];
  /** Nodes whose deviations this cause accounts for: what is merely seen there is no cause of its own. */
  readonly explains?: readonly NodeId[];
}

export interface Found {
  readonly findings: readonly Finding[];
  readonly ruledOut?: readonly RuledOut[];
  readonly checkNext?: readonly string[];
  /** Whether the trouble that was asked about is there at all; absent where this source cannot tell. */
  readonly symptomSeen?: boolean;
}

/** A pure function from what is known to reasons. The order of sources changes nothing. */
export type EvidenceSource = (question: Case) => Found;
