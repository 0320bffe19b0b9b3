/**
 * How a service stands to trouble at a node: it starts there, the service's requests wait for it, it is asked by it, or neither.
 * What waits is structure × traffic: of two callers, the one that asks with each request waits more than the one that rarely does.
 */
import type { CauseKind } from "../cause-kind.ts";
import { type NodeId, splitNodeId } from "../graph-words.ts";

export interface Structure {
  readonly services: readonly NodeId[];
  readonly calls: readonly Call[];
  /** Requests from outside by the service that takes them; empty where they are not measured. */
  readonly entries: ReadonlyMap<NodeId, number>;
  /** Nobody asks them for anything now. */
  readonly idle: ReadonlySet<NodeId>;
  /** The service that a workload runs, and the services on a host. */
  readonly servedBy: (node: NodeId) => readonly NodeId[];
}

export interface Call {
  readonly caller: NodeId;
  readonly callee: NodeId;
  /** Of the caller's requests, those that ask the callee: 0 to 1; 1 where it is not measured. */
  readonly part: number;
}

export interface Trouble {
  readonly node: NodeId;
  readonly kind: CauseKind;
  /** The part of the requests from outside that wait for it, 0 to 1, where it is measured. */
  readonly share?: number;
  /** Services that the node served then, where they are not those of now. */
  readonly served?: readonly NodeId[];
}

export type Relation = "self" | "waits" | "waits_little" | "asked" | "idle" | "other";

/** Where most requests are meant: as many as not. */
export const most = 0.5;

export interface Standing {
  readonly to: (service: NodeId) => Relation;
  /** Of a service's requests, those that wait for the trouble: 0 to 1; 1 where it starts. */
  readonly waiting: (service: NodeId) => number;
  /** What the node serves: two nodes that serve the same are one place. */
  readonly place: string;
}

export function standing(structure: Structure, trouble: Trouble): Standing {
  const { idle, calls } = structure;
  const served = servedIn(structure, trouble);
  const origins = originsOf(structure, trouble, served);
  const waiting = waitingFor(calls, origins);
  const asked = new Set(calls.flatMap(({ caller, callee }) => (origins.has(caller) ? callee : [])));
  return {
    to: (service) => {
      if (origins.has(service)) return "self";
      if (idle.has(service)) return "idle";
      const part = waiting.get(service);
      if (part !== undefined) return part >= most ? "waits" : "waits_little";
      return asked.has(service) ? "asked" : "other";
    },
    waiting: (service) => waiting.get(service) ?? 0,
    place: served.size === 0 ? trouble.node : [...served].sort().join(" "),
  };
}

/** The part of the requests from outside that wait for the trouble; undefined where they are not measured. */
export function waitingShare(structure: Structure, trouble: Trouble): number | undefined {
  const { waiting } = standing(structure, trouble);
  const entries = [...structure.entries];
  const all = entries.reduce((sum, [, requests]) => sum + requests, 0);
  if (all === 0) return undefined;
  return entries.reduce((sum, [entry, requests]) => sum + requests * waiting(entry), 0) / all;
}

function servedIn(structure: Structure, { node, served }: Trouble): ReadonlySet<NodeId> {
  const services = new Set(structure.services);
  return new Set((served ?? structure.servedBy(node)).filter((each) => services.has(each)));
}

/**
 * Services that the trouble is felt at first. A machine's network is between those on it and those elsewhere: who asks across
 * waits; who only answers is on time by its own clock.
 */
function originsOf(
  { calls }: Structure,
  { node, kind }: Trouble,
  served: ReadonlySet<NodeId>,
): ReadonlySet<NodeId> {
  if (splitNodeId(node)?.kind !== "host" || !kind.startsWith("network.")) return served;
  const across = calls.filter(({ caller, callee }) => served.has(caller) !== served.has(callee));
  return across.length === 0 ? served : new Set(across.map(({ caller }) => caller));
}

/** By the way on which most of a service's requests wait. */
function waitingFor(
  calls: readonly Call[],
  origins: ReadonlySet<NodeId>,
): ReadonlyMap<NodeId, number> {
  const callsOf = new Map<NodeId, Call[]>();
  for (const call of calls) callsOf.set(call.callee, [...(callsOf.get(call.callee) ?? []), call]);
  const waiting = new Map<NodeId, number>([...origins].map((each) => [each, 1]));
  const queue = [...origins];
  for (const callee of queue) {
    for (const { caller, part } of callsOf.get(callee) ?? []) {
      const waits = part * (waiting.get(callee) ?? 0);
      if (waits <= (waiting.get(caller) ?? 0)) continue;
      waiting.set(caller, waits);
      queue.push(caller);
    }
  }
  return waiting;
}
