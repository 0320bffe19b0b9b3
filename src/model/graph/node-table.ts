/** Nodes by number, and what was said of each. */
import type { NodeFact } from "../event.ts";
import type { NodeId } from "../graph-words.ts";
import { EarliestSightings } from "./earliest.ts";
import { compareDated, type Dated, insertDated, latestOf, type Moment } from "./order.ts";

export class NodeTable {
  readonly ids: NodeId[] = [];
  readonly #indexes = new Map<NodeId, number>();
  readonly #aspects = new Map<number, Map<string, NodeFact[]>>();
  /** By aspect, the nodes of which it was ever told. */
  readonly #told = new Map<string, number[]>();
  readonly #ends = new Map<number, NodeFact[]>();
  readonly #sightings = new EarliestSightings();

  indexOf(id: NodeId): number | undefined {
    return this.#indexes.get(id);
  }

  /** Some event speaks of the node. */
  see(id: NodeId, { at, knownAt }: Dated): number {
    let index = this.#indexes.get(id);
    if (index === undefined) {
      index = this.ids.length;
      this.ids.push(id);
      this.#indexes.set(id, index);
    }
    this.#sightings.see(index, at, knownAt);
    return index;
  }

  addFact(fact: NodeFact): void {
    const index = this.see(fact.node, fact);
    if (fact.value === null) listAt(this.#ends, index, fact);
    const aspects = this.#aspects.get(index) ?? new Map<string, NodeFact[]>();
    this.#aspects.set(index, aspects);
    if (!aspects.has(fact.aspect)) {
      const told = this.#told.get(fact.aspect);
      if (told === undefined) this.#told.set(fact.aspect, [index]);
      else told.push(index);
    }
    listAt(aspects, fact.aspect, fact);
  }

  /** Whether any source ever said that it is gone. Most nodes never are, and need no further look. */
  everEnds(index: number): boolean {
    return this.#ends.size > 0 && this.#ends.has(index);
  }

  /** The last word that it is gone, seen from the moment. */
  endOf(index: number, moment: Moment): NodeFact | undefined {
    const ends = this.#ends.get(index);
    return ends === undefined ? undefined : latestOf(ends, moment);
  }

  isSeen(index: number, moment: Moment): boolean {
    return this.#sightings.isSeen(index, moment);
  }

  aspectNames(index: number): readonly string[] {
    return [...(this.#aspects.get(index)?.keys() ?? [])].sort();
  }

  /** Nodes of which the aspect was ever told, in the order in which they were first. */
  told(aspect: string): readonly number[] {
    return this.#told.get(aspect) ?? [];
  }

  /** Every fact about one aspect, in order; those that say the node is gone are under the aspect they name. */
  facts(index: number, aspect: string): readonly NodeFact[] {
    return this.#aspects.get(index)?.get(aspect) ?? [];
  }

  ends(index: number): readonly NodeFact[] {
    return this.#ends.get(index) ?? [];
  }

  /** What is so of one aspect; undefined when nothing was said, or the node is gone since. */
  factAt(index: number, aspect: string, moment: Moment): NodeFact | undefined {
    const fact = latestOf(this.facts(index, aspect), moment);
    if (fact === undefined || fact.value === null) return undefined;
    const end = this.endOf(index, moment);
    return end !== undefined && compareDated(end, fact) > 0 ? undefined : fact;
  }
}

function listAt<K, T extends Dated>(lists: Map<K, T[]>, key: K, item: T): void {
  const list = lists.get(key);
  if (list === undefined) lists.set(key, [item]);
  else insertDated(list, item);
}
