/** How often something happened in runs of an operation, by window. */
import { rateChangeNats } from "./statistics.ts";

export interface Rate {
  readonly events: number;
  readonly runs: number;
}

export interface RateChange {
  readonly nats: number;
  readonly more: boolean;
  readonly now: Rate;
  readonly past: Rate;
}

/** The change of a rate beyond the windows of the past; undefined when they were like it is now. */
export function rateChange(past: readonly Rate[], now: readonly Rate[]): RateChange | undefined {
  const before = past.filter(({ runs }) => runs > 0);
  const total = sum(now);
  if (before.length === 0 || total.runs === 0) return undefined;
  const rate = total.events / total.runs;
  const unlike = unlikeNow(before, rate);
  const rates = unlike.map(rateOf);
  if (rate >= Math.min(...rates) && rate <= Math.max(...rates)) return undefined;
  const all = sum(unlike);
  const nats = rateChangeNats(total.events, total.runs, all.events, all.runs);
  return { nats, more: rate > all.events / all.runs, now: total, past: all };
}

/** How many events there would have been, at the rate of the past. */
export function usualOf({ past, now }: RateChange): number {
  return (past.events / past.runs) * now.runs;
}

/** Trouble may have begun before it was noticed: of several windows of the past, the one most like now is left out. */
function unlikeNow(past: readonly Rate[], rate: number): readonly Rate[] {
  if (past.length < 3) return past;
  const distance = (each: Rate) => Math.abs(rateOf(each) - rate);
  const nearest = past.reduce((top, each) => (distance(each) < distance(top) ? each : top));
  return past.filter((each) => each !== nearest);
}

function rateOf({ events, runs }: Rate): number {
  return events / runs;
}

function sum(rates: readonly Rate[]): Rate {
  return {
    events: rates.reduce((all, { events }) => all + events, 0),
    runs: rates.reduce((all, { runs }) => all + runs, 0),
  };
}
