/**
 * What changed, seen from one moment: what a source told, and what successive facts tell. Whoever asks for changes gets them
 * from here. A change that was told as well is one: the told one stays, and gets the diff where it has none.
 */
import type { Change, ChangeKind } from "../event.ts";
import type { NodeId } from "../graph-words.ts";
import { edgeForm } from "./edge-table.ts";
import { compareDated, countBefore, type Moment } from "./order.ts";
import { changesBetween, comparedAspects } from "./succession.ts";
import type { Tables } from "./tables.ts";

/** A deploy is told when it is asked for or when it is done, and rolled out in between. */
const sameMs = 5 * 60_000;
/** What changes an object of Kubernetes or a version; a commit or a flag is something else, also in the same minute. */
const alike: ReadonlySet<ChangeKind> = new Set<ChangeKind>([
  ...(["deploy", "config", "scale", "restart", "agent_action"] as const),
]);

const partOf = [edgeForm("part_of", "declared"), edgeForm("part_of", "observed")];

interface Observed {
  readonly change: Change;
  /** What says the same, and stands for it. */
  readonly twin: Change | undefined;
}

export class AllChanges {
  readonly #tables: Tables;
  readonly #moment: Moment;
  readonly #between = new Map<number, readonly Change[]>();
  readonly #observed = new Map<number, readonly Observed[]>();

  constructor(tables: Tables, moment: Moment) {
    this.#tables = tables;
    this.#moment = moment;
  }

  /** With `fromAt` ≤ time < `toAt`, in order; of one node where it is given, a service with what is observed of its workloads. */
  within(fromAt: number, toAt: number, node: number | undefined): readonly Change[] {
    const { changes, compared } = this.#tables;
    const list = node === undefined ? changes.all : changes.of(node);
    const told = list.within(fromAt, toAt, this.#moment);
    if (compared.size === 0) return told;
    const about = node === undefined ? [...compared] : this.#around(node);
    const own = about
      .filter((each) => this.#isToldWithin(each, fromAt, toAt))
      .flatMap((each) => this.#of(each))
      .filter(({ change, twin }) => twin === undefined && change.at >= fromAt && change.at < toAt);
    return [
      ...told.map((change) => this.#withDiff(change)),
      ...own.map(({ change }) => change),
    ].sort(compareDated);
  }

  /** A change begins with a fact: where none is, nothing need be compared. */
  #isToldWithin(node: number, fromAt: number, toAt: number): boolean {
    const { nodes } = this.#tables;
    return comparedAspects(nodes.ids[node] as NodeId).some((aspect) => {
      const facts = nodes.facts(node, aspect);
      return (facts[countBefore(facts, ({ at }) => at < fromAt)]?.at ?? toAt) < toAt;
    });
  }

  /** Of this node and the workloads of it those that were told more than once. */
  #around(node: number): readonly number[] {
    return [node, ...this.#workloads(node)].filter((each) => this.#tables.compared.has(each));
  }

  #of(node: number): readonly Observed[] {
    const known = this.#observed.get(node);
    if (known !== undefined) return known;
    const changes = this.#changesBetween(node);
    const observed = changes.map((change) => ({
      change,
      twin: this.#twinOf(change, node, changes),
    }));
    this.#observed.set(node, observed);
    return observed;
  }

  /** The nearest that may be the same, unless another change of this node is nearer to that. */
  #twinOf(change: Change, node: number, own: readonly Change[]): Change | undefined {
    const { changes } = this.#tables;
    const [fromAt, toAt] = [change.at - sameMs, change.at + sameMs + 1];
    const told = [node, ...this.#services(node)]
      .flatMap((each) => changes.of(each).within(fromAt, toAt, this.#moment))
      .filter(({ kind }) => alike.has(kind));
    const rolled = this.#workloads(node)
      .flatMap((each) => this.#changesBetween(each))
      .filter(({ at, kind }) => kind === "deploy" && at >= fromAt && at < toAt);
    const twin = nearest(change, told) ?? nearest(change, rolled);
    return twin !== undefined && nearest(twin, own) === change ? twin : undefined;
  }

  /** With the services that a workload runs as targets: a deploy of it is one of them, as a source would tell it. */
  #changesBetween(node: number): readonly Change[] {
    if (!this.#tables.compared.has(node)) return [];
    const known = this.#between.get(node);
    if (known !== undefined) return known;
    const { nodes } = this.#tables;
    const services = this.#services(node)
      .map((service) => nodes.ids[service] as NodeId)
      .sort();
    const found = changesBetween(nodes, node, this.#moment).map((change) =>
      services.length === 0 ? change : { ...change, targets: [...change.targets, ...services] },
    );
    this.#between.set(node, found);
    return found;
  }

  #services(workload: number): readonly number[] {
    const services = [...this.#tables.running.servicesOf(workload)];
    return services.filter((service) => this.#wasPart(workload, service));
  }

  #workloads(service: number): readonly number[] {
    const workloads = [...this.#tables.running.workloadsOf(service)];
    return workloads.filter((workload) => this.#wasPart(workload, service));
  }

  /** Also when it is no more: what it was changed to then was changed all the same. */
  #wasPart(workload: number, service: number): boolean {
    const { edges } = this.#tables;
    return partOf.some((form) => {
      const edge = edges.find(workload, service, form);
      return edge !== undefined && edges.sighting(edge, this.#moment) !== undefined;
    });
  }

  #withDiff(told: Change): Change {
    if (told.diff !== undefined) return told;
    const { nodes } = this.#tables;
    const about = new Set(
      told.targets.flatMap((target) => this.#around(nodes.indexOf(target) as number)),
    );
    const same = [...about].flatMap((each) => this.#of(each)).filter(({ twin }) => twin === told);
    const diff = same
      .map(({ change }) => change)
      .sort(compareDated)
      .flatMap((change) => change.diff ?? []);
    return diff.length === 0 ? told : { ...told, diff };
  }
}

function nearest(to: Change, among: readonly Change[]): Change | undefined {
  const distance = ({ at }: Change): number => Math.abs(at - to.at);
  return [...among].sort((a, b) => distance(a) - distance(b) || compareDated(a, b))[0];
}
