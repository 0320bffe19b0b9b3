/** How much of a span is its own: its time without what it waited for. */
import type { Span } from "./span.ts";

interface Interval {
  readonly from: number;
  readonly to: number;
}

export interface SelfTime {
  readonly selfUs: number;
  /** Children that were moved into it, because their clock was another. */
  readonly skewed: number;
}

/**
 * Children that overlap are waited for once. A child on another clock that lies outside is taken to lie in the middle; one
 * that nobody waits for takes nothing away.
 */
export function selfTime(span: Span, children: readonly Span[]): SelfTime {
  const whole: Interval = { from: span.startUs, to: span.startUs + span.durationUs };
  let skewed = 0;
  const waited: Interval[] = [];
  for (const child of children) {
    if (child.isDetached === true) continue;
    const own: Interval = { from: child.startUs, to: child.startUs + child.durationUs };
    if (own.from >= whole.from && own.to <= whole.to) waited.push(own);
    else if (child.service === span.service) waited.push(clipped(own, whole));
    else {
      skewed += 1;
      waited.push(centred(child.durationUs, whole));
    }
  }
  return { selfUs: Math.max(0, span.durationUs - covered(waited)), skewed };
}

function clipped({ from, to }: Interval, whole: Interval): Interval {
  return { from: Math.max(from, whole.from), to: Math.min(to, whole.to) };
}

function centred(durationUs: number, whole: Interval): Interval {
  const length = Math.min(durationUs, whole.to - whole.from);
  const from = whole.from + (whole.to - whole.from - length) / 2;
  return { from, to: from + length };
}

function covered(intervals: readonly Interval[]): number {
  let [sum, until] = [0, Number.NEGATIVE_INFINITY];
  for (const { from, to } of intervals.toSorted((a, b) => a.from - b.from)) {
    if (to <= until || to <= from) continue;
    sum += to - Math.max(from, until);
    until = to;
  }
  return sum;
}
