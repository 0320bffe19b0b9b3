/** By how much measurements of a node have moved, where a source gives before and after. */
import type { Series, Signal } from "../../event.ts";
import type { NodeId } from "../../graph-words.ts";
import type { View } from "../view.ts";

export interface Shift {
  readonly node: NodeId;
  readonly signal: Signal;
  readonly name: string;
  readonly before: number;
  readonly after: number;
  readonly series: Series;
}

/** A series of two points is a summary: what was usual, and what is. A longer one is for `signals/` to judge. */
export function shiftsOf(view: View): readonly Shift[] {
  return view.of("series").flatMap((series) => {
    const [first, last, more] = series.points;
    if (first === undefined || last === undefined || more !== undefined) return [];
    const { node, signal, name } = series;
    return [{ node, signal, name, before: first[1], after: last[1], series }];
  });
}

/** What is next to nothing has not grown a thousandfold when it is a little: a millisecond, a thousandth of a core. */
const floorOf = (signal: Signal): number => (signal === "latency" ? 1 : 1e-3);

/** The logarithm of the ratio: 0 is as before. */
export function growth({ signal, before, after }: Shift): number {
  const floor = floorOf(signal);
  return Math.log(Math.max(after, floor) / Math.max(before, floor));
}
