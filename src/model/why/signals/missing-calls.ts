/** Calls that an operation used to make and makes no more: where a flow was cut short. */

import type { Traffic } from "../../event.ts";
import type { NodeId } from "../../graph-words.ts";
import type { Anomaly } from "./anomaly.ts";
import { rateChange, usualOf } from "./rates.ts";
import { countOf, type Window } from "./windows.ts";

interface Habit {
  readonly node: NodeId;
  readonly operation: string;
  readonly entry: string;
  readonly call: string;
  readonly parent: string;
  readonly example: Traffic;
}

/** Operations that run as before, but make other calls than in every window of the past. */
export function changedCalls(past: readonly Window[], now: readonly Window[]): Anomaly[] {
  return [...habitsOf([...past, ...now]).values()].flatMap((habit) => anomalyOf(habit, past, now));
}

function habitsOf(windows: readonly Window[]): Map<string, Habit> {
  const habits = new Map<string, Habit>();
  for (const { children } of windows)
    for (const [parent, { node, operation, entry, calls }] of children)
      for (const [call, example] of calls)
        habits.set(`${parent} ${call}`, { node, operation, entry, call, parent, example });
  return habits;
}

function anomalyOf(habit: Habit, past: readonly Window[], now: readonly Window[]): Anomaly[] {
  const { node, operation, entry, example } = habit;
  const rate = (window: Window) => ({
    events: window.children.get(habit.parent)?.calls.get(habit.call)?.count ?? 0,
    runs: countOf(window, node, operation, entry),
  });
  const change = rateChange(past.map(rate), now.map(rate));
  if (change === undefined || change.more) return [];
  const usual = usualOf(change);
  const missing = usual - change.now.events;
  const half = (usual + change.now.events) / 2 / change.now.runs;
  const began = now.find((window) => rate(window).events < half * rate(window).runs);
  return [
    {
      node,
      aspect: "failing",
      own: true,
      kind: "code.result",
      strength: Math.log1p(change.nats),
      // Several calls of one run that are missing are one run that was cut short.
      failed: missing * Math.min(1, change.now.runs / usual),
      onsetAt: (began ?? now[0])?.at ?? null,
      says: `${operation} ran ${change.now.runs} times and called ${example.callee} ${example.operation} ${change.now.events} times, where ${usual.toFixed(1)} were usual`,
      origin: example.origin,
    },
  ];
}
