/**
 * Edges in flat arrays. Each edge hangs in two chains, of what leaves its first node and of what enters its second; adding
 * never moves anything, so the graph may be asked between any two events.
 */
import type { EdgeFact, Traffic } from "../event.ts";
import { type EdgeKind, edgeKinds } from "../graph-words.ts";
import { Chains } from "./chains.ts";
import { Int32Column } from "./columns.ts";
import { EarliestSightings } from "./earliest.ts";
import { insertDated, latestOf, type Moment } from "./order.ts";

/** Two node numbers and a form make one exact number, the key of an edge. */
const nodesMax = 2 ** 24;

export type Basis = EdgeFact["basis"];

/** What says that an edge is there. */
export type Sighting = EdgeFact | Traffic;

/** Kind and basis in one number. */
export type EdgeForm = number;
const forms = edgeKinds.length * 2;

export function edgeForm(kind: EdgeKind, basis: Basis): EdgeForm {
  return edgeKinds.indexOf(kind) * 2 + (basis === "observed" ? 1 : 0);
}

export class EdgeTable {
  count = 0;
  readonly #byKey = new Map<number, number>();
  readonly #from = new Int32Column();
  readonly #to = new Int32Column();
  readonly #form = new Int32Column();
  readonly #out = new Chains();
  readonly #in = new Chains();
  readonly #sightings: Sighting[][] = [];
  readonly #earliest = new EarliestSightings();
  readonly #everGone = new Set<number>();

  add(from: number, to: number, form: EdgeForm, sighting: Sighting): void {
    if (from >= nodesMax || to >= nodesMax) throw new RangeError(`more than ${nodesMax} nodes`);
    const key = (from * nodesMax + to) * forms + form;
    let edge = this.#byKey.get(key);
    if (edge === undefined) {
      edge = this.count++;
      this.#byKey.set(key, edge);
      this.#from.set(edge, from);
      this.#to.set(edge, to);
      this.#form.set(edge, form);
      this.#out.add(from, form, edge);
      this.#in.add(to, form, edge);
      this.#sightings.push([sighting]);
    } else insertDated(this.#sightings[edge] as Sighting[], sighting);
    if (isGone(sighting)) this.#everGone.add(edge);
    this.#earliest.see(edge, sighting.at, sighting.knownAt);
  }

  find(from: number, to: number, form: EdgeForm): number | undefined {
    return this.#byKey.get((from * nodesMax + to) * forms + form);
  }

  from(edge: number): number {
    return this.#from.get(edge);
  }

  to(edge: number): number {
    return this.#to.get(edge);
  }

  form(edge: number): EdgeForm {
    return this.#form.get(edge);
  }

  kind(edge: number): EdgeKind {
    return edgeKinds[this.#form.get(edge) >> 1] as EdgeKind;
  }

  basis(edge: number): Basis {
    return (this.#form.get(edge) & 1) === 1 ? "observed" : "declared";
  }

  /** Calls `visit` for each edge that leaves the node, whenever it was there; only of these forms, when they are given. */
  eachOut(node: number, visit: (edge: number) => void, forms?: Iterable<EdgeForm>): void {
    this.#out.each(node, visit, forms);
  }

  eachIn(node: number, visit: (edge: number) => void, forms?: Iterable<EdgeForm>): void {
    this.#in.each(node, visit, forms);
  }

  /** Whether it is there at the moment; that its nodes may be gone is for others to know. */
  isThere(edge: number, moment: Moment): boolean {
    if (!this.#earliest.isSeen(edge, moment)) return false;
    if (this.#everGone.size === 0 || !this.#everGone.has(edge)) return true;
    const last = this.sighting(edge, moment);
    return last !== undefined && !isGone(last);
  }

  /** The last that was said of it, seen from the moment. */
  sighting(edge: number, moment: Moment): Sighting | undefined {
    return latestOf(this.#sightings[edge] ?? [], moment);
  }
}

function isGone(sighting: Sighting): boolean {
  return sighting.type === "edge" && sighting.gone === true;
}
