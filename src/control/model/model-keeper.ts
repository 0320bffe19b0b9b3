/**
 * Keeps the model at work beside the gateway: reads what is new, adds what agents did, gives predictions their outcomes, and
 * makes the facts that gateways decide by. It is the control plane's work: it may be slow, and nothing waits for it.
 */
import {
  type DecisionEntry,
  type LogFiles,
  type NoteVerifier,
  readEntries,
} from "../../audit/index.ts";
import { err, ok, type Result } from "../../kernel/index.ts";
import {
  allKnown,
  calibrationByChange,
  changeFelt,
  exercised,
  exposure,
  type Graph,
  incidentAspect,
  type Memory,
  memoryOf,
  type Origin,
  type Remembrance,
  unexpired,
  type View,
} from "../../model/index.ts";
import type { Clock, Disk, Log, Telemetry } from "../../ports.ts";
import type { SharedState } from "../../state/index.ts";
import { makeFacts } from "./facts-maker.ts";
import { ModelLog } from "./model-log.ts";
import { type DoneAction, ownActions } from "./own-actions.ts";
import { Predictions } from "./predictions.ts";
import { forget, mergeSmall, RememberedModel } from "./remembered-model.ts";

export interface KeptLogSource {
  readonly name: string;
  readonly files: LogFiles;
  readonly verifier: NoteVerifier;
}

export interface ModelKeeperParts {
  readonly state: SharedState;
  readonly disk: Disk;
  readonly clock: Clock;
  readonly log: Log;
  readonly telemetry: Telemetry;
  readonly rules: Remembrance;
  /** Where the facts go, within `disk`. */
  readonly factsPath: string;
  readonly everyMs: number;
  /** Before and after an action, what is compared to say what was felt. */
  readonly outcomeWindowMs: number;
  /** The gateway's log beside us; undefined while there is none. */
  readonly openLog: () => Promise<KeptLogSource | undefined>;
  /** Up to when a watched cluster is known to be as it was told; null: never yet. Undefined where nothing is watched. */
  readonly watchedUntilMs?: () => number | null;
}

const entriesMax = 2_000;
const exercisedMs = 60 * 60_000;
const forgetEveryMs = 24 * 60 * 60_000;
const forgottenKey = "model/forgotten";
/** Open decisions that are remembered; older ones never get an outcome. */
const openMax = 10_000;

export class ModelKeeper {
  readonly #parts: ModelKeeperParts;
  readonly #log: ModelLog;
  readonly #model: RememberedModel;
  readonly #predictions: Predictions;
  #open: ReadonlyMap<string, DecisionEntry> = new Map();
  #complaint = "";
  #isWarm = false;

  constructor(parts: ModelKeeperParts) {
    this.#parts = parts;
    this.#log = new ModelLog(parts.state);
    this.#model = new RememberedModel(this.#log, parts.rules);
    this.#predictions = new Predictions(parts.state);
  }

