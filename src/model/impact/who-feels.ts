/**
 * Which services would feel trouble at a node: structure × exercised traffic × what confirmed incidents tell of who felt what.
 * An incident tells something where trouble was of the same manner, at a place of the same type, and touched as many requests.
 */
import type { CauseKind } from "../cause-kind.ts";
import { type NodeId, splitNodeId } from "../graph-words.ts";
import { type ConfirmedIncident, type Memory, mannerOf } from "../memory/index.ts";
import {
  most,
  type Relation,
  type Standing,
  Standings,
  type Structure,
  type Trouble,
} from "./relation.ts";

export interface Feeling {
  readonly service: NodeId;
  readonly relation: Relation;
  readonly probability: number;
  /** Ids of incidents that tell of it: in which it stood to the trouble as it does to this. */
  readonly learnedFrom: readonly string[];
}

/** As if so many incidents had been seen of what is more general, before what is more special counts as much. */
const generalAs = 2;
/** What happened to the same service for trouble of the same field at the same place is soon more than what is usual. */
const specialAs = 0.5;
/** Nobody is surer than this without having seen it. */
const sure = 0.95;
/** Nor is it held of any service that it is safe. */
export const leastSure = 0.05;

/**
 * All services with a probability each, most first. Without memory: who it starts at; each caller in as far as its requests
 * wait; and where most requests are held, all, since those who wait ask nobody for anything.
 */
export function whoFeels(
  structure: Structure,
  trouble: Trouble,
  memory: Memory,
): readonly Feeling[] {
  const standings = new Standings(structure);
  const here = standings.of(trouble);
  const learned = new Learned(structure.services, here, trouble.kind);
  for (const incident of tellingOf(structure, standings, trouble, memory))
    learned.add(incident, standings.of(incident));
  return structure.services
    .map((service, i): Feeling => {
      const relation = here.to(service);
      const unlearned = unlearnedOf(service, relation, here, trouble);
      return { service, relation, ...learned.of(i, relation, unlearned) };
    })
    .sort((a, b) => b.probability - a.probability || (a.service < b.service ? -1 : 1));
}

/** A needless service costs a look, one that was overlooked an outage: this part of the best overlap is given for more of them. */
const givenForMore = 0.1;

/** The longest part of the list whose expected overlap (Jaccard index) with who feels it is nearly the largest. */
export function likelyFelt(feelings: readonly Feeling[]): readonly NodeId[] {
  const all = feelings.reduce((sum, { probability }) => sum + probability, 0);
  let inside = 0;
  const overlaps = feelings.map(({ probability }, i) => {
    inside += probability;
    return inside / (i + 1 + all - inside);
  });
  const enough = Math.max(...overlaps) * (1 - givenForMore);
  const count = overlaps.findLastIndex((overlap) => overlap >= enough) + 1;
  return feelings.slice(0, count).map(({ service }) => service);
}

function unlearnedOf(
  service: NodeId,
  relation: Relation,
  { waiting }: Standing,
  { kind, share = most }: Trouble,
): number {
  const holdsAll = mannerOf(kind) === "stalling" && share >= most;
  if (relation === "self") return sure;
  if (relation === "idle") return leastSure;
  const part = Math.max(
    waiting(service),
    relation === "asked" || relation === "other" ? Number(holdsAll) : 0,
  );
  return Math.min(sure, Math.max(leastSure, part));
}

/** What happened where none of these services are tells nothing of them. */
function tellingOf(
  { services }: Structure,
  standings: Standings,
  trouble: Trouble,
  { incidents }: Memory,
): readonly ConfirmedIncident[] {
  const known = new Set(services);
  const typeOf = (node: NodeId) => splitNodeId(node)?.kind;
  const isBroad = ({ share }: Trouble) => (share === undefined ? undefined : share >= most);
  const isFeltHere = ({ felt, ...incident }: ConfirmedIncident) =>
    felt?.length === 0
      ? standings.served(incident).size > 0
      : felt?.some((each) => known.has(each)) === true;
  return incidents.filter((incident) => {
    const [then, now] = [isBroad(incident), isBroad(trouble)];
    return (
      isFeltHere(incident) &&
      mannerOf(incident.kind) === mannerOf(trouble.kind) &&
      typeOf(incident.node) === typeOf(trouble.node) &&
      (then === undefined || now === undefined || then === now)
    );
  });
}

class Count {
  felt = 0;
  all = 0;

  add(part: number): void {
    this.felt += part;
    this.all += 1;
  }

  /** Drawn towards what is more general, as if `as` incidents had been seen of that. */
  drawn(towards: number, as: number): number {
    return (this.felt + as * towards) / (this.all + as);
  }
}

/** What was seen of one service that stood to trouble as it does to this. */
interface Seen {
  readonly service: NodeId;
  readonly relation: Relation;
  readonly anywhere: Count;
  /** Trouble of this field, at this place. */
  readonly here: Count;
  readonly learnedFrom: string[];
}

/** Who feels what, from the general to the special. */
class Learned {
  readonly #relations = new Map<Relation, Count>();
  readonly #seen: readonly Seen[];
  readonly #here: Standing;
  readonly #kind: CauseKind;

  constructor(services: readonly NodeId[], here: Standing, kind: CauseKind) {
    this.#here = here;
    this.#kind = kind;
    this.#seen = services.map((service) => ({
      ...{ service, relation: here.to(service), learnedFrom: [] },
      ...{ anywhere: new Count(), here: new Count() },
    }));
  }

  add({ id, kind, felt = [] }: ConfirmedIncident, then: Standing): void {
    const isFelt = new Set(felt);
    const isHere = then.place === this.#here.place && fieldOf(kind) === fieldOf(this.#kind);
    const together = new Map<Relation, Count>();
    for (const seen of this.#seen) {
      const relation = then.to(seen.service);
      const part = Number(isFelt.has(seen.service));
      countIn(together, relation).add(part);
      if (isHere) seen.here.add(part);
      if (relation !== seen.relation) continue;
      seen.anywhere.add(part);
      seen.learnedFrom.push(id);
    }
    // Services feel one incident together: it is one observation of a relation, however many they are.
    for (const [relation, { felt: hits, all }] of together)
      countIn(this.#relations, relation).add(hits / all);
  }

  of(
    i: number,
    relation: Relation,
    unlearned: number,
  ): Pick<Feeling, "probability" | "learnedFrom"> {
    const { anywhere, here, learnedFrom } = this.#seen[i] as Seen;
    const byRelation = countIn(this.#relations, relation).drawn(unlearned, generalAs);
    const byService = anywhere.drawn(byRelation, generalAs);
    return { probability: here.drawn(byService, specialAs), learnedFrom };
  }
}

function countIn(counts: Map<Relation, Count>, relation: Relation): Count {
  const known = counts.get(relation) ?? new Count();
  counts.set(relation, known);
  return known;
}

/** The first part of a kind, which is what is learned of. */
const fieldOf = (kind: CauseKind): string => kind.slice(0, kind.indexOf("."));
