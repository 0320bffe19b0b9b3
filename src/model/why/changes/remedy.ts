/** What people usually do about a cause: a word for the next step. */
import type { Cause, Symptom } from "../../answer.ts";
import type { CauseKind } from "../../cause-kind.ts";
import type { ModelEvent } from "../../event.ts";
import { type NodeId, splitNodeId } from "../../graph-words.ts";
import { defaultSettings } from "../case.ts";
import { viewOf } from "../view.ts";
import { troubleOf } from "./trouble.ts";

export const remedies = [
  "rollback",
  "roll-forward",
  "config-revert",
  "flag-off",
  "escalate-upstream",
  "renew-certificate",
  "failover",
  "scale-up",
  "reschedule",
  "purge-bad-data",
  "restart",
] as const;
export type Remedy = (typeof remedies)[number];

const byKind: Readonly<Partial<Record<CauseKind, Remedy>>> = {
  "change.config": "config-revert",
  "change.flag": "flag-off",
  "change.migration": "roll-forward",
  "external.provider": "escalate-upstream",
  "external.dns": "escalate-upstream",
  "external.certificate": "renew-certificate",
  "external.region": "failover",
  "external.traffic": "scale-up",
  "external.data": "purge-bad-data",
  "host.saturated": "reschedule",
  "compute.cpu": "scale-up",
  "compute.memory": "restart",
};

/** Code that asks for something that was never there needs it made, and going back only hides that. */
const lacking = /not found|does not exist|undefined (?:table|column)|no such (?:table|column)/i;

export function remedyOf({ kind, evidence, path }: Cause): Remedy {
  const known = byKind[kind];
  if (known !== undefined) return known;
  const words = [...evidence.map(({ says }) => says), ...path.map(({ because }) => because)].join(
    "\n",
  );
  return lacking.test(words) ? "roll-forward" : "rollback";
}

/** Services that left their past or say errors they did not say, by what is known when the symptom was seen and after. */
export function troubledServices(
  events: readonly ModelEvent[],
  symptom: Symptom,
): readonly NodeId[] {
  const view = viewOf(events, { at: symptom.at, knownAt: Number.POSITIVE_INFINITY });
  const trouble = troubleOf({ symptom, view, settings: defaultSettings });
  return [...(trouble?.affected.keys() ?? [])]
    .filter((node) => splitNodeId(node)?.kind === "service")
    .sort();
}
