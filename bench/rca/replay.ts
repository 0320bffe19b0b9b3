/** How long after the alert the first right answer was there: each case again, by what was known minute for minute. */
import { defaultSettings, type Memory, type ModelEvent, why } from "../../src/model/index.ts";
import type { Incident, OpenSet } from "./reader.ts";

const minuteMs = 60_000;
/** What nobody had said a quarter of an hour after the alert is not asked for. */
const minutesMax = 15;

export interface FirstRight {
  readonly id: string;
  /** Minutes after the alert from which on the answer was right, and stayed so; undefined: never. */
  readonly minutes: number | undefined;
}

export function replayAll(
  set: OpenSet,
  labels: Readonly<Record<string, unknown>>,
  memory: Memory,
  limit: number,
): readonly FirstRight[] {
  return set.ids.slice(0, limit).map((id) => {
    const incident = set.read(id);
    const minutes = Array.from({ length: minutesMax + 1 }, (_, i) => i);
    const right = minutes.map((minute) => isRight(set, labels[id], incident, memory, minute));
    const lastWrong = right.lastIndexOf(false);
    return { id, minutes: lastWrong === minutesMax ? undefined : lastWrong + 1 };
  });
}

function isRight(
  set: OpenSet,
  label: unknown,
  incident: Incident,
  memory: Memory,
  minute: number,
): boolean {
  const at = incident.symptom.at + minute * minuteMs;
  const events = incident.events.flatMap((event) => knownBy(event, at));
  const settings = { ...defaultSettings, ...incident.settings, memory, knownAt: at };
  const answer = why(events, { ...incident.symptom, at }, settings);
  return set.score(set.predict(answer, { ...incident, events }, memory), label)["top1"] === 1;
}

/** A series is told as a whole; of what it measured later nothing was known. */
function knownBy(event: ModelEvent, at: number): readonly ModelEvent[] {
  if (event.type !== "series") return event.knownAt <= at ? [event] : [];
  const points = event.points.filter(([when]) => when <= at);
  return points.length === 0 ? [] : [{ ...event, knownAt: points[0]?.[0] ?? at, points }];
}

export function replayText(found: readonly FirstRight[]): string {
  const times = found.flatMap(({ minutes }) => minutes ?? []).sort((a, b) => a - b);
  const median = times[Math.floor(times.length / 2)];
  const each = found.map(({ id, minutes }) => `  ${id} ${minutes ?? "never"}`).join("\n");
  return `right within ${minutesMax} min of the alert: ${times.length} of ${found.length}, median ${median ?? "-"} min\n${each}`;
}
