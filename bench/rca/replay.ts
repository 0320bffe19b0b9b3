/** How long after the symptom the right answer was there: each case again, by what was known minute for minute. */
import {
  defaultSettings,
  Graph,
  type Memory,
  type ModelEvent,
  type WhyAnswer,
  why,
} from "../../src/model/index.ts";
import type { Incident, OpenSet } from "./reader.ts";

const minuteMs = 60_000;
/** What nobody had said a quarter of an hour after the symptom is not asked for. */
const minutesMax = 15;

export interface FirstRight {
  readonly id: string;
  /** After the symptom, the minute from which on the answer was right, and stayed so; undefined: never. */
  readonly minutes: number | undefined;
  /** The same after the trouble began, as the last answer dates it; undefined where it does not. */
  readonly sinceOnset: number | undefined;
}

export function replayAll(
  set: OpenSet,
  labels: Readonly<Record<string, unknown>>,
  memory: Memory,
  limit: number,
): readonly FirstRight[] {
  return set.ids.slice(0, limit).map((id) => {
    const incident = set.read(id);
    const asked = Array.from({ length: minutesMax + 1 }, (_, minute) =>
      askedAt(set, incident, memory, minute),
    );
    const right = asked.map(({ line }) => set.score(line, labels[id])["top1"] === 1);
    const lastWrong = right.lastIndexOf(false);
    if (lastWrong === minutesMax) return { id, minutes: undefined, sinceOnset: undefined };
    const onsetAt = asked.at(-1)?.answer.causes[0]?.onsetAt ?? undefined;
    const minutes = lastWrong + 1;
    const sinceOnset =
      onsetAt === undefined ? undefined : minutes + (incident.symptom.at - onsetAt) / minuteMs;
    return { id, minutes, sinceOnset };
  });
}

/** The trouble is as old as it was: who asks later looks back further. */
function askedAt(
  set: OpenSet,
  incident: Incident,
  memory: Memory,
  minute: number,
): { answer: WhyAnswer; line: Readonly<Record<string, unknown>> } {
  const at = incident.symptom.at + minute * minuteMs;
  const events = incident.events.flatMap((event) => knownBy(event, at));
  const lookbackMs =
    incident.settings?.lookbackMs === undefined
      ? defaultSettings.lookbackMs
      : incident.settings.lookbackMs + minute * minuteMs;
  const settings = { ...defaultSettings, lookbackMs, memory, knownAt: at };
  const graph = new Graph();
  graph.add(events);
  const answer = why(graph.eventsWithChanges(at), { ...incident.symptom, at }, settings);
  return { answer, line: set.predict(answer, { ...incident, events }, memory) };
}

/** A series is told as a whole; of what it measured later nothing was known, nor of the step that was still measured. */
function knownBy(event: ModelEvent, at: number): readonly ModelEvent[] {
  if (event.type !== "series") return event.knownAt <= at ? [event] : [];
  const [last, before] = [event.points.at(-1)?.[0] ?? 0, event.points.at(-2)?.[0]];
  const stepMs = before === undefined ? 0 : last - before;
  const points = event.points.filter(([when]) => when + stepMs <= at);
  return points.length === 0 ? [] : [{ ...event, knownAt: points[0]?.[0] ?? at, points }];
}

export function replayText(found: readonly FirstRight[]): string {
  const after = (name: string, values: readonly (number | undefined)[]) => {
    const times = values.flatMap((each) => each ?? []).sort((a, b) => a - b);
    const at = (share: number) =>
      times[Math.min(times.length - 1, Math.floor(share * times.length))]?.toFixed(1) ?? "-";
    return `  after ${name}: median ${at(0.5)} min, p90 ${at(0.9)} min (${times.length} of ${values.length})`;
  };
  const never = found.filter(({ minutes }) => minutes === undefined).length;
  return [
    `the right cause is first and stays so within ${minutesMax} min: ${found.length - never} of ${found.length}, never: ${never}`,
    after(
      "the symptom",
      found.map(({ minutes }) => minutes),
    ),
    after(
      "the onset",
      found.map(({ sinceOnset }) => sinceOnset),
    ),
    ...found.map(({ id, minutes }) => `    ${id} ${minutes ?? "never"}`),
  ].join("\n");
}
