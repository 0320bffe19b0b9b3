/**
 * The policy that decides now. One revision at a time, swapped whole: a call is judged by the engine it took when it
 * arrived, and a revision decides nothing before its `policy` entry is durable.
 */
import type { Engine } from "../policy/index.ts";

export class ActivePolicy {
  #engine: Engine | undefined;
  readonly #listeners = new Set<() => void>();

  current(): Engine | undefined {
    return this.#engine;
  }

  /** Listeners are told after the swap; one that throws is a broken invariant. */
  activate(engine: Engine): void {
    this.#engine = engine;
    for (const listener of [...this.#listeners]) listener();
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}
