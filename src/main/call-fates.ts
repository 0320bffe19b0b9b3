/** What the log of this gateway says of calls that a run before this one left open. */
import { openDisk } from "../adapters/disk/index.ts";
import {
  type CallOutcome,
  type DecisionEntry,
  type IndexedEntry,
  type NoteVerifier,
  readEntries,
} from "../audit/index.ts";
import { err, ok, type Result } from "../kernel/index.ts";

/** Entries read at first; each time four times as many. */
const firstLook = 4_096;
/** A call and its entry are written within moments, by a clock that may have been set meanwhile. */
const clockDaysMax = 2;

/**
 * The outcome of each call that was decided; `unknown` for one that has none; absent for one that no entry lets through. Reads
 * back from the end to well before the oldest of the calls was made (their ids begin with the time).
 */
export async function callFates(
  folder: string,
  verifier: NoteVerifier,
  calls: ReadonlySet<string>,
): Promise<Result<ReadonlyMap<string, CallOutcome>, string>> {
  const files = openDisk(folder);
  const oldestMs = Math.min(...[...calls].map(madeMs)) - clockDaysMax * 86_400_000;
  for (let count = firstLook; ; count *= 4) {
    const entries = await readEntries(files, verifier, -count);
    if (!entries.ok) return err(entries.error);
    const [first] = entries.value;
    const isAll = first === undefined || first.index === 0;
    if (!isAll && Date.parse(first.entry.time) > oldestMs) continue;
    return ok(fatesIn(entries.value, calls));
  }
}

function fatesIn(
  entries: readonly IndexedEntry[],
  calls: ReadonlySet<string>,
): ReadonlyMap<string, CallOutcome> {
  const fates = new Map<string, CallOutcome>();
  for (const { entry } of entries) {
    if (entry.kind === "decision" && calls.has(entry.call) && isForwarded(entry))
      fates.set(entry.call, "unknown");
    if (entry.kind === "outcome" && calls.has(entry.call)) fates.set(entry.call, entry.outcome);
  }
  return fates;
}

/** After any other decision nothing is sent. */
function isForwarded({ decision }: DecisionEntry): boolean {
  return decision === "allow" || decision === "sanitize";
}

const digits = "0123456789abcdefghjkmnpqrstvwxyz";

/** The first 48 bits of a call id are the wall clock in ms. */
function madeMs(call: string): number {
  return [...call.slice(0, 10)].reduce((ms, digit) => ms * 32 + digits.indexOf(digit), 0);
}
