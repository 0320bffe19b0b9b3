/**
 * Which services would feel trouble of a kind at a node: structure × what confirmed incidents tell of who felt what.
 * Static reach alone says too much where few of those who could ask do ask, and too little where what is slow blocks all.
 */
import type { CauseKind } from "../cause-kind.ts";
import { type NodeId, splitNodeId } from "../graph-words.ts";
import { type ConfirmedIncident, type Memory, mannerOf } from "../memory/index.ts";

export interface Structure {
  readonly services: readonly NodeId[];
  /** Caller and callee. */
  readonly calls: readonly (readonly [NodeId, NodeId])[];
  /** The service that a workload runs, and the services on a host. */
  readonly servedBy: (node: NodeId) => readonly NodeId[];
}

export interface Feeling {
  readonly service: NodeId;
  readonly probability: number;
}

type Relation = "self" | "caller" | "far_caller" | "callee" | "other";

/** As if so many incidents had been seen of what is more general, before what is more special counts as much. */
const generalAs = 2;
const specialAs = 1;
/** An incident that was felt otherwise tells less of this one. */
const otherMannerWeight = 0.05;
const otherPlaceWeight = 0.1;
const otherBreadthWeight = 0.1;
const mostShare = 0.5;
/** So does one of which it is not known how many requests passed its node. */
const unknownShareWeight = 0.5;

export interface Trouble {
  readonly node: NodeId;
  readonly kind: CauseKind;
  /** The part of the requests from outside that pass the node, 0 to 1, where it is measured. */
  readonly share?: number;
}

/**
 * All services with a probability each, most first. Without memory: what the trouble is at and all that call it, since who
 * does not know is careful.
 */
export function whoFeels(structure: Structure, cause: Trouble, memory: Memory): readonly Feeling[] {
  const relations = new Relations(structure);
  const services = new Set(structure.services);
  // What happened where none of these services are tells nothing of them.
  const known = memory.incidents.filter(({ felt }) => felt?.some((each) => services.has(each)));
  const counts = new Counts(structure, relations, known, cause);
  const relationTo = relations.to(cause.node);
  return structure.services
    .map((service) => ({
      service,
      probability: counts.probability(service, relationTo(service), cause),
    }))
    .sort((a, b) => b.probability - a.probability || (a.service < b.service ? -1 : 1));
}

/** The set that is expected to agree best with who feels it: that part of the list whose expected overlap is largest. */
export function likelyFelt(feelings: readonly Feeling[]): readonly NodeId[] {
  const all = feelings.reduce((sum, { probability }) => sum + probability, 0);
  let [best, bestCount, inside] = [0, 1, 0];
  feelings.forEach(({ probability }, i) => {
    inside += probability;
    const overlap = inside / (i + 1 + all - inside);
    if (overlap > best) [best, bestCount] = [overlap, i + 1];
  });
  return feelings.slice(0, bestCount).map(({ service }) => service);
}

class Relations {
  readonly #structure: Structure;
  readonly #callers = new Map<NodeId, NodeId[]>();
  readonly #callees = new Map<NodeId, NodeId[]>();

  constructor(structure: Structure) {
    this.#structure = structure;
    for (const [caller, callee] of structure.calls) {
      this.#callers.set(callee, [...(this.#callers.get(callee) ?? []), caller]);
      this.#callees.set(caller, [...(this.#callees.get(caller) ?? []), callee]);
    }
  }

  to(node: NodeId): (service: NodeId) => Relation {
    const own = new Set(this.#structure.servedBy(node));
    const near = new Set([...own].flatMap((each) => this.#callers.get(each) ?? []));
    const far = new Set(near);
    for (const each of far) for (const next of this.#callers.get(each) ?? []) far.add(next);
    const callees = new Set([...own].flatMap((each) => this.#callees.get(each) ?? []));
    return (service) => {
      if (own.has(service)) return "self";
      if (near.has(service)) return "caller";
      if (far.has(service)) return "far_caller";
      return callees.has(service) ? "callee" : "other";
    };
  }
}

interface Count {
  felt: number;
  all: number;
}

/** Without memory, who calls is held to feel it, and nobody else. */
const unlearned: Readonly<Record<Relation, number>> = {
  self: 0.95,
  caller: 0.9,
  far_caller: 0.8,
  callee: 0.1,
  other: 0.05,
};

class Counts {
  readonly #byRelation = new Map<string, Count>();
  readonly #byKind = new Map<string, Count>();
  readonly #byService = new Map<string, Count>();
  readonly #byNode = new Map<string, Count>();

  constructor(
    { services }: Structure,
    relations: Relations,
    incidents: readonly ConfirmedIncident[],
    cause: Trouble,
  ) {
    const manner = mannerOf(cause.kind);
    for (const incident of incidents) {
      const relationTo = relations.to(incident.node);
      const felt = new Set(incident.felt);
      const weight =
        (mannerOf(incident.kind) === manner ? 1 : otherMannerWeight) * nearness(incident, cause);
      for (const service of services) {
        const relation = relationTo(service);
        const isFelt = felt.has(service);
        count(this.#byRelation, relation, isFelt, weight);
        if (incident.kind === cause.kind) count(this.#byKind, relation, isFelt, weight);
        count(this.#byService, `${service} ${relation}`, isFelt, weight);
        count(this.#byNode, `${service} ${incident.node}`, isFelt, weight);
        count(this.#byNode, `${service} ${incident.node} ${incident.kind}`, isFelt, 1);
      }
    }
  }

  /** From the general to the special, each drawn towards the one before while little was seen. */
  probability(service: NodeId, relation: Relation, { node, kind }: Trouble): number {
    const byRelation = drawn(this.#byRelation.get(relation), unlearned[relation], generalAs);
    const byKind = drawn(this.#byKind.get(relation), byRelation, generalAs);
    const byService = drawn(this.#byService.get(`${service} ${relation}`), byKind, generalAs);
    const byNode = drawn(this.#byNode.get(`${service} ${node}`), byService, specialAs);
    return drawn(this.#byNode.get(`${service} ${node} ${kind}`), byNode, specialAs);
  }
}

/**
 * Requests that do not pass the node are served as before: the rest is felt to fall only where most pass. So what was seen
 * of the one tells little of the other; and what was seen at a machine little of what is seen at one service.
 */
function nearness({ share, node }: ConfirmedIncident, cause: Trouble): number {
  const isAlike = splitNodeId(node)?.kind === splitNodeId(cause.node)?.kind;
  const place = isAlike ? 1 : otherPlaceWeight;
  if (share === undefined || cause.share === undefined) return place * unknownShareWeight;
  return place * (share >= mostShare === cause.share >= mostShare ? 1 : otherBreadthWeight);
}

function count(counts: Map<string, Count>, key: string, isFelt: boolean, weight: number): void {
  const before = counts.get(key) ?? { felt: 0, all: 0 };
  before.felt += isFelt ? weight : 0;
  before.all += weight;
  counts.set(key, before);
}

function drawn(seen: Count | undefined, towards: number, as: number): number {
  return seen === undefined ? towards : (seen.felt + as * towards) / (seen.all + as);
}
