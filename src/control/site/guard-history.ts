/** What a guard knows of its log: kept as entries come, so that nobody who asks makes it read the log again. */
import type { IndexedEntry } from "../../audit/index.ts";
import { type FailoverRecord, type RecordedStep, RecordFold } from "../../failover/index.ts";
import type { JsonObject } from "../../kernel/index.ts";

/** Of the last run, as the log has it. */
export interface Known {
  readonly epoch: number;
  /** The failover that was under way or whose verdict stood; null: another site's turn. */
  readonly failover: string | null;
  readonly isOpen: boolean;
}

/** A record is a few KiB for each component; whatever is older is in the log. */
const limits = { recordsMax: 1_000, remediationsMax: 1_000 };

/** Steps that say nothing of whose turn it is. */
const aside: ReadonlySet<string> = new Set(["closed", "app_ready", "compared"]);

export class GuardHistory {
  readonly records: RecordFold = new RecordFold(limits);
  /** Orders of break-glass that were taken. */
  readonly usedNonces: Set<string> = new Set();
  #compared: JsonObject | undefined;
  #epoch = 0;
  #failover: string | null = null;

  /** In the order of the log. */
  add(step: RecordedStep): void {
    this.records.add(step);
    this.#epoch = Math.max(this.#epoch, step.epoch);
    if (!aside.has(step.step)) this.#failover = step.step === "standby" ? null : step.failover;
    if (step.step === "compared") this.#compared = step.about;
    const { nonce } = step.about;
    if (step.step === "break_glass" && typeof nonce === "string") this.usedNonces.add(nonce);
  }

  /** A site that stood by stands by; any other begins again, and what was open stays open. */
  get known(): Known {
    const failover = this.#failover;
    const record = this.records.records.find((each) => each.failover === failover);
    const isOpen = record !== undefined && record.closed === null;
    return { epoch: this.#epoch, failover, isOpen };
  }

  /** What this site found when it last compared itself and found something else than before (AG-403 4.8). */
  get compared(): JsonObject | undefined {
    return this.#compared;
  }

  /** The newest, oldest first; and how many older ones only the log has. */
  get newest(): { readonly records: readonly FailoverRecord[]; readonly older: number } {
    const dropped = [...this.records.dropped.values()];
    return {
      records: this.records.records,
      older: dropped.reduce((sum, count) => sum + count, 0),
    };
  }
}

/** The steps among the entries of a log. */
export function stepsIn(entries: readonly IndexedEntry[]): readonly RecordedStep[] {
  return entries.flatMap(({ index, entry }) => {
    if (entry.kind !== "failover") return [];
    const { time, epoch, failover, step, about } = entry;
    return [{ index, time, epoch, failover, step, about }];
  });
}
