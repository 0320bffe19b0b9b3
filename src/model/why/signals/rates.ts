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

/** The change of a rate beyond every window of the past; undefined when one of them was like it is now. */
export function rateChange(past: readonly Rate[], now: readonly Rate[]): RateChange | undefined {
  const before = past.filter(({ runs }) => runs > 0);
  const total = sum(now);
  if (before.length === 0 || total.runs === 0) return undefined;
  const rate = total.events / total.runs;
  const rates = before.map(({ events, runs }) => events / runs);
  if (rate >= Math.min(...rates) && rate <= Math.max(...rates)) return undefined;
  const all = sum(before);
  const nats = rateChangeNats(total.events, total.runs, all.events, all.runs);
  return { nats, more: rate > all.events / all.runs, now: total, past: all };
}

function sum(rates: readonly Rate[]): Rate {
  return {
    events: rates.reduce((all, { events }) => all + events, 0),
    runs: rates.reduce((all, { runs }) => all + runs, 0),
  };
}
