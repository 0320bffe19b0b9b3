/** Calls that fail more often than they did, by operation of the callee. */
import type { Anomaly } from "./anomaly.ts";
import { rateChange, usualOf } from "./rates.ts";
import type { Calls, Window } from "./windows.ts";

export function failingCalls(past: readonly Window[], now: readonly Window[]): Anomaly[] {
  const operations = new Map<string, Calls>(now.flatMap((window) => [...window.operations]));
  return [...operations].flatMap(([key, { node, operation, first }]) => {
    const rate = (window: Window) => {
      const calls = window.operations.get(key);
      return { events: calls?.errors ?? 0, runs: calls?.count ?? 0 };
    };
    const change = rateChange(past.map(rate), now.map(rate));
    if (change === undefined || !change.more) return [];
    const began = now.find((window) => rate(window).events > 0) ?? now[0];
    return [
      {
        node,
        aspect: "failing" as const,
        own: true,
        kind: "code.exception" as const,
        strength: Math.log1p(change.nats),
        failed: change.now.events - usualOf(change),
        onsetAt: began?.at ?? null,
        says: `${operation} failed ${change.now.events} of ${change.now.runs} times, ${change.past.events} of ${change.past.runs} before`,
        origin: first.origin,
      },
    ];
  });
}
