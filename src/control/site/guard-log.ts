/** The log of a guard: a step counts once it is durable, and is known from then on. */
import { type LogFiles, type NoteVerifier, readEntries } from "../../audit/index.ts";
import { err, type JsonObject, ok, type Result } from "../../kernel/index.ts";
import type { Ledger } from "../../ledger/index.ts";
import type { Clock } from "../../ports.ts";
import { GuardHistory, stepsIn } from "./guard-history.ts";

export interface GuardLogParts {
  readonly ledger: Ledger;
  readonly clock: Clock;
  readonly tenant: string;
  readonly deployment: string;
  readonly site: string;
}

export interface NewStep {
  readonly step: string;
  readonly about: JsonObject;
  readonly epoch: number;
  readonly failover: string;
}

/** So many entries are in memory at a time. */
const readMax = 4_096;

export class GuardLog {
  readonly history: GuardHistory;
  readonly #parts: GuardLogParts;

  private constructor(parts: GuardLogParts, history: GuardHistory) {
    this.#parts = parts;
    this.history = history;
  }

  /** Reads what is there: the only time that this is done. */
  static async open(
    parts: GuardLogParts,
    files: LogFiles,
    verifier: NoteVerifier,
  ): Promise<Result<GuardLog, string>> {
    const history = new GuardHistory();
    for (let from = 0; ; ) {
      const entries = await readEntries(files, verifier, from, readMax);
      if (!entries.ok) return entries;
      for (const step of stepsIn(entries.value)) history.add(step);
      from += entries.value.length;
      if (entries.value.length < readMax) return ok(new GuardLog(parts, history));
    }
  }

  /** Ok once it is durable. The error says why it is not known to be. */
  async append({ step, about, epoch, failover }: NewStep): Promise<Result<void, string>> {
    const { ledger, clock, tenant, deployment, site } = this.#parts;
    const time = new Date(clock.wallMs()).toISOString();
    const appended = await ledger.append({
      ...{ v: 1, kind: "failover", instance: "guard", site, epoch, tenant, time },
      ...{ failover, deployment, step, about },
    });
    if (!appended.ok) return err(`${step} could not be recorded: ${appended.error.detail}`);
    const { index } = appended.value;
    this.history.add({ index, time, epoch, failover, step, about });
    return ok(undefined);
  }
}
