/** Log lines become templates with counts, for each operation by which the outside entered. */
import type { LogTemplate } from "../event.ts";
import { type NodeId, nodeId } from "../graph-words.ts";
import { severityOf, templateOf } from "./template.ts";

export interface LogLine {
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly service: string;
  readonly text: string;
  /** Unless given, what the line says of itself. */
  readonly severity?: LogTemplate["severity"];
  /** The trace it belongs to. */
  readonly trace?: string;
}

export interface LogFolding {
  /** Begins the ids of what is folded, and is the reference of its origin. */
  readonly id: string;
  readonly source: string;
  readonly window: { readonly at: number; readonly untilAt: number } | { readonly ms: number };
  readonly knownAt?: number;
  readonly nodeOf?: (service: string) => NodeId;
  /** By trace: the operation by which the outside entered; see `foldSpans`. */
  readonly entries?: ReadonlyMap<string, string>;
  /** Templates that are told apart; 20,000 unless given. */
  readonly templatesMax?: number;
}

export interface FoldedLogs {
  readonly logs: readonly LogTemplate[];
  /** Lines beyond what one fold tells apart; counted under the template `<other>`. */
  readonly lumped: number;
}

const templatesMaxUnlessGiven = 20_000;
const exampleCharactersMax = 300;

interface Group {
  readonly at: number;
  readonly untilAt: number;
  readonly service: string;
  readonly severity: LogTemplate["severity"];
  readonly template: string;
  readonly entry: string;
  /** The first of its lines in order of time and text. */
  example: LogLine;
  count: number;
}

/** Any order of the lines gives the same templates, as long as there are not more than are told apart. */
export function foldLogs(lines: Iterable<LogLine>, folding: LogFolding): FoldedLogs {
  const groups = new Map<string, Group>();
  let lumped = 0;
  for (const line of lines) {
    const own = groupOf(line, folding, templateOf(line.text));
    let key = keyOf(own);
    if (!groups.has(key) && groups.size >= (folding.templatesMax ?? templatesMaxUnlessGiven)) {
      lumped += 1;
      key = keyOf({ ...own, template: "<other>", entry: "" });
      if (!groups.has(key)) groups.set(key, { ...own, template: "<other>", entry: "" });
    }
    const group = groups.get(key) ?? own;
    groups.set(key, group);
    group.count += 1;
    if (isBefore(line, group.example)) group.example = line;
  }
  const logs = [...groups].map(([key, group]) => logTemplate(key, group, folding));
  return { logs, lumped };
}

function groupOf(line: LogLine, { window, entries }: LogFolding, template: string): Group {
  const at = "at" in window ? window.at : Math.floor(line.at / window.ms) * window.ms;
  const untilAt = "at" in window ? window.untilAt : at + window.ms;
  const severity = line.severity ?? severityOf(line.text);
  const entry = (line.trace === undefined ? undefined : entries?.get(line.trace)) ?? "";
  return {
    ...{ at, untilAt, severity, template, entry },
    service: line.service,
    example: line,
    count: 0,
  };
}

function keyOf({ at, service, severity, template, entry }: Group): string {
  return JSON.stringify([at, service, severity, template, entry]);
}

function isBefore(a: LogLine, b: LogLine): boolean {
  return a.at < b.at || (a.at === b.at && a.text < b.text);
}

function logTemplate(key: string, group: Group, folding: LogFolding): LogTemplate {
  const { at, untilAt, service, severity, template, entry, example, count } = group;
  const nodeOf = folding.nodeOf ?? ((name) => nodeId("service", name));
  return {
    ...{ type: "log", id: `${folding.id} ${key}`, at, untilAt },
    knownAt: folding.knownAt ?? untilAt,
    origin: { source: folding.source, reference: folding.id },
    node: nodeOf(service),
    ...{ severity, template, entry, count },
    example: example.text.slice(0, exampleCharactersMax),
  };
}
