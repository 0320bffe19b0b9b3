/** An incident that people (or the labels of a set) have confirmed: what it was, and what came of it. */
import type { CauseKind } from "../cause-kind.ts";
import type { NodeId } from "../graph-words.ts";

export interface ConfirmedIncident {
  readonly id: string;
  /** When it was, and when it was confirmed, in milliseconds since 1970-01-01 UTC. */
  readonly at: number;
  readonly confirmedAt: number;
  readonly node: NodeId;
  readonly kind: CauseKind;
  readonly change?: NodeId;
  /** Nodes that trouble passed, from the cause to the symptom. */
  readonly chain: readonly NodeId[];
  /** The part of the requests from outside that waited for the node, 0 to 1; absent where it was not measured. */
  readonly share?: number;
  /** Services that the node served then; absent: those that it serves. */
  readonly served?: readonly NodeId[];
  /** Services that really felt it; empty: none did; absent: nobody looked. */
  readonly felt?: readonly NodeId[];
  /** What ended it, in people's words. */
  readonly resolution?: string;
  /** The rule that it led to. */
  readonly policy?: string;
  readonly confirmedBy?: string;
  /** Not used from then on; absent: as long as the memory is configured to keep it. */
  readonly expiresAt?: number;
}

/**
 * How trouble of a kind is felt: what stalls holds every call, and so all that share what waits; what slows adds to some,
 * since losses are repeated and processors are shared; what fails is felt by who asks.
 */
export type Manner = "stalling" | "slowing" | "failing";

const manners: Readonly<Partial<Record<CauseKind, Manner>>> = {
  "network.delay": "stalling",
  "network.loss": "slowing",
  "compute.cpu": "slowing",
  "code.latency": "slowing",
  "host.saturated": "slowing",
  "external.traffic": "slowing",
};

export const mannerOf = (kind: CauseKind): Manner => manners[kind] ?? "failing";
