/** What a catalogue says calls what, beside what was seen to call what. */
import type { NodeId } from "../graph-words.ts";
import { type Basis, edgeForm } from "./edge-table.ts";
import type { Moment } from "./order.ts";
import type { Tables } from "./tables.ts";

export interface Contract {
  readonly from: NodeId;
  readonly to: NodeId;
  /** `unseen`: declared, and never observed. `undeclared`: observed, and not declared. `kept`: both. */
  readonly status: "kept" | "unseen" | "undeclared";
  /** False: no call of it was ever observed, so that nothing was seen says little. */
  readonly isCallerWatched: boolean;
}

/** Of every pair with a declared dependency or call, or an observed call; by caller, then callee. */
export function contracts(tables: Tables, moment: Moment): readonly Contract[] {
  const { nodes, edges } = tables;
  const declared = [edgeForm("calls", "declared"), edgeForm("depends_on", "declared")];
  const observed = edgeForm("calls", "observed");
  const pairs = new Map<string, { from: number; to: number; bases: Set<Basis> }>();
  const watched = new Set<number>();
  for (let edge = 0; edge < edges.count; edge++) {
    const form = edges.form(edge);
    if (form !== observed && !declared.includes(form)) continue;
    if (!tables.isEdgeThere(edge, moment)) continue;
    const [from, to] = [edges.from(edge), edges.to(edge)];
    if (form === observed) watched.add(from);
    const key = `${from} ${to}`;
    const pair = pairs.get(key) ?? { from, to, bases: new Set() };
    pair.bases.add(edges.basis(edge));
    pairs.set(key, pair);
  }
  const found = [...pairs.values()].map(({ from, to, bases }): Contract => {
    const status = bases.size === 2 ? "kept" : bases.has("declared") ? "unseen" : "undeclared";
    const [a, b] = [nodes.ids[from] as NodeId, nodes.ids[to] as NodeId];
    return { from: a, to: b, status, isCallerWatched: watched.has(from) };
  });
  return found.sort((a, b) => compareText(a.from, b.from) || compareText(a.to, b.to));
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
