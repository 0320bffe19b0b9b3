/** How a rule says what it found. */
import type { CauseKind } from "../../cause-kind.ts";
import type { Origin } from "../../event.ts";
import type { NodeId } from "../../graph-words.ts";
import type { Finding } from "../finding.ts";
import type { Cluster } from "./cluster.ts";

/** A definite contradiction in what was written, at an object that is in trouble by it. */
export const certain = 7;
/** A contradiction that could have stood for long, at an object that is in trouble. */
export const strong = 5;
/** What the reports say, without the contradiction in what was written. */
export const likely = 3.5;
/** Something to look at. */
export const weak = 1.5;

export type Rule = (cluster: Cluster) => readonly Finding[];

export interface Said {
  readonly node: NodeId;
  readonly kind: CauseKind;
  readonly weight: number;
  /** With the path of the field, the values, and what would mend it. */
  readonly says: string;
  readonly origin: Origin;
  readonly onsetAt?: number;
}

export function findingOf({ node, kind, weight, says, origin, onsetAt }: Said): Finding {
  return {
    node,
    kind,
    weight,
    onsetAt: onsetAt ?? null,
    evidence: [{ node, says, weight, origin, ...(onsetAt === undefined ? {} : { onsetAt }) }],
  };
}
