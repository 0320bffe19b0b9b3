/** Traffic by window, with the calls of one operation from all its callers put together. */
import type { Quantiles, Traffic } from "../../event.ts";
import type { NodeId } from "../../graph-words.ts";

/** One operation, or one way between two nodes, within one window. */
export interface Calls {
  readonly node: NodeId;
  readonly caller: NodeId | null;
  readonly operation: string;
  readonly entry: string;
  count: number;
  errors: number;
  self: Quantiles | null;
  way: Quantiles | null;
  readonly first: Traffic;
}

/** Of one parent operation: how often it made each call. */
export interface Children {
  readonly node: NodeId;
  readonly operation: string;
  readonly entry: string;
  readonly calls: Map<string, Traffic>;
}

export interface Window {
  readonly at: number;
  readonly operations: ReadonlyMap<string, Calls>;
  readonly ways: ReadonlyMap<string, Calls>;
  readonly children: ReadonlyMap<string, Children>;
  /** How often a node was called, by node and by the operation that the outside entered. */
  readonly runs: ReadonlyMap<string, number>;
}

const keyOf = (...parts: readonly (string | null)[]): string => JSON.stringify(parts);

/** Windows in order of time; traffic with one `at` is one window. */
export function windowsOf(traffic: readonly Traffic[]): Window[] {
  const byTime = new Map<number, Traffic[]>();
  for (const each of traffic) {
    const same = byTime.get(each.at);
    if (same === undefined) byTime.set(each.at, [each]);
    else same.push(each);
  }
  return [...byTime].sort(([a], [b]) => a - b).map(([at, events]) => windowOf(at, events));
}

function windowOf(at: number, events: readonly Traffic[]): Window {
  const operations = new Map<string, Calls>();
  const ways = new Map<string, Calls>();
  const children = new Map<string, Children>();
  const runs = new Map<string, number>();
  for (const event of events) {
    const { callee, caller, operation, entry } = event;
    merge(operations, keyOf(callee, operation, entry), event);
    if (caller !== null && caller !== callee && event.wayMs !== undefined)
      merge(ways, keyOf(caller, callee), event);
    if (caller !== null && event.callerOperation !== undefined)
      addChild(children, keyOf(caller, event.callerOperation, entry), event);
    if (caller !== callee)
      for (const key of [keyOf(callee, entry), keyOf(callee, "")])
        runs.set(key, (runs.get(key) ?? 0) + event.count);
  }
  return { at, operations, ways, children, runs };
}

function merge(into: Map<string, Calls>, key: string, event: Traffic): void {
  const { callee: node, caller, operation, entry, count, errors } = event;
  const [self, way] = [event.selfMs, event.wayMs ?? null];
  const calls = into.get(key);
  if (calls === undefined) {
    into.set(key, { node, caller, operation, entry, count, errors, self, way, first: event });
    return;
  }
  calls.self = mergeQuantiles(calls.self, calls.count, self, count);
  calls.way = mergeQuantiles(calls.way, calls.count, way, count);
  calls.count += count;
  calls.errors += errors;
}

/** Of two groups of calls, by their sizes; the true quantiles of the whole lie between those of the groups. */
function mergeQuantiles(
  a: Quantiles | null,
  n: number,
  b: Quantiles | null,
  m: number,
): Quantiles | null {
  if (a === null || b === null) return a ?? b;
  const mean = (x: number, y: number) => (x * n + y * m) / (n + m);
  return { p50: mean(a.p50, b.p50), p90: mean(a.p90, b.p90), max: Math.max(a.max, b.max) };
}

function addChild(children: Map<string, Children>, key: string, event: Traffic): void {
  const { caller, callerOperation, callee, operation, entry } = event;
  let parent = children.get(key);
  if (parent === undefined) {
    parent = { node: caller ?? "", operation: callerOperation ?? "", entry, calls: new Map() };
    children.set(key, parent);
  }
  parent.calls.set(keyOf(callee, operation), event);
}

/** How often the operation itself ran, by whomever it was called. */
export function countOf(window: Window, node: NodeId, operation: string, entry: string): number {
  return window.operations.get(keyOf(node, operation, entry))?.count ?? 0;
}

/** How often a node was called in runs of an entry; in all of them for "". */
export function runsOf({ runs }: Pick<Window, "runs">, node: NodeId, entry: string): number {
  return runs.get(keyOf(node, entry)) ?? 0;
}
