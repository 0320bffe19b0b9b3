/** Journals of drills that ended, their signatures checked. */
import { type NoteVerifier, noteVerifier, parseVkey } from "../../audit/index.ts";
import {
  type DrillJournal,
  type DrillPast,
  drillPayloadType,
  openEnvelope,
} from "../../failover/index.ts";
import { err, ok, type Result } from "../../kernel/index.ts";
import type { Disk } from "../../ports.ts";

export const journalsPath = "journals";

export interface ReadJournals {
  /** By the time they began. */
  readonly journals: readonly DrillJournal[];
  /** What lies there and is no journal signed by a key of ours, each a sentence. */
  readonly refused: readonly string[];
}

export async function readJournals(
  disk: Pick<Disk, "read" | "list">,
  verifiers: readonly NoteVerifier[],
): Promise<Result<ReadJournals, string>> {
  const names = await disk.list(journalsPath);
  if (!names.ok) return err(`${journalsPath} cannot be read (${names.error.code})`);
  const journals: DrillJournal[] = [];
  const refused: string[] = [];
  for (const name of names.value.filter((each) => each.endsWith(".json"))) {
    const path = `${journalsPath}/${name}`;
    const file = await disk.read(path);
    if (!file.ok) return err(`${path} cannot be read (${file.error.code})`);
    const journal = openJournal(file.value, verifiers);
    if (journal.ok) journals.push(journal.value);
    else refused.push(`${path}: ${journal.error}`);
  }
  return ok({ journals: journals.sort((a, b) => (a.start < b.start ? -1 : 1)), refused });
}

/** The journals of a folder of drills, by the key of its own log. Without one none counts. */
export async function ownJournals(
  disk: Pick<Disk, "read" | "list">,
): Promise<Result<ReadJournals, string>> {
  const key = await disk.read("log/log.vkey");
  const verifier = key.ok ? parseVkey(Buffer.from(key.value).toString()) : undefined;
  const own = verifier?.ok ? [noteVerifier(verifier.value.name, verifier.value.publicKey)] : [];
  return await readJournals(disk, own);
}

export function openJournal(
  envelope: Uint8Array,
  verifiers: readonly NoteVerifier[],
): Result<DrillJournal, string> {
  const opened = openEnvelope(envelope, drillPayloadType, verifiers);
  // Signed by a key of ours, so written by this code: its form is known.
  return opened.ok ? ok(opened.value.payload as unknown as DrillJournal) : opened;
}

/** What the schedule needs to know of a drill. */
export function pastOf({ end, holdfast }: DrillJournal): DrillPast {
  const { drill, scenario, verdict } = holdfast;
  return { drill, scenario, verdict, endedMs: Date.parse(end) };
}
