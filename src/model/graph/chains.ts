/**
 * The edges at one end, by node and form, as chains in flat arrays. A chain for each form: who asks for calls does not pass
 * the many other edges of a busy node.
 */
import { Int32Column } from "./columns.ts";
import type { EdgeForm } from "./edge-table.ts";

export class Chains {
  /** Of the first edge of each node, by form, and of the next in its chain, plus one: 0 ends a chain. */
  readonly #first = new Map<EdgeForm, Int32Column>();
  readonly #next = new Int32Column();

  add(node: number, form: EdgeForm, edge: number): void {
    let first = this.#first.get(form);
    if (first === undefined) {
      first = new Int32Column();
      this.#first.set(form, first);
    }
    this.#next.set(edge, first.get(node));
    first.set(node, edge + 1);
  }

  /** Calls `visit` for each edge of the node of these forms, or of all. */
  each(node: number, visit: (edge: number) => void, forms?: Iterable<EdgeForm>): void {
    for (const form of forms ?? this.#first.keys()) {
      const first = this.#first.get(form)?.get(node) ?? 0;
      for (let next = first; next !== 0; next = this.#next.get(next - 1)) visit(next - 1);
    }
  }
}
