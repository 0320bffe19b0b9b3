/**
 * Looks at the stored counters of limits again and again: how full the fullest of each limit is goes to the metrics, and
 * counters that count nothing any more are removed, so that the store holds no more than what is in use.
 */
import type { JsonObject } from "../kernel/index.ts";
import { counterPrefix, useOf } from "../limits/index.ts";
import type { Clock, StoredValue, Telemetry } from "../ports.ts";
import type { SharedState, StateChange } from "../state/index.ts";
import type { ActivePolicy } from "./active-policy.ts";

export interface LimitWatchParts {
  readonly state: SharedState;
  readonly policy: Pick<ActivePolicy, "current">;
  readonly clock: Clock;
  readonly telemetry: Pick<Telemetry, "gauge">;
  readonly pollMs: number;
}

const pageMax = 500;

export class LimitWatch {
  readonly #parts: LimitWatchParts;
  /** Ids that the metrics know. They come from the policy alone. */
  readonly #told = new Set<string>();

  constructor(parts: LimitWatchParts) {
    this.#parts = parts;
  }

  /** Looks every `pollMs` until `signal` aborts. */
  async follow(signal: AbortSignal): Promise<void> {
    const { clock, pollMs } = this.#parts;
    while (!signal.aborted) {
      await this.look();
      await clock.sleep(pollMs, signal);
    }
  }

  /** Once. A store that cannot be read leaves the metrics as they were; calls are refused by then, and say so. */
  async look(): Promise<void> {
    const { policy, telemetry } = this.#parts;
    const fullest = await this.#fullest();
    if (fullest === undefined) return;
    for (const { id } of policy.current()?.limits ?? []) this.#told.add(id);
    for (const id of this.#told)
      telemetry.gauge("limit_used_ratio", { limit: id }, fullest.get(id) ?? 0);
  }

  async #fullest(): Promise<ReadonlyMap<string, number> | undefined> {
    const { state } = this.#parts;
    const fullest = new Map<string, number>();
    const now = await state.now();
    if (!now.ok) return undefined;
    for (let after = ""; ; ) {
      const page = await state.list(counterPrefix, pageMax, after);
      if (!page.ok) return undefined;
      for (const { value } of page.value) {
        const use = useOf(value, now.value);
        if (use !== undefined)
          fullest.set(use.limit, Math.max(fullest.get(use.limit) ?? 0, ratioOf(use)));
      }
      await this.#remove(page.value.filter(({ value }) => isOver(value, now.value)));
      const last = page.value.at(-1);
      if (last === undefined || page.value.length < pageMax) return fullest;
      after = last.key;
    }
  }

  /** Unless a call has counted in the meantime. What is not removed now is removed the next time. */
  async #remove(counters: readonly StoredValue[]): Promise<void> {
    if (counters.length === 0) return;
    const keys = counters.map(({ key }) => key);
    await this.#parts.state.transact(keys, (values, nowMs): StateChange<undefined> => {
      const over = keys.filter((key) => isOver(values.get(key), nowMs));
      return { writes: new Map(over.map((key) => [key, null])), result: undefined };
    });
  }
}

/** A limit of nothing is full from the start. */
function ratioOf({ used, max }: { readonly used: number; readonly max: number }): number {
  return max === 0 ? 1 : used / max;
}

/** A value that this Holdfast does not know is not its to remove. */
function isOver(stored: JsonObject | undefined, nowMs: number): boolean {
  return stored !== undefined && useOf(stored, nowMs)?.used === 0;
}
