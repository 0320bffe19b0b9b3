/**
 * What a node does comes in proportions: so many queries a call, as many answers as questions. They hold whatever the
 * traffic is, so that one that no longer holds tells of the node itself, even where nothing fails and nothing is said.
 */
import type { LogTemplate, Origin, Traffic } from "../../event.ts";
import type { NodeId } from "../../graph-words.ts";
import type { Anomaly } from "./anomaly.ts";
import { type RateChange, rateChange } from "./rates.ts";
import { weightedMedian } from "./statistics.ts";

interface Counter {
  readonly what: string;
  readonly origin: Origin;
  count: number;
}

interface Doing {
  readonly node: NodeId;
  readonly counters: Map<string, Counter>;
}

/** By node and by the operation that the outside entered, what it did how often within one window. */
export type Activity = ReadonlyMap<string, Doing>;

export interface ActivityWindow {
  readonly at: number;
  readonly activity: Activity;
}

/** Fewer are no proportion yet. */
const leastEvents = 8;
/** Windows in which a proportion must have held, with so many events each, to be one. */
const leastWindows = 2;
const leastInWindow = 4;
/** It holds when at most this share is off: what is under way at the edges of a window. */
const heldShare = 0.005;
const mostForOne = 4;
/** Of the things that a node does most, so many are compared with each other. */
const mostCounters = 60;

export function activityOf(traffic: readonly Traffic[], logs: readonly LogTemplate[]): Activity {
  const activity = new Map<string, Doing>();
  const add = (
    node: NodeId,
    entry: string,
    what: string,
    { count, origin }: Traffic | LogTemplate,
  ) => {
    const key = JSON.stringify([node, entry]);
    const counters = activity.get(key)?.counters ?? new Map<string, Counter>();
    activity.set(key, { node, counters });
    const counter = counters.get(what);
    if (counter === undefined) counters.set(what, { what, origin, count });
    else counter.count += count;
  };
  for (const event of traffic) {
    const { caller, callee, operation, entry } = event;
    add(callee, entry, `runs ${operation}`, event);
    if (caller !== null && caller !== callee)
      add(caller, entry, `calls ${callee} ${operation}`, event);
  }
  for (const log of logs)
    if (log.entry !== "") add(log.node, log.entry, `says ${log.severity} "${log.template}"`, log);
  return activity;
}

/** Of each node, the proportion that is furthest from what it was in the past. */
export function brokenProportions(
  past: readonly ActivityWindow[],
  now: readonly ActivityWindow[],
): Anomaly[] {
  const doings = new Map([...past, ...now].flatMap(({ activity }) => [...activity]));
  return [...doings].flatMap(([key, { node }]) => {
    const of = ({ activity }: ActivityWindow) =>
      activity.get(key)?.counters ?? new Map<string, Counter>();
    const top = furthestOf(past.map(of), now.map(of));
    if (top === undefined) return [];
    const { base, part, change, origin } = top;
    return [
      {
        node,
        aspect: "failing" as const,
        own: true,
        kind: "code.result" as const,
        strength: Math.log1p(change.nats),
        onsetAt: now[0]?.at ?? null,
        says: `${part}: ${change.now.events} too many or too few for ${change.now.runs} times that it ${base}; ${change.past.events} in ${change.past.runs} before`,
        origin,
      },
    ];
  });
}

type Counters = ReadonlyMap<string, Counter>;

interface Broken {
  readonly base: string;
  readonly part: string;
  readonly change: RateChange;
  readonly origin: Origin;
}

function furthestOf(past: readonly Counters[], now: readonly Counters[]): Broken | undefined {
  const total = (name: string) => past.reduce((sum, each) => sum + (each.get(name)?.count ?? 0), 0);
  const names = [...new Set(past.flatMap((each) => [...each.keys()]))]
    .map((name) => ({ name, count: total(name) }))
    .filter(({ count }) => count >= leastEvents)
    .sort((a, b) => b.count - a.count || (a.name < b.name ? -1 : 1))
    .slice(0, mostCounters);
  let top: Broken | undefined;
  for (const base of names)
    for (const part of names) {
      if (base === part) continue;
      const change = changeOf(past, now, base.name, part.name);
      if (change === undefined || change.nats <= (top?.change.nats ?? 0)) continue;
      const origin = past.find((each) => each.has(part.name))?.get(part.name)?.origin;
      if (origin !== undefined) top = { base: base.name, part: part.name, change, origin };
    }
  return top;
}

/** Steps of one flow come one for one, or a few for one; other proportions are of traffic that happens to be mixed so. */
function simple(ratio: number): number | undefined {
  for (let few = 1; few <= mostForOne; few++)
    for (const exact of [few, 1 / few]) if (Math.abs(ratio - exact) <= 0.1 * exact) return exact;
  return undefined;
}

function isHeld({ events, runs }: { events: number; runs: number }): boolean {
  return events <= Math.max(1, heldShare * runs);
}

/** How often the part was off its proportion to the base. */
function changeOf(
  past: readonly Counters[],
  now: readonly Counters[],
  base: string,
  part: string,
): RateChange | undefined {
  const pairs = (windows: readonly Counters[]) =>
    windows.map((each) => [each.get(base)?.count ?? 0, each.get(part)?.count ?? 0] as const);
  const before = pairs(past);
  const ratio = simple(
    weightedMedian(before.flatMap(([n, k]) => (n > 0 ? [[k / n, n] as const] : []))),
  );
  if (ratio === undefined) return undefined;
  const off = ([n, k]: readonly [number, number]) => ({
    events: Math.abs(k - ratio * n),
    runs: n,
  });
  const unlike = pairs(now).map(off);
  const change = rateChange(before.map(off), unlike);
  if (change === undefined || !change.more || change.now.runs < leastInWindow) return undefined;
  const held = before.filter((pair) => pair[0] >= leastInWindow && isHeld(off(pair)));
  return held.length >= leastWindows ? change : undefined;
}
