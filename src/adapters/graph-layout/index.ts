/** Where the boxes of a picture stand: layered from left to right (Sugiyama), by dagre. */
import { Graph, layout } from "@dagrejs/dagre";
import { boxOf, type Layout, type Picture } from "../../model/index.ts";

/** Deterministic. Edges to nodes that the picture does not hold have no points. */
export function layOut(picture: Picture): Layout {
  const graph = new Graph({ multigraph: true });
  graph.setGraph({ rankdir: "LR", nodesep: 28, ranksep: 92 });
  const known = new Set(picture.nodes.map(({ id }) => id));
  for (const node of picture.nodes) graph.setNode(node.id, { ...boxOf(node) });
  const names = picture.edges.map((edge, place) => ({ ...edge, place: String(place) }));
  for (const { from, to, place } of names)
    if (known.has(from) && known.has(to)) graph.setEdge(from, to, { weight: 1 }, place);
  layout(graph);
  const { width = 0, height = 0 } = graph.graph() as { width?: number; height?: number };
  return {
    width: Number.isFinite(width) ? width : 0,
    height: Number.isFinite(height) ? height : 0,
    nodes: new Map(
      picture.nodes.map(({ id }) => {
        const { x, y } = graph.node(id) as { x: number; y: number };
        return [id, { x, y }];
      }),
    ),
    edges: names.map(({ from, to, place }) => {
      if (!known.has(from) || !known.has(to)) return [];
      return (graph.edge(from, to, place) as { points: { x: number; y: number }[] }).points;
    }),
  };
}
