/** The records that the steps of a log add up to (AG-403 4.6), kept as steps come: nothing is read twice. */
import type { FailoverRecord } from "./event-record.ts";
import { after, opened, type RecordedStep } from "./steps.ts";

/** How much is kept of a log that grows for years. What is dropped stays counted, and stays in the log. */
export interface FoldLimits {
  readonly recordsMax: number;
  /** Of one record; the newest stay. */
  readonly remediationsMax: number;
}

const everything: FoldLimits = {
  recordsMax: Number.POSITIVE_INFINITY,
  remediationsMax: Number.POSITIVE_INFINITY,
};

export class RecordFold {
  readonly #limits: FoldLimits;
  readonly #records = new Map<string, FailoverRecord>();
  readonly #dropped = new Map<string, number>();
  readonly #remediations = new Map<string, number>();

  constructor(limits: FoldLimits = everything) {
    this.#limits = limits;
  }

  /** In the order of the log. A step whose opening was not among them is left out: another log has it, or it was dropped. */
  add(step: RecordedStep): void {
    const before = this.#records.get(step.failover);
    if (before === undefined) {
      if (step.step === "opened") this.#open(step);
      return;
    }
    const record = after(before, step);
    const { remediation } = record;
    if (remediation.length > before.remediation.length) this.#countAttempt(record);
    const { remediationsMax } = this.#limits;
    const isOver = remediation.length > remediationsMax;
    const kept = isOver ? remediation.slice(-remediationsMax) : remediation;
    this.#records.set(step.failover, { ...record, remediation: kept });
  }

  /** Oldest first. */
  get records(): readonly FailoverRecord[] {
    return [...this.#records.values()];
  }

  /** Records that are not kept any more, by outcome. */
  get dropped(): ReadonlyMap<string, number> {
    return this.#dropped;
  }

  /** Attempts of all records, by `component result`. */
  get remediations(): ReadonlyMap<string, number> {
    return this.#remediations;
  }

  #open(step: RecordedStep): void {
    this.#records.set(step.failover, opened(step));
    if (this.#records.size <= this.#limits.recordsMax) return;
    // One that is still open is an alarm, and stays as long as any other can go.
    const gone = this.records.find(({ closed }) => closed !== null) ?? this.records[0];
    if (gone === undefined) return;
    this.#records.delete(gone.failover);
    counted(this.#dropped, gone.outcome ?? "open");
  }

  #countAttempt({ remediation }: FailoverRecord): void {
    const attempt = remediation.at(-1);
    if (attempt !== undefined)
      counted(this.#remediations, `${attempt.component} ${attempt.result}`);
  }
}

function counted(counts: Map<string, number>, word: string): void {
  counts.set(word, (counts.get(word) ?? 0) + 1);
}

/** Of a whole log, oldest first. */
export function recordsOf(steps: Iterable<RecordedStep>): readonly FailoverRecord[] {
  const fold = new RecordFold();
  for (const step of steps) fold.add(step);
  return fold.records;
}
