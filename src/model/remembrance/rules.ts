/** What is remembered, for how long, and who may read it: by kind of event. */
import type { ModelEvent } from "../event.ts";

/** Kinds of events, and what is made of them: confirmed incidents, and predictions with their outcomes. */
export const rememberedKinds = [
  "node",
  "edge",
  "change",
  "series",
  "traffic",
  "log",
  "condition",
  "alert",
  "action",
  "incident",
  "prediction",
] as const;
export type RememberedKind = (typeof rememberedKinds)[number];

export interface RememberedRule {
  readonly remember: boolean;
  readonly keepMs: number;
  /** Agents that may read it: names, or beginnings that end in `*`. */
  readonly readers: readonly string[];
}

export type Remembrance = Readonly<Record<RememberedKind, RememberedRule>>;

const dayMs = 24 * 3_600_000;

/** Unless configured: everything for 90 days, measurements for 14, and every agent that may ask may read. */
export const remembranceUnlessGiven: Remembrance = Object.fromEntries(
  rememberedKinds.map((kind) => {
    const isMeasured = kind === "series" || kind === "traffic" || kind === "log";
    return [kind, { remember: true, keepMs: (isMeasured ? 14 : 90) * dayMs, readers: ["*"] }];
  }),
) as unknown as Remembrance;

/** The kinds that an agent may read. */
export function readableKinds(rules: Remembrance, agent: string): ReadonlySet<RememberedKind> {
  return new Set(
    rememberedKinds.filter((kind) => rules[kind].readers.some((reader) => isNamed(reader, agent))),
  );
}

function isNamed(reader: string, agent: string): boolean {
  return reader.endsWith("*") ? agent.startsWith(reader.slice(0, -1)) : reader === agent;
}

/** What is over is forgotten so long after its last moment. */
export function endOfEvent(event: ModelEvent): number {
  switch (event.type) {
    case "series":
      return Math.max(event.at, event.points.at(-1)?.[0] ?? event.at);
    case "traffic":
    case "log":
      return event.untilAt;
    case "condition":
      return Math.max(event.at, event.untilAt ?? event.at);
    case "alert":
      return Math.max(event.at, event.resolvedAt ?? event.at);
    default:
      return event.at;
  }
}
