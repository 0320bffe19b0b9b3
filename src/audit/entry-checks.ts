/** What the entries of one log must say of themselves, in order: starts continue it, calls are told once. */
import { CallTrail } from "./calls.ts";
import { openCheckpoint } from "./checkpoint.ts";
import type { Entry, StartEntry } from "./entry.ts";
import { type Finding, finding } from "./finding.ts";
import type { NoteVerifier } from "./note.ts";
import { sameHash } from "./tree.ts";

export class EntryChecks {
  readonly trail: CallTrail = new CallTrail();
  readonly counts: Record<string, number> = {};
  readonly #verifier: NoteVerifier;
  #bundleSerial = 0;

  constructor(verifier: NoteVerifier) {
    this.#verifier = verifier;
  }

  /** Checks the entry at `index`; `root()` is the root of everything before it. */
  next(index: number, entry: Entry, root: () => Uint8Array): Finding[] {
    const kind = entry.kind === "decision" ? entry.decision : entry.kind;
    this.counts[kind] = (this.counts[kind] ?? 0) + 1;
    const findings: Finding[] = [];
    if (index === 0 && entry.kind !== "start")
      findings.push(finding("bad_start", "the first entry is no start entry", 0));
    if (entry.kind === "start") {
      const wrong = this.#wrongStart(index, entry, root);
      if (wrong !== undefined)
        findings.push(finding("bad_start", `entry ${index}: ${wrong}`, index));
    }
    const older = this.#olderPolicy(entry);
    if (older !== undefined)
      findings.push(finding("policy_rolled_back", `entry ${index}: ${older}`, index));
    for (const { message } of this.trail.next(index, entry))
      findings.push(finding("call_order", `entry ${index}: ${message}`, index));
    return findings;
  }

  /** A start entry carries the serial over to its run; a policy entry is where it may grow. */
  #olderPolicy(entry: Entry): string | undefined {
    if (entry.kind !== "start" && entry.kind !== "policy") return undefined;
    const { bundle_serial: serial } = entry;
    const before = this.#bundleSerial;
    this.#bundleSerial = Math.max(before, serial);
    return serial < before
      ? `it names the bundle serial ${serial} after ${before} was recorded`
      : undefined;
  }

  #wrongStart(index: number, entry: StartEntry, root: () => Uint8Array): string | undefined {
    const open = this.trail.open.map(({ call }) => call);
    const listed = new Set(entry.unknown_calls);
    if (listed.size !== open.length || !open.every((call) => listed.has(call)))
      return "its list of unknown calls is not that of the entries before it";
    const { previous } = entry;
    if (previous === null) return index === 0 ? undefined : "it names no previous checkpoint";
    if (previous.origin !== this.#verifier.name) return undefined;
    const opened = openCheckpoint(previous.checkpoint, this.#verifier);
    if (!opened.ok) return `its previous checkpoint: ${opened.error}`;
    const { size, rootHash } = opened.value;
    if (size !== index) return `its previous checkpoint has ${size} entries, ${index} precede it`;
    return sameHash(rootHash, root()) ? undefined : "its previous checkpoint has another root";
  }
}
