/**
 * Predictions in the shared state, each with what then happened as soon as that can be seen. One that was made before an
 * action is taken up by the first change of its kind to its target within a day; one about an action that was never done has
 * no outcome.
 */
import { err, type JsonObject, ok, type Result } from "../../kernel/index.ts";
import {
  felt,
  type Prediction,
  readPrediction,
  type View,
  withOutcome,
} from "../../model/index.ts";
import type { SharedState } from "../../state/index.ts";

const prefix = "model/prediction/";
const pageMax = 500;
/** A change that comes later is another one. */
const takenUpMs = 24 * 60 * 60_000;

export interface Settling {
  readonly view: View;
  readonly nowMs: number;
  /** What was felt is told from so long before and after the action. */
  readonly windowMs: number;
}

export class Predictions {
  readonly #state: SharedState;

  constructor(state: SharedState) {
    this.#state = state;
  }

  /** Keeps it, durable; the same again changes nothing once it has an outcome. */
  async keep(prediction: Prediction): Promise<Result<void, string>> {
    const key = prefix + prediction.id;
    const kept = await this.#state.transact([key], (values) => {
      const present = values.get(key);
      const hasOutcome = present !== undefined && readPrediction(present)?.outcome !== null;
      const writes = new Map<string, JsonObject>();
      if (!hasOutcome) writes.set(key, prediction as unknown as JsonObject);
      return { writes, result: undefined };
    });
    return kept.ok ? ok(undefined) : err(`the store is ${kept.error.kind}: ${kept.error.detail}`);
  }

  /** Every prediction there is, oldest first; what is not ours is left out. */
  async all(): Promise<Result<readonly Prediction[], string>> {
    const found: Prediction[] = [];
    for (let after = ""; ; ) {
      const page = await this.#state.list(prefix, pageMax, after);
      if (!page.ok) return err(`the store is ${page.error.kind}: ${page.error.detail}`);
      for (const { value } of page.value) {
        const prediction = readPrediction(value);
        if (prediction !== undefined) found.push(prediction);
      }
      const last = page.value.at(-1);
      if (last === undefined || page.value.length < pageMax)
        return ok(found.sort((a, b) => a.at - b.at || (a.id < b.id ? -1 : 1)));
      after = last.key;
    }
  }

  /** Gives outcomes to those of which it can be told now, and says how many. */
  async settle(settling: Settling): Promise<Result<number, string>> {
    const all = await this.all();
    if (!all.ok) return all;
    let settled = 0;
    for (const open of all.value.filter(({ outcome }) => outcome === null)) {
      const prediction = outcomeOf(open, settling);
      if (prediction === undefined) continue;
      const kept = await this.keep(prediction);
      if (!kept.ok) return kept;
      settled += 1;
    }
    return ok(settled);
  }

  /** Removes those that are older. */
  async forgetBefore(atMs: number): Promise<Result<number, string>> {
    const all = await this.all();
    if (!all.ok) return all;
    const old = all.value.filter(({ at }) => at < atMs);
    for (const { id } of old) {
      const key = prefix + id;
      const removed = await this.#state.transact([key], () => ({
        writes: new Map([[key, null]]),
        result: undefined,
      }));
      if (!removed.ok) return err(`the store is ${removed.error.kind}: ${removed.error.detail}`);
    }
    return ok(old.length);
  }
}

function outcomeOf(
  prediction: Prediction,
  { view, nowMs, windowMs }: Settling,
): Prediction | undefined {
  const doneAt = prediction.isDone ? prediction.at : takenUpAt(prediction, view);
  if (doneAt === undefined || nowMs < doneAt + windowMs) return undefined;
  const before = { fromAt: doneAt - windowMs, toAt: doneAt };
  const after = { fromAt: doneAt, toAt: doneAt + windowMs };
  const settled = withOutcome(prediction, felt(view, before, after), doneAt + windowMs);
  return settled.outcome === null ? undefined : { ...settled, at: doneAt, isDone: true };
}

function takenUpAt({ at, target, change }: Prediction, view: View): number | undefined {
  const range = { fromAt: at, toAt: at + takenUpMs };
  return view.changes(range, { node: target, kinds: [change] })[0]?.at;
}
