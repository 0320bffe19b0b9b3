/** Asks about every incident of a set, one after another, and keeps the time each answer took. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import {
  defaultSettings,
  Graph,
  type Memory,
  type Part,
  type WhyAnswer,
  why,
} from "../../src/model/index.ts";
import { readJson } from "./files.ts";
import type { OpenSet, Prediction } from "./reader.ts";

export interface Asked {
  readonly id: string;
  readonly answer: WhyAnswer;
  readonly line: Prediction;
  /** Of processor, for the answer alone from events that are already read: others on the machine do not count. */
  readonly tookMs: number;
}

export interface Asking {
  readonly set: OpenSet;
  readonly without: readonly Part[];
  readonly healthy: boolean;
  readonly limit: number;
  /** Types of events that the engine is not told. */
  readonly drop?: ReadonlySet<string>;
  /** What is remembered when a case is asked about. */
  readonly memory: (id: string) => Memory;
}

export function askAll({ set, without, healthy, limit, drop, memory }: Asking): Asked[] {
  const from = healthy ? set.healthy : set;
  if (from === undefined) throw new Error("this set has no healthy windows");
  const ids = from.ids.slice(0, limit);
  return ids.map((id, at) => {
    const known = memory(id);
    const settings = { ...defaultSettings, without: new Set(without), memory: known };
    const incident = from.read(id);
    const told = incident.events.filter(({ type }) => drop?.has(type) !== true);
    const graph = new Graph();
    graph.add(told);
    const { knownAt } = { ...settings, ...incident.settings };
    const events = [...graph.eventsWithChanges(knownAt)];
    const before = process.cpuUsage();
    const answer = why(events, incident.symptom, { ...settings, ...incident.settings });
    const { user, system } = process.cpuUsage(before);
    const tookMs = (user + system) / 1000;
    progress(`${at + 1} of ${ids.length}`);
    const line = {
      id,
      ...set.predict(answer, incident, known),
      confidence: answer.causes[0]?.confidence ?? 0,
      verdict: answer.verdict,
    };
    return { id, answer, line, tookMs };
  });
}

function progress(text: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\u001b[K${text}`);
}

/** What was true, by case; absent for cases that are kept aside. */
export function loadLabels(folder: string): Readonly<Record<string, unknown>> | undefined {
  const path = join(folder, "labels.json");
  return existsSync(path) ? readJson<Record<string, unknown>>(path) : undefined;
}
