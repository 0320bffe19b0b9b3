export type { Contract } from "./contracts.ts";
export type { Basis } from "./edge-table.ts";
export { type Added, allKnown, Graph } from "./graph.ts";
export { compareDated, type Dated, type Moment } from "./order.ts";
export type { Direction, Neighbour, ReachOptions } from "./reach.ts";
export type { Version } from "./versions.ts";
export type { AspectView, EdgeView, NodeView, TimeRange, View } from "./view.ts";
