/** Faults, by kind: how likely each is, and how many were really injected. */
import type { Random } from "./random.ts";

/** A tally by name. What was never counted does not appear. */
export class FaultCounts {
  readonly #counts = new Map<string, number>();

  add(kind: string, by = 1): void {
    this.#counts.set(kind, (this.#counts.get(kind) ?? 0) + by);
  }

  merge(other: FaultCounts): void {
    for (const [kind, count] of other.#counts) this.add(kind, count);
  }

  of(kind: string): number {
    return this.#counts.get(kind) ?? 0;
  }

  /** Sorted by name, so that equal runs print equal text. */
  entries(): readonly (readonly [string, number])[] {
    return [...this.#counts].sort(([a], [b]) => (a < b ? -1 : 1));
  }
}

/** Draws once; counts the fault when it strikes. `probability` 0 draws nothing, so a fault can be switched off alone. */
export function strikes(
  random: Random,
  counts: FaultCounts,
  kind: string,
  probability: number,
): boolean {
  if (probability <= 0 || !random.chance(probability)) return false;
  counts.add(kind);
  return true;
}
