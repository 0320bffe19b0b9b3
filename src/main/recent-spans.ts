/** Spans that were counted lately: exporters that heard no answer send them again. */

/** So many folds, of 15 seconds each. */
const turnsMax = 40;
/** In all; about 60 bytes each. */
const spansMax = 1_000_000;

export class RecentSpans {
  #turns: Set<string>[] = [new Set()];

  has(key: string): boolean {
    return this.#turns.some((turn) => turn.has(key));
  }

  add(keys: Iterable<string>): void {
    const [turn] = this.#turns;
    for (const key of keys) turn?.add(key);
  }

  /** The oldest is forgotten, and as many more as there is no room for. */
  turn(): void {
    this.#turns = [new Set<string>(), ...this.#turns].slice(0, turnsMax);
    const count = (): number => this.#turns.reduce((sum, { size }) => sum + size, 0);
    while (this.#turns.length > 2 && count() > spansMax) this.#turns.pop();
  }
}
