/** All records of the journal of a log, and what is wrong with it. */
import { type Finding, finding } from "./finding.ts";
import { type JournalRecord, readSegment, segmentFirst } from "./journal.ts";
import type { LogFiles } from "./log-files.ts";

export interface JournalContent {
  readonly records: readonly JournalRecord[];
  readonly findings: readonly Finding[];
}

/** Segments that are published as a whole are leftovers of a crash, and skipped. */
export async function readJournal(files: LogFiles, published: number): Promise<JournalContent> {
  const records: JournalRecord[] = [];
  const findings: Finding[] = [];
  const names = await files.list("journal");
  if (!names.ok)
    return { records, findings: [finding("unreadable", `journal: ${names.error.code}`)] };
  for (const [i, name] of names.value.entries()) {
    const path = `journal/${name}`;
    const first = segmentFirst(name);
    const next = segmentFirst(names.value[i + 1] ?? "");
    if (first === undefined) {
      findings.push(finding("journal_differs", `${path} is no segment of a journal`));
      continue;
    }
    if (next !== undefined && next <= published) continue;
    const file = await files.read(path);
    if (!file.ok) {
      findings.push(finding("unreadable", `${path} cannot be read (${file.error.code})`));
      continue;
    }
    const segment = readSegment(file.value);
    if (!segment.ok) {
      findings.push(finding("journal_differs", `${path}: ${segment.error}`, first));
      continue;
    }
    records.push(...segment.value.records);
    if (segment.value.tornBytes > 0) findings.push(torn(path, segment.value.tornBytes, next));
  }
  return { records, findings };
}

/** A segment begins only after the one before is durable, so only the last one can be torn by a crash. */
function torn(path: string, bytes: number, next: number | undefined): Finding {
  return next === undefined
    ? finding("torn_tail", `${path} ends in ${bytes} bytes that a crash cut off`)
    : finding("journal_differs", `${path} ends in ${bytes} bytes that are no record`);
}
