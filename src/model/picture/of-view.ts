/** What is around a node at a moment, as a picture: arrows as the graph has them, from caller to callee. */
import { instantText } from "../../kernel/index.ts";
import type { View } from "../graph/index.ts";
import { type NodeId, splitNodeId } from "../graph-words.ts";
import type { Picture, PictureEdge, PictureNode } from "./picture.ts";

export interface Around {
  readonly depth: number;
  /** More than people can look at is left out, farthest first, and counted. */
  readonly countMax: number;
}

/** The nodes up to `depth` edges away, with every edge between those that are drawn. */
export function pictureOfView(
  view: View,
  centre: NodeId,
  { depth, countMax }: Around = { depth: 2, countMax: 40 },
): Picture {
  const around = view.neighbours(centre, { direction: "both", depth });
  const drawn = [centre, ...around.map(({ node }) => node)].slice(0, countMax);
  const isDrawn = new Set(drawn);
  const changed = new Set(
    view.changes().flatMap(({ change, targets }) => (targets.includes(centre) ? [change] : [])),
  );
  return {
    title: `Around ${centre}`,
    moment: momentText(view),
    nodes: drawn.map((id) => nodeOf(id, centre, changed.has(id))),
    edges: [...isDrawn].flatMap((from) => edgesFrom(view, from, isDrawn, centre)),
    omitted: around.length + 1 - drawn.length,
  };
}

function nodeOf(id: NodeId, centre: NodeId, isChange: boolean): PictureNode {
  const parts = splitNodeId(id);
  const emphasis = id === centre ? "symptom" : isChange ? "change" : "context";
  return {
    id,
    kind: parts?.kind ?? "unknown",
    name: parts?.name ?? id,
    emphasis,
    note: "",
  };
}

/** An edge that is both declared and observed is drawn once; one that is only declared says so. */
function edgesFrom(
  view: View,
  from: NodeId,
  isDrawn: ReadonlySet<NodeId>,
  centre: NodeId,
): PictureEdge[] {
  const edges = new Map<string, PictureEdge>();
  for (const { to, kind, basis } of view.edges({ from })) {
    if (!isDrawn.has(to)) continue;
    const key = `${kind} ${to}`;
    const isOnPath = from === centre || to === centre;
    if (edges.has(key) && basis === "declared") continue;
    edges.set(key, {
      from,
      to,
      kind,
      isOnPath,
      note: basis === "declared" ? "declared, not seen" : "",
    });
  }
  return [...edges.values()];
}

function momentText(view: View): string {
  const at = Number.isFinite(view.validAt)
    ? `as of ${instantText(view.validAt)}`
    : "as of all that is known";
  return Number.isFinite(view.knownAt)
    ? `${at}, by what was known at ${instantText(view.knownAt)}`
    : at;
}
