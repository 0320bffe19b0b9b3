/** More requests than usual: brought from outside, or made by those who call. */
import type { Series } from "../../event.ts";
import type { NodeId } from "../../graph-words.ts";
import type { View } from "../view.ts";
import { type Departure, departureOf, onsetPast } from "./onset.ts";
import type { Trouble } from "./trouble.ts";

/** Requests at least doubled. */
const growthMin = 2;

export interface Surge {
  readonly series: Series;
  readonly departure: Departure;
  readonly growth: number;
  /** Callers whose own requests have not grown so: they make the surge. */
  readonly makers: readonly NodeId[];
}

/** The surge at the symptom, if there is one before anything else moved. */
export function surgeOf(view: View, trouble: Trouble): Surge | undefined {
  const { symptom, onsetAt } = trouble;
  for (const series of view.of("series")) {
    if (series.node !== symptom || series.signal !== "requests") continue;
    const departure = departureOf(series);
    if (departure === undefined || departure.at > onsetAt) continue;
    const growth = departure.extreme / Math.max(departure.before, 1e-9);
    if (growth < growthMin) continue;
    return { series, departure, growth, makers: makersOf(view, trouble, growth) };
  }
  return undefined;
}

function makersOf(view: View, { symptom, onsetAt }: Trouble, growth: number): readonly NodeId[] {
  const callers = new Set([
    ...view
      .of("edge")
      .flatMap(({ from, to, kind }) => (kind === "calls" && to === symptom ? [from] : [])),
    ...view
      .of("traffic")
      .flatMap(({ caller, callee }) => (caller !== null && callee === symptom ? [caller] : [])),
  ]);
  const measured = view
    .of("series")
    .filter(({ node, signal }) => callers.has(node) && signal === "requests")
    .map((series) => ({ node: series.node, ...onsetPast(series, onsetAt) }));
  // Whoever is not measured may have brought it.
  if ([...callers].some((caller) => !measured.some(({ node }) => node === caller))) return [];
  const grown = measured.some(
    ({ usual, worst }) => worst / Math.max(usual, 1e-9) > Math.sqrt(growth),
  );
  return grown ? [] : [...new Set(measured.map(({ node }) => node))];
}
