/** Measurements that came in pieces, one export after another, put together again. */
import type { Series } from "./event.ts";

/** One series for each thing that is measured: dated by its first piece. A moment that was told twice counts as it was known last. */
export function joinedSeries(pieces: readonly Series[]): Series[] {
  const byName = new Map<string, Series[]>();
  for (const piece of pieces) {
    const { node, signal, name, operation } = piece;
    const key = JSON.stringify([node, signal, name, operation ?? ""]);
    const same = byName.get(key);
    if (same === undefined) byName.set(key, [piece]);
    else same.push(piece);
  }
  return [...byName.values()].map(joined);
}

function joined(pieces: readonly Series[]): Series {
  const [first] = pieces as [Series, ...Series[]];
  if (pieces.length === 1) return first;
  const points = new Map<number, number>();
  for (const piece of pieces.toSorted((a, b) => a.knownAt - b.knownAt || (a.id < b.id ? -1 : 1)))
    for (const [at, value] of piece.points) points.set(at, value);
  return { ...first, points: [...points].sort(([a], [b]) => a - b) };
}
