/** What an aspect of a node was, one value after another. */
import type { JsonObject } from "../../kernel/index.ts";
import type { NodeFact, Origin } from "../event.ts";
import type { NodeTable } from "./node-table.ts";
import { compareDated, type Moment } from "./order.ts";
import { orderedText } from "./ordered-text.ts";

export interface Version {
  /** Null: the node was gone. */
  readonly value: JsonObject | null;
  readonly fromAt: number;
  /** When the next began; null: it is still so. */
  readonly untilAt: number | null;
  readonly knownAt: number;
  readonly origin: Origin;
}

/** In order of time; a source that repeats itself makes no new version. */
export function versionsOf(
  nodes: NodeTable,
  node: number,
  aspect: string,
  moment: Moment,
): readonly Version[] {
  const own = nodes.facts(node, aspect);
  const ends = nodes.ends(node).filter((end) => end.aspect !== aspect);
  const facts = (ends.length === 0 ? own : [...own, ...ends].sort(compareDated)).filter(
    ({ at, knownAt }) => at <= moment.validAt && knownAt <= moment.knownAt,
  );
  const last = facts.filter((fact, at) => facts[at + 1]?.at !== fact.at);
  const distinct = last.filter(
    (fact, at) => at === 0 || orderedText(last[at - 1]?.value) !== orderedText(fact.value),
  );
  return distinct.map((fact, at) => version(fact, distinct[at + 1]));
}

function version({ value, at, knownAt, origin }: NodeFact, next: NodeFact | undefined): Version {
  return { value, fromAt: at, untilAt: next?.at ?? null, knownAt, origin };
}
