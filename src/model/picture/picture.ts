/**
 * A part of the graph, or one chain of causes, as something to look at. The picture is a value: the same answer always
 * gives the same picture, as JSON for machines, Mermaid for a review, SVG for a page.
 */
import type { EdgeKind, NodeId, NodeKind } from "../graph-words.ts";

/** What the eye should find first. `change` is what somebody did; `path` is what trouble went through. */
export type Emphasis = "cause" | "change" | "symptom" | "path" | "context";

export interface PictureNode {
  readonly id: NodeId;
  readonly kind: NodeKind | "unknown";
  readonly name: string;
  readonly emphasis: Emphasis;
  /** One short line below the name: since when, how bad. */
  readonly note: string;
}

/** In a chain: from where trouble comes to where it goes, whatever the direction of the edge. Around a node: as the edge is. */
export interface PictureEdge {
  readonly from: NodeId;
  readonly to: NodeId;
  readonly kind: EdgeKind;
  readonly isOnPath: boolean;
  readonly note: string;
}

export interface Picture {
  readonly title: string;
  /** The moment that is shown, and what was known when, as text. */
  readonly moment: string;
  readonly nodes: readonly PictureNode[];
  readonly edges: readonly PictureEdge[];
  /** Nodes that were left out, so that nobody takes the picture for the whole. */
  readonly omitted: number;
}
