/**
 * Where walks leave their marks. One walk after another uses the same arrays, each with higher marks than the one before, so
 * that a short walk in a large graph costs nothing for the nodes it never meets.
 */
const markMax = 2 ** 30;

export class Ground {
  marks: Int32Array = new Int32Array(1024);
  /** The edge by which each node was reached. */
  via: Int32Array = new Int32Array(1024);
  #highest = 0;

  /** For so many nodes. Marks of a walk are above what this returns; it runs to its end before the next begins. */
  enter(nodes: number): number {
    if (nodes > this.marks.length) {
      this.marks = new Int32Array(nodes * 2);
      this.via = new Int32Array(nodes * 2);
      this.#highest = 0;
    } else if (this.#highest > markMax) {
      this.marks.fill(0);
      this.#highest = 0;
    }
    return this.#highest;
  }

  leave(highest: number): void {
    this.#highest = highest;
  }
}
