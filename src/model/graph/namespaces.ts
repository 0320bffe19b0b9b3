/** Which nodes are in which namespace; kept up when somebody asks, so that folding does not pay for it. */
import { namespaceOf } from "../kubernetes-id.ts";
import type { NodeTable } from "./node-table.ts";

export class Namespaces {
  readonly #nodes: NodeTable;
  readonly #members = new Map<string, number[]>();
  #known = 0;

  constructor(nodes: NodeTable) {
    this.#nodes = nodes;
  }

  /** "" is the cluster itself: what belongs to no namespace. */
  members(namespace: string): readonly number[] {
    const { ids } = this.#nodes;
    for (; this.#known < ids.length; this.#known++) {
      const of = namespaceOf(ids[this.#known] ?? "");
      if (of === undefined) continue;
      const members = this.#members.get(of);
      if (members === undefined) this.#members.set(of, [this.#known]);
      else members.push(this.#known);
    }
    return this.#members.get(namespace) ?? [];
  }
}
