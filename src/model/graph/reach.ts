/** Breadth first over the edges that are there at a moment. */
import { type EdgeKind, edgeKinds, type NodeId } from "../graph-words.ts";
import { type Basis, type EdgeForm, edgeForm } from "./edge-table.ts";
import type { Ground } from "./ground.ts";
import type { Moment } from "./order.ts";
import type { Tables } from "./tables.ts";

/** `out` follows edges as they point (to callees), `in` against them (to callers). */
export type Direction = "out" | "in" | "both";

export interface ReachOptions {
  readonly direction: Direction;
  /** All kinds, unless given. */
  readonly kinds?: readonly EdgeKind[];
  readonly basis?: Basis;
  /** Edges from the start; 1 unless given. */
  readonly depth?: number;
}

/** One node that was reached, and one edge of a shortest way by which it was. */
export interface Neighbour {
  readonly node: NodeId;
  readonly distance: number;
  readonly from: NodeId;
  readonly to: NodeId;
  readonly kind: EdgeKind;
  readonly basis: Basis;
}

const allBases: readonly Basis[] = ["declared", "observed"];

/** What can be reached from any of `starts`, themselves excluded: nearest first, then by id. */
export function reach(
  tables: Tables,
  moment: Moment,
  starts: readonly number[],
  options: ReachOptions,
): readonly Neighbour[] {
  const walk = new Walk(tables, moment, starts, options);
  for (let depth = options.depth ?? 1; depth > 0 && walk.step(); depth--);
  return walk.reached();
}

class Walk {
  readonly #tables: Tables;
  readonly #moment: Moment;
  readonly #direction: Direction;
  readonly #wanted: readonly EdgeForm[] | undefined;
  readonly #ground: Ground;
  /** Marks of this walk are above it: the start has one more, what is one edge away two more. */
  readonly #base: number;
  readonly #all: number[] = [];
  #frontier: number[];
  #step = 1;

  constructor(tables: Tables, moment: Moment, starts: readonly number[], options: ReachOptions) {
    this.#tables = tables;
    this.#moment = moment;
    this.#direction = options.direction;
    this.#wanted = wantedForms(options);
    this.#ground = tables.ground;
    this.#base = this.#ground.enter(tables.nodes.ids.length);
    this.#frontier = [...new Set(starts)];
    for (const start of this.#frontier) this.#ground.marks[start] = this.#base + 1;
  }

  /** Goes one edge further; false when nothing new was there. */
  step(): boolean {
    const frontier = this.#frontier;
    this.#frontier = [];
    this.#step += 1;
    const { edges } = this.#tables;
    for (const node of frontier) {
      if (this.#direction !== "in")
        edges.eachOut(node, (edge) => this.#visit(edge, edges.to(edge)), this.#wanted);
      if (this.#direction !== "out")
        edges.eachIn(node, (edge) => this.#visit(edge, edges.from(edge)), this.#wanted);
    }
    const { ids } = this.#tables.nodes;
    for (const node of this.#frontier.sort((a, b) => compareText(ids[a], ids[b])))
      this.#all.push(node);
    return this.#frontier.length > 0;
  }

  reached(): readonly Neighbour[] {
    const { nodes, edges } = this.#tables;
    const { marks, via } = this.#ground;
    this.#ground.leave(this.#base + this.#step);
    return this.#all.map((index): Neighbour => {
      const edge = via[index] ?? 0;
      return {
        node: nodes.ids[index] as NodeId,
        distance: (marks[index] ?? 0) - this.#base - 1,
        from: nodes.ids[edges.from(edge)] as NodeId,
        to: nodes.ids[edges.to(edge)] as NodeId,
        kind: edges.kind(edge),
        basis: edges.basis(edge),
      };
    });
  }

  #visit(edge: number, next: number): void {
    const { marks, via } = this.#ground;
    const mark = marks[next] ?? 0;
    const own = this.#base + this.#step;
    if (mark > this.#base && mark !== own) return;
    if (!this.#tables.isEdgeThere(edge, this.#moment)) return;
    if (mark !== own) {
      marks[next] = own;
      via[next] = edge;
      this.#frontier.push(next);
    } else if (this.#isFirst(edge, via[next] ?? 0)) via[next] = edge;
  }

  /** Of two equally short ways always the same is told, in whatever order the edges came. */
  #isFirst(edge: number, other: number): boolean {
    const { nodes, edges } = this.#tables;
    const order =
      compareText(nodes.ids[edges.from(edge)], nodes.ids[edges.from(other)]) ||
      compareText(nodes.ids[edges.to(edge)], nodes.ids[edges.to(other)]);
    return order < 0 || (order === 0 && edges.form(edge) < edges.form(other));
  }
}

function wantedForms({ kinds, basis }: ReachOptions): readonly EdgeForm[] | undefined {
  if (kinds === undefined && basis === undefined) return undefined;
  const bases = basis === undefined ? allBases : [basis];
  const wanted = [...new Set(kinds ?? edgeKinds)];
  return wanted.flatMap((kind) => bases.map((each) => edgeForm(kind, each)));
}

function compareText(a = "", b = ""): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