  async follow(signal: AbortSignal): Promise<void> {
    const { clock, everyMs, log, telemetry } = this.#parts;
    while (!signal.aborted) {
      const kept = await this.once();
      if (!kept.ok) {
        telemetry.count("model_rounds_failed", {});
        if (kept.error !== this.#complaint)
          log.write("error", "model_not_kept", { error: kept.error });
      }
      this.#complaint = kept.ok ? "" : kept.error;
      await clock.sleep(everyMs, signal);
    }
  }

  /** One round. The error is a sentence; the next round tries everything again. */
  async once(): Promise<Result<void, string>> {
    const now = await this.#parts.state.now();
    if (!now.ok) return err(`the store is ${now.error.kind}: ${now.error.detail}`);
    const acted = await this.#takeActions();
    if (!acted.ok) return acted;
    const read = await this.#model.refresh(now.value);
    if (!read.ok) return read;
    await this.#tidy(now.value);
    // Without any event nobody uses the model, and policy sees that there is none.
    if (read.value.events === 0) return ok(undefined);
    const { outcomeWindowMs: windowMs, rules } = this.#parts;
    const view = this.#model.graph.asOf(now.value, allKnown);
    const predicted = await this.#predict(acted.value, view, now.value);
    if (!predicted.ok) return predicted;
    const settled = await this.#predictions.settle({ view, nowMs: now.value, windowMs });
    if (!settled.ok) return settled;
    await this.#predictions.forgetBefore(now.value - rules.prediction.keepMs);
    return await this.#tell(now.value);
  }

  /** The model as it is stored now. */
  async graph(): Promise<Result<Graph, string>> {
    const now = await this.#parts.state.now();
    if (!now.ok) return err(`the store is ${now.error.kind}: ${now.error.detail}`);
    const read = await this.#model.refresh(now.value);
    return read.ok ? ok(this.#model.graph) : read;
  }

  /** Small batches together, and once a day out with what is over. What fails is tried again in the next round. */
  async #tidy(nowMs: number): Promise<void> {
    const { state, log, rules } = this.#parts;
    const last = await state.read([forgottenKey]);
    if (!last.ok) return;
    const isDue = nowMs - Number(last.value.get(forgottenKey)?.["atMs"] ?? 0) >= forgetEveryMs;
    const batches = await this.#log.batches();
    if (!batches.ok) return;
    const done = isDue
      ? await forget(this.#log, rules, nowMs)
      : await mergeSmall(this.#log, batches.value, nowMs);
    if (!done.ok) log.write("warn", "model_not_merged", { error: done.error });
    else if (isDue)
      await state.transact([forgottenKey], () => ({
        writes: new Map([[forgottenKey, { atMs: nowMs }]]),
        result: undefined,
      }));
  }

  async #tell(nowMs: number): Promise<Result<void, string>> {
    const { disk, clock, factsPath: path, telemetry } = this.#parts;
    const predictions = await this.#predictions.all();
    if (!predictions.ok) return predictions;
    for (const [change, of] of calibrationByChange(predictions.value)) {
      const gauge = (name: string, value: number | null): void => {
        if (value !== null) telemetry.gauge(`model_prediction_${name}`, { change }, value);
      };
      gauge("settled", of.settled);
      gauge("brier", of.brier);
      gauge("coverage", of.coverage?.value ?? null);
      gauge("bias", of.bias);
      gauge("services_brier", of.feelings?.brier ?? null);
      gauge("services_coverage", of.feelings?.coverage.value ?? null);
    }
    const memory = this.#memory(nowMs);
    const watchedUntilMs = this.#parts.watchedUntilMs?.();
    const sources = {
      ...{ graph: this.#model.graph, predictions: predictions.value, nowMs },
      ...(watchedUntilMs !== undefined && { watchedUntilMs }),
    };
    const made = await makeFacts(
      { disk, clock, path },
      { ...sources, incidents: memory.incidents },
    );
    return made.ok ? ok(undefined) : made;
  }

  /** Confirmed incidents that are used at a time. */
  #memory(nowMs: number): Memory {
    const keeping = { now: nowMs, keepMs: this.#parts.rules.incident.keepMs };
    return unexpired(memoryOf(this.#model.graph.latest().facts(incidentAspect)), keeping);
  }

  /** What agents did since the last round, into the model; where one came to is kept in the store. */
  async #takeActions(): Promise<Result<readonly DoneAction[], string>> {
    const source = await this.#parts.openLog();
    if (source === undefined) return ok([]);
    const key = `model/actions/${source.name}`;
    const read = await this.#parts.state.read([key]);
    if (!read.ok) return err(`the store is ${read.error.kind}: ${read.error.detail}`);
    const next = Number(read.value.get(key)?.["next"] ?? 0);
    // After a start the decisions are read again whose outcome may be yet to come.
    const from = this.#isWarm ? next : Math.max(0, next - entriesMax);
    const entries = await readEntries(source.files, source.verifier, from, 2 * entriesMax);
    if (!entries.ok) return entries;
    this.#isWarm = true;
    const last = entries.value.at(-1)?.index ?? -1;
    const { events: told, done, open } = ownActions(source.name, entries.value, this.#open);
    this.#open = new Map([...open].slice(-openMax));
    if (last < next) return ok(done);
    const events = told.filter(({ origin }) => indexIn(origin) >= next);
    if (events.length > 0) {
      const batch = { id: `actions-${source.name}-${next}-${last}`, source: "holdfast", events };
      const written = await this.#log.write(batch);
      if (!written.ok) return written;
    }
    const moved = await this.#parts.state.transact([key], () => ({
      writes: new Map([[key, { next: last + 1 }]]),
      result: undefined,
    }));
    if (!moved.ok) return err(`the store is ${moved.error.kind}: ${moved.error.detail}`);
    return ok(done);
  }

  /** Keeps what had been predicted of actions that took effect. */
  async #predict(
    done: readonly DoneAction[],
    view: View,
    nowMs: number,
  ): Promise<Result<void, string>> {
    if (done.length === 0) return ok(undefined);
    const predictions = await this.#predictions.all();
    if (!predictions.ok) return predictions;
    const experience = { memory: this.#memory(nowMs), predictions: predictions.value };
    const seen = exercised(view, { fromAt: nowMs - exercisedMs, toAt: nowMs });
    for (const { call, at, target, change, share } of done) {
      if (share === null) continue;
      const exposed = exposure(view, target, seen);
      const { feelings, likely } = changeFelt(view, { exposed, change }, seen, experience);
      const kept = await this.#predictions.keep({
        ...{ id: call, target, change, at, share, services: likely },
        feelings: feelings.map(({ service, probability }) => ({ service, probability })),
        ...{ touched: exposed.share?.value ?? 0, isDone: true, outcome: null },
      });
      if (!kept.ok) return kept;
    }
    return ok(undefined);
  }
}

/** Which entry of the log an event is from. */
function indexIn({ reference }: Origin): number {
  return Number(/entry (\d+)$/.exec(reference)?.[1] ?? 0);
}
