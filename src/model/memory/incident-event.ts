/** Confirmed incidents in the log of the model: told like any other fact, so that every copy of it remembers the same. */
import type { JsonObject } from "../../kernel/index.ts";
import type { ModelEvent, NodeFact } from "../event.ts";
import { nodeId } from "../graph-words.ts";
import type { ConfirmedIncident } from "./incident.ts";
import { confirm, emptyMemory, type Memory } from "./memory.ts";
import { readIncident } from "./memory-text.ts";

/** The aspect under which incidents are told. */
export const incidentAspect = "incident";

/** A later word on the same incident is another fact about it; the same word twice is one event. */
export function incidentEvent(incident: ConfirmedIncident, reference: string): NodeFact {
  return {
    type: "node",
    id: `incident/${incident.id}/${incident.confirmedAt}`,
    at: incident.at,
    knownAt: incident.confirmedAt,
    origin: { source: incident.confirmedBy ?? "people", reference },
    node: nodeId("object", `Incident/${incident.id}`),
    aspect: incidentAspect,
    value: { ...incident } as unknown as JsonObject,
  };
}

/** All that the log remembers; what is no incident is passed over. */
export function memoryOf(events: Iterable<ModelEvent>): Memory {
  let memory = emptyMemory;
  for (const event of events) {
    if (event.type !== "node" || event.aspect !== incidentAspect || event.value === null) continue;
    const incident = readIncident(event.value, event.id);
    if (incident.ok) memory = confirm(memory, incident.value);
  }
  return memory;
}
