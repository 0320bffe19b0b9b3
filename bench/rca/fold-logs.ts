/** Log lines of one window become templates with counts, for each operation by which the outside entered. */
import type { LogTemplate } from "../../src/model/index.ts";
import type { Folding } from "./fold-spans.ts";

/** `[time in µs, service, trace or -1, span or -1, text]` */
export type LogRow = readonly [number, string, number, number, string];

const severities: readonly [RegExp, LogTemplate["severity"]][] = [
  [/\b(?:ERROR|FATAL|SEVERE)\b|Exception\b/, "error"],
  [/\bWARN(?:ING)?\b/, "warn"],
  [/\bDEBUG\b|\bTRACE\b/, "debug"],
];

export function foldLogs(
  logs: readonly LogRow[],
  entries: ReadonlyMap<number, string>,
  folding: Folding,
): LogTemplate[] {
  const groups = new Map<string, { row: LogRow; template: string; entry: string; count: number }>();
  for (const row of logs) {
    const template = templateOf(row[4]);
    const entry = entries.get(row[2]) ?? "";
    const key = [row[1], template, entry].join("\u0000");
    const group = groups.get(key);
    if (group === undefined) groups.set(key, { row, template, entry, count: 1 });
    else group.count += 1;
  }
  return [...groups].map(([key, { row, template, entry, count }]) => ({
    type: "log",
    id: `${folding.id} ${key}`,
    at: folding.at,
    untilAt: folding.untilAt,
    knownAt: folding.untilAt,
    origin: { source: folding.source, reference: folding.id },
    node: folding.nodeOf(row[1]),
    severity: severities.find(([pattern]) => pattern.test(row[4]))?.[1] ?? "info",
    template,
    example: row[4].slice(0, 300),
    entry,
    count,
  }));
}

/** Words that hold a digit vary, and so do quoted values, fields of objects and members of lists. */
export function templateOf(text: string): string {
  let template = text
    .slice(0, 600)
    .replace(/"[^"]*"/g, "<*>")
    .replace(/[\p{L}\p{N}_.:-]*\p{N}[\p{L}\p{N}_.:-]*/gu, "<*>");
  // From the innermost brackets outward, at most to a depth that people write.
  for (let depth = 0; depth < 5; depth++)
    template = template.replace(
      /[\p{L}\p{N}_.]*(?:\([^()]*[=,][^()]*\)|\{[^{}]*[=,][^{}]*\}|\[[^[\]]*[=,][^[\]]*\])/gu,
      "<*>",
    );
  return template.replace(/<\*>(?:[\s,;]*<\*>)+/g, "<*>");
}
