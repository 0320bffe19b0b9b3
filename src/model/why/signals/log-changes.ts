/** What a node says now and did not, or says no more, measured against how often it was called for each operation that the outside entered. */
import type { LogTemplate } from "../../event.ts";
import type { Anomaly } from "./anomaly.ts";
import { rateChange } from "./rates.ts";
import { runsOf, type Window } from "./windows.ts";

export interface LogWindow {
  readonly at: number;
  /** By node and template, then by entry. */
  readonly counts: ReadonlyMap<string, ReadonlyMap<string, LogTemplate>>;
  readonly runs: Window["runs"];
}

/** What an error says speaks for itself; what is said otherwise may be the day's business. */
const severityWeight: Readonly<Record<LogTemplate["severity"], number>> = {
  error: 1,
  warn: 0.8,
  info: 0.6,
  debug: 0.3,
};

export function logWindow(
  at: number,
  logs: readonly LogTemplate[],
  runs: Window["runs"],
): LogWindow {
  const counts = new Map<string, Map<string, LogTemplate>>();
  for (const log of logs) {
    const key = JSON.stringify([log.node, log.severity, log.template]);
    const entries = counts.get(key);
    if (entries === undefined) counts.set(key, new Map([[log.entry, log]]));
    else entries.set(log.entry, log);
  }
  return { at, counts, runs };
}

export function logChanges(past: readonly LogWindow[], now: readonly LogWindow[]): Anomaly[] {
  const keys = new Set([...now, ...past].flatMap(({ counts }) => [...counts.keys()]));
  return [...keys].flatMap((key) => anomalyOf(key, past, now));
}

function anomalyOf(key: string, past: readonly LogWindow[], now: readonly LogWindow[]): Anomaly[] {
  const all = [...now, ...past].flatMap(({ counts }) => [...(counts.get(key) ?? [])]);
  const [, log] = all[0] ?? [];
  if (log === undefined) return [];
  const changes = [...new Set(all.map(([entry]) => entry))].sort().flatMap((entry) => {
    const rate = ({ counts, runs }: LogWindow) => ({
      events: counts.get(key)?.get(entry)?.count ?? 0,
      runs: runsOf({ runs }, log.node, entry),
    });
    const change = rateChange(past.map(rate), now.map(rate));
    return change === undefined ? [] : [{ entry, ...change }];
  });
  const [more, less] = [changes.filter((each) => each.more), changes.filter((each) => !each.more)];
  const [side, other] = total(more) >= total(less) ? [more, less] : [less, more];
  // What is said more here and less there is traffic that has shifted.
  const nats = total(side) - total(other);
  const [top] = side.toSorted((a, b) => b.nats - a.nats);
  if (nats <= 0 || top === undefined) return [];
  const says = top.more ? "says" : "says no more";
  return [
    {
      node: log.node,
      aspect: "failing",
      own: true,
      kind: top.more && log.severity === "error" ? "code.exception" : "code.result",
      strength: Math.log1p(nats) * severityWeight[log.severity],
      onsetAt: now.find(({ counts }) => counts.has(key))?.at ?? now[0]?.at ?? null,
      says: `${says} "${log.template}" ${top.now.events} times in ${top.now.runs} calls for ${top.entry}; ${top.past.events} in ${top.past.runs} before`,
      origin: log.origin,
    },
  ];
}

function total(changes: readonly { nats: number }[]): number {
  return changes.reduce((sum, { nats }) => sum + nats, 0);
}
