/** The one order in which facts follow each other. It does not know when a fact arrived, so arrival never matters. */

/** What every event has. */
export interface Dated {
  readonly id: string;
  readonly at: number;
  readonly knownAt: number;
}

/** A moment of the world, and a moment of knowledge: nothing that became true or known later is seen from here. */
export interface Moment {
  readonly validAt: number;
  readonly knownAt: number;
}

/** By valid time; what was learned later corrects what was known of the same moment; then by id. */
export function compareDated(a: Dated, b: Dated): number {
  return a.at - b.at || a.knownAt - b.knownAt || (a.id < b.id ? -1 : a.id > b.id ? 1 : 0);
}

/** Puts `fact` in its place. Facts mostly come in order, and then this only appends. */
export function insertDated<T extends Dated>(facts: T[], fact: T): void {
  const last = facts.at(-1);
  if (last === undefined || compareDated(last, fact) <= 0) facts.push(fact);
  else
    facts.splice(
      countBefore(facts, (each) => compareDated(each, fact) <= 0),
      0,
      fact,
    );
}

/** The last of these ordered facts that is seen from the moment. */
export function latestOf<T extends Dated>(facts: readonly T[], moment: Moment): T | undefined {
  for (let at = countUntil(facts, moment.validAt) - 1; at >= 0; at--) {
    const fact = facts[at];
    if (fact !== undefined && fact.knownAt <= moment.knownAt) return fact;
  }
  return undefined;
}

/** How many of these ordered facts are of `at` or before. */
export function countUntil(facts: readonly Dated[], at: number): number {
  return countBefore(facts, (fact) => fact.at <= at);
}

/** How many from the beginning satisfy `isBefore`, which none does after the first that does not. */
export function countBefore<T>(sorted: readonly T[], isBefore: (item: T) => boolean): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (isBefore(sorted[middle] as T)) low = middle + 1;
    else high = middle;
  }
  return low;
}
