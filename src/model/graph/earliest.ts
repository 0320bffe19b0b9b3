/**
 * When something was first seen, for every moment of knowledge. Nearly always one sighting is the first in both times, and
 * then two numbers say everything; the rest keep the sightings that are not after another in both.
 */
import { Float64Column } from "./columns.ts";
import type { Moment } from "./order.ts";

export class EarliestSightings {
  readonly #at = new Float64Column();
  readonly #knownAt = new Float64Column();
  readonly #further = new Map<number, (readonly [at: number, knownAt: number])[]>();
  #count = 0;

  see(index: number, at: number, knownAt: number): void {
    for (; this.#count <= index; this.#count++) {
      this.#at.set(this.#count, Number.POSITIVE_INFINITY);
      this.#knownAt.set(this.#count, Number.POSITIVE_INFINITY);
    }
    const [firstAt, firstKnownAt] = [this.#at.get(index), this.#knownAt.get(index)];
    if (firstAt <= at && firstKnownAt <= knownAt) return;
    const further = this.#further.get(index) ?? [];
    const kept = further.filter(([a, k]) => !(at <= a && knownAt <= k));
    if (at <= firstAt && knownAt <= firstKnownAt) {
      this.#at.set(index, at);
      this.#knownAt.set(index, knownAt);
    } else if (!kept.some(([a, k]) => a <= at && k <= knownAt)) kept.push([at, knownAt]);
    if (kept.length > 0) this.#further.set(index, kept);
    else this.#further.delete(index);
  }

  isSeen(index: number, { validAt, knownAt }: Moment): boolean {
    if (index >= this.#count) return false;
    if (this.#at.get(index) <= validAt && this.#knownAt.get(index) <= knownAt) return true;
    const further = this.#further.size === 0 ? undefined : this.#further.get(index);
    return further?.some(([a, k]) => a <= validAt && k <= knownAt) ?? false;
  }
}
