import type { CauseKind } from "../../cause-kind.ts";
import type { Origin } from "../../event.ts";
import type { NodeId } from "../../graph-words.ts";

/** What trouble looks like from outside: it travels to callers as what it is. */
export type Aspect = "slow" | "failing" | "load";

/** One node is not as it was. */
export interface Anomaly {
  readonly node: NodeId;
  readonly aspect: Aspect;
  /** Measured on the node alone (its processor, its own time, its own words): no callee can explain it. */
  readonly own: boolean;
  readonly kind: CauseKind;
  /** Nats. */
  readonly strength: number;
  /** How much worse in all: excess time or failures a second, where whole calls were measured. */
  readonly excess?: number;
  /** How many calls failed beyond what is usual, where they were counted. */
  readonly failed?: number;
  /** Measured more than once since the symptom began. */
  readonly lasting?: boolean;
  readonly onsetAt: number | null;
  readonly says: string;
  readonly origin: Origin;
}
