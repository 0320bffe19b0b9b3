/** What is known with a part of the idea left out, so that no source of evidence can use it. */
import type { ModelEvent, Traffic } from "../event.ts";
import type { Part } from "./case.ts";
import type { View } from "./view.ts";

/**
 * Without topology nobody knows who calls, runs or reads whom: neither from edges, nor from traffic, nor from what an object
 * says of another. Without changes nothing was changed. Types and time are no facts; who uses them leaves them out.
 */
export function leftOut(view: View, without: ReadonlySet<Part>): View {
  const kept = (event: ModelEvent): readonly ModelEvent[] => {
    if (event.type === "change") return without.has("changes") ? [] : [event];
    return without.has("topology") ? apart(event) : [event];
  };
  if (!without.has("topology") && !without.has("changes")) return view;
  const of = <T extends ModelEvent["type"]>(type: T) => view.of(type).flatMap(kept);
  return { of: of as View["of"] };
}

function apart(event: ModelEvent): readonly ModelEvent[] {
  if (event.type === "edge") return [];
  if (event.type === "traffic") return [uncalled(event)];
  if (event.type !== "node" || event.value === null) return [event];
  const value = { ...event.value };
  for (const reference of referencesOf[event.aspect] ?? []) delete value[reference];
  return [{ ...event, value }];
}

/** By aspect of a Kubernetes object: who owns it, whom it selects, where it runs. */
const referencesOf: Readonly<Record<string, readonly string[]>> = {
  metadata: ["ownerReferences"],
  spec: ["selector", "nodeName"],
};

function uncalled({ wayMs: _, callerOperation: __, ...event }: Traffic): Traffic {
  return { ...event, caller: null };
}
