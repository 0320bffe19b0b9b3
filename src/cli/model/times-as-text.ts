/** The one place where moments become text: inside they are milliseconds, in JSON that leaves the program ISO 8601 in UTC. */
import { instantText, type JsonObject } from "../../kernel/index.ts";

/** Members that are moments, by their names in `src/model`. */
const moments: ReadonlySet<string> = new Set([
  "at",
  "knownAt",
  "untilAt",
  "onsetAt",
  "resolvedAt",
  "confirmedAt",
  "expiresAt",
  "newestTelemetryAt",
]);
/** What others wrote is told as they wrote it, whatever its members are called. */
const foreign: ReadonlySet<string> = new Set(["value", "detail", "args"]);

/** The same with every moment as text; what cannot be said in JSON (no bound in time) is left out. */
export function timesAsText(value: object): JsonObject {
  return membersOf(value) as JsonObject;
}

function membersOf(value: object): object {
  if (Array.isArray(value)) return value.map((each) => told("", each));
  const members = Object.entries(value).map(([name, each]) => [name, told(name, each)] as const);
  return Object.fromEntries(members.filter(([, each]) => each !== undefined));
}

function told(name: string, value: unknown): unknown {
  if (typeof value === "number") {
    if (!Number.isFinite(value)) return undefined;
    return moments.has(name) ? instantText(Math.floor(value)) : value;
  }
  if (value === null || typeof value !== "object" || foreign.has(name)) return value;
  return membersOf(value);
}
