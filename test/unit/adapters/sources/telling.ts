/** What a source makes of documents, for tests: events by type, each without what every event has. */
import { batchesOf, type SourceFile } from "../../../../src/adapters/sources/index.ts";
import type { ModelEvent } from "../../../../src/model/index.ts";

export const receivedAt: number = Date.parse("2026-05-04T12:00:00Z");

export function file(
  path: string,
  content: unknown,
  modifiedAtMs: number = receivedAt,
): SourceFile {
  const text = typeof content === "string" ? content : JSON.stringify(content);
  return { path, bytes: Buffer.from(text), modifiedAtMs };
}

/** Throws when anything is refused. */
export function eventsOf(...files: readonly SourceFile[]): readonly ModelEvent[] {
  const { batches, refused } = batchesOf(files);
  if (refused.length > 0) throw new Error(JSON.stringify(refused));
  return batches.flatMap(({ events }) => events);
}

export function of<T extends ModelEvent["type"]>(
  type: T,
  events: readonly ModelEvent[],
): readonly Extract<ModelEvent, { type: T }>[] {
  return events.filter((event) => event.type === type) as never;
}

/** `from kind to` of every edge. */
export function ties(events: readonly ModelEvent[]): readonly string[] {
  return of("edge", events).map(({ from, to, kind }) => `${from} ${kind} ${to}`);
}

/** Why the file is refused. */
export function refusal(...files: readonly SourceFile[]): string {
  const [fault] = batchesOf(files).refused;
  return fault === undefined ? "taken" : `${fault.reference} ${fault.path}: ${fault.message}`;
}
