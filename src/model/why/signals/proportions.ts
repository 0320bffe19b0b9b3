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
/** So near to a few for one in most windows, it is meant to be just that. */
const nearlyShare = 0.1;
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
    if (top === undefined || top.nats <= 0) return [];
    return [
      {
        node,
        aspect: "failing" as const,
        own: true,
        kind: "code.result" as const,
        strength: Math.log1p(top.nats),
        onsetAt: now[0]?.at ?? null,
        says: saysOf(top),
        origin: top.origin,
      },
    ];
  });
}

/** As "it says info "sent" 20 times, where 80 are to be expected: usually once for each time that it runs buy (80 times now)". */
function saysOf({ base, part, count, ratio, change }: Broken): string {
  const { runs } = change.now;
  const usually =
    ratio === 1
      ? "once for each time"
      : ratio > 1
        ? `${ratio === 2 ? "twice" : `${ratio} times`} for each time`
        : `once for every ${Math.round(1 / ratio)} times`;
  const expected = Math.round(ratio * runs);
  return `it ${part} ${count} times, where ${expected} are to be expected: usually ${usually} that it ${base} (${runs} times now)`;
}

type Counters = ReadonlyMap<string, Counter>;

interface Broken {
  readonly base: string;
  readonly part: string;
  /** Of the part, since the trouble began. */
  readonly count: number;
  /** How many of the part come with one of the base. */
  readonly ratio: number;
  readonly change: RateChange;
  readonly origin: Origin;
}

/** One thing that a node does, with how often in each window. */
interface Habit {
  readonly what: string;
  readonly origin: Origin;
  readonly past: readonly number[];
  readonly now: readonly number[];
}

function furthestOf(
  past: readonly Counters[],
  now: readonly Counters[],
): (Broken & { readonly nats: number }) | undefined {
  const habits = habitsOf(past, now);
  let top: Broken | undefined;
  let asked = 0;
  for (const base of habits)
    for (const part of habits) {
      if (base === part) continue;
      const broken = brokenOf(base, part);
      if (broken === "none") continue;
      asked += 1;
      if (broken !== "held" && broken.change.nats > (top?.change.nats ?? 0)) top = broken;
    }
  return top && { ...top, nats: top.change.nats - Math.log(asked) };
}

function habitsOf(past: readonly Counters[], now: readonly Counters[]): Habit[] {
  const counters = new Map(past.flatMap((each) => [...each]));
  const counts = (windows: readonly Counters[], what: string) =>
    windows.map((each) => each.get(what)?.count ?? 0);
  return [...counters.values()]
    .map(({ what, origin }) => ({
      what,
      origin,
      past: counts(past, what),
      now: counts(now, what),
    }))
    .map((habit) => ({ habit, total: habit.past.reduce((sum, count) => sum + count, 0) }))
    .filter(({ total }) => total >= leastEvents)
    .sort((a, b) => b.total - a.total || (a.habit.what < b.habit.what ? -1 : 1))
    .slice(0, mostCounters)
    .map(({ habit }) => habit);
}

/** How often the part was off its proportion to the base; or that there was none, or that it still holds. */
function brokenOf(base: Habit, part: Habit): Broken | "none" | "held" {
  const ratio = simple(medianRatio(base.past, part.past));
  if (ratio === undefined || !heldBefore(base.past, part.past, ratio)) return "none";
  const off = (bases: readonly number[], parts: readonly number[]) =>
    bases.map((runs, at) => ({ events: Math.abs((parts[at] ?? 0) - ratio * runs), runs }));
  const change = rateChange(off(base.past, part.past), off(base.now, part.now));
  if (change?.more !== true || change.now.runs < leastInWindow) return "held";
  const count = part.now.reduce((sum, each) => sum + each, 0);
  return { base: base.what, part: part.what, count, ratio, change, origin: part.origin };
}

function medianRatio(bases: readonly number[], parts: readonly number[]): number {
  return weightedMedian(
    bases.flatMap((n, at) => (n > 0 ? [[(parts[at] ?? 0) / n, n] as const] : [])),
  );
}

/** Steps of one flow come one for one, or a few for one; other proportions are of traffic that happens to be mixed so. */
function simple(ratio: number): number | undefined {
  const few = Math.round(ratio >= 1 ? ratio : 1 / ratio);
  const exact = ratio >= 1 ? few : 1 / few;
  return few <= mostForOne && Math.abs(ratio - exact) <= nearlyShare * exact ? exact : undefined;
}

function heldBefore(bases: readonly number[], parts: readonly number[], ratio: number): boolean {
  let held = 0;
  for (const [at, runs] of bases.entries()) {
    const off = Math.abs((parts[at] ?? 0) - ratio * runs);
    if (runs >= leastInWindow && off <= Math.max(1, heldShare * runs)) held += 1;
  }
  return held >= leastWindows;
}
