/**
 * Which services a change would be felt by. A change is no trouble; it may come to some. Who would feel that is known from
 * confirmed incidents, and how often it comes to it from the outcomes of changes of the same kind.
 */
import type { CauseKind } from "../cause-kind.ts";
import type { ChangeKind } from "../event.ts";
import type { View } from "../graph/index.ts";
import { type NodeId, splitNodeId } from "../graph-words.ts";
import type { ConfirmedIncident, Memory } from "../memory/index.ts";
import type { Exercised } from "./exercised.ts";
import type { Exposure } from "./exposure.ts";
import type { Prediction } from "./prediction.ts";
import { structureOf } from "./structure-of.ts";
import { type Feeling, leastSure, likelyFelt, whoFeels } from "./who-feels.ts";

/**
 * What a change of each kind comes to when it goes wrong, in the words of causes. Of several, the one that a service would
 * feel most counts for it. Nothing is known of what an agent's own action does; it is taken to make its target fail.
 */
export const troublesOf: Readonly<Record<ChangeKind, readonly CauseKind[]>> = {
  deploy: ["change.code", "code.latency"],
  commit: ["change.code", "code.latency"],
  config: ["change.config"],
  secret: ["secret.missing"],
  flag: ["change.flag", "code.latency"],
  migration: ["change.migration", "code.latency"],
  scale: ["compute.cpu"],
  infrastructure: ["host.saturated", "network.delay"],
  restart: ["schedule.replicas_zero"],
  agent_action: ["change.config"],
};

export interface ChangeFeeling extends Feeling {
  /** The trouble by which it would feel it. */
  readonly trouble: CauseKind;
}

export interface ChangeFelt {
  /** Services that wait for the target, or are likelier to feel it than any other; the most probable first. */
  readonly feelings: readonly ChangeFeeling[];
  /** Those that are expected to feel it, of these. */
  readonly likely: readonly NodeId[];
}

/** What earlier changes and incidents came to. */
export interface Experience {
  readonly memory: Memory;
  readonly predictions: readonly Prediction[];
}

export function changeFelt(
  view: View,
  { exposed, change }: { readonly exposed: Exposure; readonly change: ChangeKind },
  seen: Exercised,
  experience: Experience,
): ChangeFelt {
  const structure = structureOf(view, exposed, seen);
  const most = new Map<NodeId, ChangeFeeling>();
  for (const trouble of troublesOf[change]) {
    const share = exposed.share?.value;
    const at = { node: exposed.target, kind: trouble, ...(share === undefined ? {} : { share }) };
    for (const feeling of whoFeels(structure, at, known(experience, change, trouble))) {
      const before = most.get(feeling.service);
      if (splitNodeId(feeling.service)?.kind !== "service") continue;
      if (before === undefined || feeling.probability > before.probability)
        most.set(feeling.service, { ...feeling, trouble });
    }
  }
  const sorted = [...most.values()].sort(
    (a, b) => b.probability - a.probability || (a.service < b.service ? -1 : 1),
  );
  const feelings = sorted.filter(isSaid);
  return { feelings, likely: likelyFelt(feelings) };
}

/** Of a service that does not wait for the target and is not likelier to feel it than any other, nothing is said. */
function isSaid({ relation, probability }: Feeling): boolean {
  const waits = relation === "self" || relation === "waits" || relation === "waits_little";
  return waits || probability > leastSure;
}

/** An outcome of such a change is remembered like an incident, also when nobody felt it. */
function known({ memory, predictions }: Experience, change: ChangeKind, kind: CauseKind): Memory {
  const outcomes = predictions.flatMap((each): readonly ConfirmedIncident[] => {
    const { id, at, target: node, touched: share, outcome } = each;
    if (each.change !== change || outcome === null) return [];
    const { at: confirmedAt, services: felt } = outcome;
    return [{ id, at, confirmedAt, node, kind, share, chain: [], felt }];
  });
  return { ...memory, incidents: [...memory.incidents, ...outcomes] };
}
