/** A span as the fold needs it, whatever wire it came by. */
import type { NodeId } from "../graph-words.ts";

export interface Span {
  readonly trace: string;
  /** Unique within its trace. */
  readonly id: string;
  /** Null: the first of its trace. */
  readonly parent: string | null;
  readonly service: string;
  readonly operation: string;
  /** Microseconds since 1970, by the clock of its machine. */
  readonly startUs: number;
  readonly durationUs: number;
  readonly isError?: boolean;
  /** Work that nobody waits for: what a queue hands over, what was only scheduled. */
  readonly isDetached?: boolean;
  /** It was counted before: it explains others, and is not counted again. */
  readonly isTold?: boolean;
  /** Whom it calls, when that is known and tells no spans of its own: a database, a provider. */
  readonly peer?: NodeId;
}

/** What was odd about spans, with how many were. None of it stops the fold. */
export interface SpanFaults {
  /** Told twice under one id; the first in order counts. */
  readonly repeated: number;
  /** Its parent was not told: who called is unknown. */
  readonly orphaned: number;
  /** Its own ancestor; the cycle is cut. */
  readonly cyclic: number;
  /** Not within its parent's time, by another clock; moved there. */
  readonly skewed: number;
  /** Beyond what one fold tells apart; counted under the operation `<other>`. */
  readonly lumped: number;
}
