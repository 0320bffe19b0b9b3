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
  type Structure,
  standing,
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

/**
 * All services with a probability each, most first. Without memory: who it starts at; each caller in as far as its requests
 * wait; and where most requests are held, all, since those who wait ask nobody for anything.
 */
export function whoFeels(
  structure: Structure,
  trouble: Trouble,
  memory: Memory,
): readonly Feeling[] {
  const here = standing(structure, trouble);
  const learned = new Learned(structure.services);
  for (const incident of tellingOf(structure, trouble, memory))
    learned.add(incident, standing(structure, incident));
  return structure.services
    .map((service): Feeling => {
      const relation = here.to(service);
      const unlearned = unlearnedOf(service, relation, here, trouble);
      return {
        ...{ service, relation },
        probability: learned.probability(service, relation, here.place, trouble.kind, unlearned),
        learnedFrom: learned.toldBy(service, relation),
      };
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
  if (relation === "idle") return 1 - sure;
  const part = Math.max(
    waiting(service),
    relation === "asked" || relation === "other" ? Number(holdsAll) : 0,
  );
  return Math.min(sure, Math.max(1 - sure, part));
}

/** What happened where none of these services are tells nothing of them. */
function tellingOf(
  { services }: Structure,
  trouble: Trouble,
  { incidents }: Memory,
): readonly ConfirmedIncident[] {
  const known = new Set(services);
  const typeOf = (node: NodeId) => splitNodeId(node)?.kind;
  const isBroad = ({ share }: Trouble) => (share === undefined ? undefined : share >= most);
  return incidents.filter((incident) => {
    const [then, now] = [isBroad(incident), isBroad(trouble)];
    return (
      incident.felt?.some((each) => known.has(each)) === true &&
      mannerOf(incident.kind) === mannerOf(trouble.kind) &&
      typeOf(incident.node) === typeOf(trouble.node) &&
      (then === undefined || now === undefined || then === now)
    );
  });
}

interface Count {
  felt: number;
  all: number;
}

/** Who feels what, counted from the general to the special, each drawn towards the one before while little was seen. */
class Learned {
  readonly #services: readonly NodeId[];
  readonly #counts = new Map<string, Count>();
  readonly #ids = new Map<string, string[]>();

  constructor(services: readonly NodeId[]) {
    this.#services = services;
  }

  add({ id, kind, felt = [] }: ConfirmedIncident, { to, place }: Standing): void {
    const isFelt = new Set(felt);
    for (const relation of new Set(this.#services.map(to))) {
      const services = this.#services.filter((each) => to(each) === relation);
      const hits = services.filter((each) => isFelt.has(each)).length;
      // Services feel one incident together: it is one observation of the relation, however many they are.
      this.#count(relation, hits / services.length);
      for (const service of services) {
        const key = serviceKey(service, relation);
        const part = Number(isFelt.has(service));
        this.#count(key, part);
        this.#count(placeKey(service, place, kind), part);
        this.#ids.set(key, [...(this.#ids.get(key) ?? []), id]);
      }
    }
  }

  probability(
    service: NodeId,
    relation: Relation,
    place: string,
    kind: CauseKind,
    unlearned: number,
  ): number {
    const byRelation = this.#drawn(relation, unlearned, generalAs);
    const byService = this.#drawn(serviceKey(service, relation), byRelation, generalAs);
    return this.#drawn(placeKey(service, place, kind), byService, specialAs);
  }

  toldBy(service: NodeId, relation: Relation): readonly string[] {
    return this.#ids.get(serviceKey(service, relation)) ?? [];
  }

  #count(key: string, part: number): void {
    const before = this.#counts.get(key) ?? { felt: 0, all: 0 };
    this.#counts.set(key, { felt: before.felt + part, all: before.all + 1 });
  }

  #drawn(key: string, towards: number, as: number): number {
    const seen = this.#counts.get(key);
    return seen === undefined ? towards : (seen.felt + as * towards) / (seen.all + as);
  }
}

const serviceKey = (service: NodeId, relation: Relation): string =>
  JSON.stringify([service, relation]);

/** The first part of a kind is its field: that is what is learned of. */
const placeKey = (service: NodeId, place: string, kind: CauseKind): string =>
  JSON.stringify([service, place, kind.split(".")[0]]);
