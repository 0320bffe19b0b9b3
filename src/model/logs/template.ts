/**
 * The words of a log line that stay from one to the next. Made from the line alone, without memory of others: the same line
 * gives the same template in every window and every order, which no tree that learns as it reads would promise.
 */

import { maskObjects } from "./mask-objects.ts";

/** Of a line that are looked at; the same template means the same beginning. */
const charactersMax = 400;

const varying = "<*>";

/** Each runs in time linear in the line. */
const rules: readonly (readonly [RegExp, string])[] = [
  [/"[^"]*"|'[^'\s]*'/g, varying],
  // Whatever holds a digit: numbers, times, addresses, hashes, ids.
  [/[\p{L}\p{N}_.:@/-]*\p{N}[\p{L}\p{N}_.:@/-]*/gu, varying],
];

const repeated = /<\*>(?:[\s,;]{1,8}<\*>)+/g;

/** Words that vary are `<*>`; line breaks end it. */
export function templateOf(line: string): string {
  const [first = ""] = line.slice(0, charactersMax).split(/[\r\n]/, 1);
  let template = first.trim();
  for (const [pattern, by] of rules) template = template.replace(pattern, by);
  return maskObjects(template, varying).replace(repeated, varying);
}

const severities: readonly (readonly [RegExp, Severity])[] = [
  [/\b(?:ERROR|FATAL|SEVERE|CRITICAL|PANIC)\b|\b[A-Z]\w{0,60}(?:Exception|Error)\b/, "error"],
  [/\bWARN(?:ING)?\b/, "warn"],
  [/\b(?:DEBUG|TRACE)\b/, "debug"],
];

type Severity = "debug" | "info" | "warn" | "error";

/** What a line says of itself, for sources that do not: `info` unless it names something else. */
export function severityOf(line: string): Severity {
  const beginning = line.slice(0, charactersMax);
  return severities.find(([pattern]) => pattern.test(beginning))?.[1] ?? "info";
}
