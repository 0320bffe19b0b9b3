/** Events by type, once each and in one order, so that an answer does not depend on when it was told what. */
import type { ModelEvent } from "../event.ts";

type Of<T extends ModelEvent["type"]> = Extract<ModelEvent, { type: T }>;

export interface View {
  /** The events of one type, in order of valid time, then of id. */
  of<T extends ModelEvent["type"]>(type: T): readonly Of<T>[];
}

/** What was known at `knownAt`. */
export function viewOf(events: Iterable<ModelEvent>, knownAt: number): View {
  const byId = new Map<string, ModelEvent>();
  for (const event of events) if (event.knownAt <= knownAt) byId.set(event.id, event);
  const byType = new Map<string, ModelEvent[]>();
  for (const event of byId.values()) {
    const same = byType.get(event.type);
    if (same === undefined) byType.set(event.type, [event]);
    else same.push(event);
  }
  for (const same of byType.values())
    same.sort((a, b) => a.at - b.at || (a.id < b.id ? -1 : Number(a.id > b.id)));
  return { of: <T extends ModelEvent["type"]>(type: T) => (byType.get(type) ?? []) as Of<T>[] };
}
