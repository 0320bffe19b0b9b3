/** Confirmed incidents, kept as a value: adding makes another memory, and what has expired is not in the answer. */
import type { ConfirmedIncident } from "./incident.ts";

export const memorySchema = "holdfast.memory/1";

export interface Memory {
  readonly schema: typeof memorySchema;
  readonly incidents: readonly ConfirmedIncident[];
}

export const emptyMemory: Memory = { schema: memorySchema, incidents: [] };

/** One more, or another word on one that is known: the later confirmation counts. The order of adding changes nothing. */
export function confirm(memory: Memory, incident: ConfirmedIncident): Memory {
  const known = memory.incidents.find(({ id }) => id === incident.id);
  if (known !== undefined && known.confirmedAt > incident.confirmedAt) return memory;
  const others = memory.incidents.filter(({ id }) => id !== incident.id);
  const incidents = [...others, incident].sort((a, b) => (a.id < b.id ? -1 : 1));
  return { schema: memorySchema, incidents };
}

export interface Keeping {
  readonly now: number;
  /** Of each incident, from its confirmation; what bears its own date keeps that. */
  readonly keepMs: number;
}

/** What is still to be remembered at `now`. */
export function unexpired(memory: Memory, { now, keepMs }: Keeping): Memory {
  const incidents = memory.incidents.filter(
    ({ confirmedAt, expiresAt }) => now < (expiresAt ?? confirmedAt + keepMs),
  );
  return { schema: memorySchema, incidents };
}
