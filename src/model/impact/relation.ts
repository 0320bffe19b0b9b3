/**
 * How a service stands to trouble at a node: it starts there, the service's requests wait for it, it is asked by it, or neither.
 * What waits is structure × traffic: of two callers, the one that asks with each request waits more than the one that rarely does.
 */
import type { CauseKind } from "../cause-kind.ts";
import { type NodeId, splitNodeId } from "../graph-words.ts";

export interface Structure {
  readonly services: readonly NodeId[];
  readonly calls: readonly Call[];
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

/** How services stand to one trouble and another, within one structure. */
export class Standings {
  readonly #structure: Structure;
  readonly #services: ReadonlySet<NodeId>;
  readonly #callsTo: ReadonlyMap<NodeId, readonly Call[]>;
  readonly #callsOf: ReadonlyMap<NodeId, readonly Call[]>;
  /** Most trouble is where some was before. */
  readonly #known = new Map<string, Standing>();

  constructor(structure: Structure) {
    this.#structure = structure;
    this.#services = new Set(structure.services);
    this.#callsTo = grouped(structure.calls, ({ callee }) => callee);
    this.#callsOf = grouped(structure.calls, ({ caller }) => caller);
  }

  of(trouble: Trouble): Standing {
    const key = JSON.stringify([trouble.node, trouble.served, isNetworkOfHost(trouble)]);
    const known = this.#known.get(key) ?? this.#standing(trouble);
    this.#known.set(key, known);
    return known;
  }

  #standing(trouble: Trouble): Standing {
    const served = this.served(trouble);
    const origins = this.#origins(trouble, served);
    const waiting = this.#waiting(origins);
    const asked = new Set(
      [...origins].flatMap((each) => (this.#callsOf.get(each) ?? []).map(({ callee }) => callee)),
    );
    return {
      to: (service) => {
        if (origins.has(service)) return "self";
        if (this.#structure.idle.has(service)) return "idle";
        const part = waiting.get(service);
        if (part !== undefined) return part >= most ? "waits" : "waits_little";
        return asked.has(service) ? "asked" : "other";
      },
      waiting: (service) => waiting.get(service) ?? 0,
      place: served.size === 0 ? trouble.node : [...served].sort().join(" "),
    };
  }

  /** Services of these that the node served then, else serves now. */
  served({ node, served }: Trouble): ReadonlySet<NodeId> {
    const all = served ?? this.#structure.servedBy(node);
    return new Set(all.filter((each) => this.#services.has(each)));
  }

  /**
   * Services that the trouble is felt at first. A machine's network is between those on it and those elsewhere: who asks
   * across waits; who only answers is on time by its own clock.
   */
  #origins(trouble: Trouble, served: ReadonlySet<NodeId>): ReadonlySet<NodeId> {
    if (!isNetworkOfHost(trouble)) return served;
    const across = this.#structure.calls.filter(
      ({ caller, callee }) => served.has(caller) !== served.has(callee),
    );
    return across.length === 0 ? served : new Set(across.map(({ caller }) => caller));
  }

  /** By the way on which most of a service's requests wait. */
  #waiting(origins: ReadonlySet<NodeId>): ReadonlyMap<NodeId, number> {
    const waiting = new Map<NodeId, number>([...origins].map((each) => [each, 1]));
    const queue = [...origins];
    for (const callee of queue) {
      for (const { caller, part } of this.#callsTo.get(callee) ?? []) {
        const waits = part * (waiting.get(callee) ?? 0);
        if (waits <= (waiting.get(caller) ?? 0)) continue;
        waiting.set(caller, waits);
        queue.push(caller);
      }
    }
    return waiting;
  }
}

const isNetworkOfHost = ({ node, kind }: Trouble): boolean =>
  splitNodeId(node)?.kind === "host" && kind.startsWith("network.");

function grouped(
  calls: readonly Call[],
  by: (call: Call) => NodeId,
): ReadonlyMap<NodeId, readonly Call[]> {
  const groups = new Map<NodeId, Call[]>();
  for (const call of calls) {
    const group = groups.get(by(call));
    if (group === undefined) groups.set(by(call), [call]);
    else group.push(call);
  }
  return groups;
}

/**
 * The part of the requests from outside that wait for the trouble, of their number by the service that takes them; undefined
 * where none are known.
 */
export function waitingShare(
  structure: Structure,
  trouble: Trouble,
  entries: ReadonlyMap<NodeId, number>,
): number | undefined {
  const { waiting } = new Standings(structure).of(trouble);
  const all = [...entries.values()].reduce((sum, requests) => sum + requests, 0);
  if (all === 0) return undefined;
  return [...entries].reduce((sum, [entry, requests]) => sum + requests * waiting(entry), 0) / all;
}
