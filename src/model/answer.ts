/** What the model answers to "why" and "what would this touch", with every step that led there. */
import type { CauseKind } from "./cause-kind.ts";
import type { Origin, Signal } from "./event.ts";
import type { EdgeKind, NodeId } from "./graph-words.ts";

/** What somebody complains about: a node and a signal where known, or only words. */
export interface Symptom {
  readonly at: number;
  readonly node?: NodeId;
  readonly signal?: Signal;
  readonly operation?: string;
  readonly text?: string;
}

/** One thing that was seen, that speaks for (weight above 0) or against a cause. */
export interface Evidence {
  readonly node: NodeId;
  /** A sentence for people, with the figures. */
  readonly says: string;
  readonly weight: number;
  readonly onsetAt?: number;
  readonly origin: Origin;
}

/** One edge that trouble travelled, from the cause towards the symptom. */
export interface Step {
  readonly from: NodeId;
  readonly to: NodeId;
  readonly edge: EdgeKind;
  /** Why trouble is held to have come this way. */
  readonly because: string;
}

export interface Cause {
  readonly node: NodeId;
  readonly kind: CauseKind;
  /** The change that did it, if one did. */
  readonly change?: NodeId;
  /** 0 to 1: of a hundred answers like this one, how many were right. */
  readonly confidence: number;
  readonly onsetAt: number | null;
  readonly path: readonly Step[];
  readonly evidence: readonly Evidence[];
  /** Confirmed incidents that speak for it. */
  readonly remembered: readonly string[];
}

export interface RuledOut {
  readonly node: NodeId;
  readonly because: string;
}

export interface WhyAnswer {
  readonly verdict: "cause" | "none" | "insufficient";
  readonly causes: readonly Cause[];
  readonly ruledOut: readonly RuledOut[];
  /** What to look at, where the answer is not certain. */
  readonly checkNext: readonly string[];
  /** Only where nothing was measured of the time that was asked about: when something last was. */
  readonly newestTelemetryAt?: number;
}
