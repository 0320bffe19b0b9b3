/**
 * The drill engine (AG-403 4.7). In this order: the guard on the blast radius; what is there before (state, steady state,
 * proof that the fault is not there yet); the drill open and durable; the method; proof of the fault; what governance
 * promises under it; the rollback, always; what must hold again; the state compared; the journal signed.
 */
import {
  type ActivityRun,
  blastRadiusRefusals,
  type Control,
  type ControlFinding,
  type Look,
  type Manifest,
  type SteadyState,
} from "../../failover/index.ts";
import {
  callId,
  digestOf,
  err,
  type JsonObject,
  type JsonValue,
  ok,
  type Result,
} from "../../kernel/index.ts";
import { actingSites } from "./acting.ts";
import { type Ran, type RunningActivity, runActivity } from "./activity.ts";
import { type ClosedDrill, closeDrill } from "./close.ts";
import { type OpenDrill, writeOpenDrill } from "./open-drill.ts";
import type { DrillParts, DrillRefusal, DrillRequest } from "./parts.ts";

/** Between two looks at what does not hold yet. */
const lookAgainMs = 100;
/** How long one rollback is tried, and what lies between two tries. */
const rollbackMs = 30_000;
const rollbackAgainMs = 500;

/** The caller holds the lock of the folder, and no drill is open. */
export async function runDrill(
  parts: DrillParts,
  request: DrillRequest,
): Promise<Result<ClosedDrill, DrillRefusal>> {
  const { experiment, manifest } = request;
  const acting = await actingSites(parts, sitesOf(manifest, experiment.governance.targets));
  const because = blastRadiusRefusals(experiment, {
    ...{ manifest, acting },
    allowReady: request.allowReady,
  });
  if (because.length > 0) return err({ kind: "refused", because });
  const run = new DrillRun(parts, request);
  const opened = await run.before();
  if (!opened.ok) return err({ kind: "unrecorded", because: [opened.error] });
  if (opened.value === "steady") await run.fault();
  return run.after();
}

function sitesOf(
  manifest: Manifest,
  targets: readonly { readonly site: string }[],
): Manifest["sites"] {
  return manifest.sites.filter(({ id }) => targets.some(({ site }) => site === id));
}

export class DrillRun {
  readonly #parts: DrillParts;
  readonly #request: DrillRequest;
  readonly #how: RunningActivity;
  /** Rollbacks run although the drill was stopped. */
  readonly #unstoppable: RunningActivity;
  #open: OpenDrill;
  #began = false;
  #deadlineMs = Number.POSITIVE_INFINITY;
  #aborted: string | null = null;
  readonly #failedActions: string[] = [];

  constructor(parts: DrillParts, request: DrillRequest, resumed?: OpenDrill) {
    this.#parts = parts;
    this.#request = request;
    const { experiment, signal } = request;
    this.#how = {
      ...{ parts, signal },
      secrets: experiment.secrets,
      paths: experiment.governance.targets.flatMap(({ paths }) => paths),
    };
    this.#unstoppable = { ...this.#how, signal: new AbortController().signal };
    this.#began = resumed !== undefined;
    this.#open = resumed ?? {
      format: "holdfast.open-drill/v1",
      drill: `dr-${callId(parts.clock.wallMs(), parts.entropy.bytes(10))}`,
      tenant: request.manifest.tenant,
      manifest_digest: request.manifestDigest,
      experiment: experiment.source,
      variables: request.variables,
      started_ms: parts.clock.wallMs(),
      ...{ log_index: null, state_before: null, closed: false },
      ...{ steady_before: null, steady_after: null },
      ...{ controls: [], proof: [], looks: [], run: [] },
    };
  }

  /** What is there before anything is done; `steady`: the method may begin, and the drill is open and durable. */
  async before(): Promise<Result<"steady" | "unsteady", string>> {
    const { governance, steadyState, title } = this.#request.experiment;
    this.#parts.tell(`${this.#open.drill}: ${title}`);
    this.#change({ state_before: await this.#stateDigest() });
    const steady = await this.#steadyState("steady_before");
    this.#change({ steady_before: steady });
    const held = await Promise.all(
      governance.faultProof.map(async ({ probe }) => {
        const ran = await runActivity(probe, this.#how);
        this.#note(ran, "proof_before");
        return { name: probe.name, held_before: ran.met, held_after: false };
      }),
    );
    this.#change({ proof: held });
    const proven = held.every(({ held_before: before }) => !before);
    if (!steady.steady_state_met || !proven || this.#open.state_before === null) {
      this.#parts.tell(`not begun: ${steadyState.title}: nothing was done`);
      return ok("unsteady");
    }
    return this.#openDurably();
  }

  async #openDurably(): Promise<Result<"steady", string>> {
    const { experiment, manifestDigest } = this.#request;
    const { scenario, deployment } = experiment.governance;
    const recorded = await this.#parts.record({
      ...{ step: "opened", drill: this.#open.drill, scenario, deployment },
      experiment_digest: digestOf(experiment.source),
      manifest_digest: manifestDigest,
      ...{ journal_digest: null, verdict: null },
    });
    if (!recorded.ok) return recorded;
    this.#change({ log_index: recorded.value });
    const written = await this.#keep();
    return written.ok ? ok("steady") : written;
  }

  /** The method, and what is promised while its fault lasts. */
  async fault(): Promise<void> {
    const { clock } = this.#parts;
    const { governance } = this.#request.experiment;
    this.#began = true;
    this.#deadlineMs = clock.monotonicMs() + governance.durationMsMax;
    if (await this.#method()) {
      await this.#proveFault();
      const expected = governance.expect.map((each) => this.#look(each, "under_fault"));
      const found = await Promise.all(expected);
      this.#change({ controls: [...this.#open.controls, ...found] });
    }
    // Also when it was stopped: what must always hold may be why.
    await this.#steadyState("steady_under_fault", this.#unstoppable);
    await this.#shouldStop();
  }

  /** False when it was stopped before its end. */
  async #method(): Promise<boolean> {
    for (const activity of this.#request.experiment.method) {
      if (await this.#shouldStop()) return false;
      this.#parts.tell(`${activity.kind}: ${activity.name}`);
      const ran = await runActivity(activity, this.#how);
      this.#change({ run: [...this.#open.run, ran.run] });
      const kept = await this.#keep();
      if (!kept.ok) this.#aborted ??= kept.error;
      // A probe of the method that says what it expects is there to show that the method does what it should.
      if (!ran.met && (activity.kind === "action" || activity.tolerance !== undefined))
        this.#failedActions.push(activity.name);
    }
    return true;
  }

  async #proveFault(): Promise<void> {
    const proof = await Promise.all(
      this.#request.experiment.governance.faultProof.map(async (control, i) => {
        const { met } = await this.#look(control, "proof_after");
        const before = this.#open.proof[i]?.held_before ?? true;
        return { name: control.probe.name, held_before: before, held_after: met };
      }),
    );
    this.#change({ proof });
    for (const { name, held_after: held } of proof)
      this.#parts.tell(held ? `the fault took effect: ${name}` : `NOT PROVEN: ${name}`);
  }

  /** Rolls back what began, looks whether all is as it was, signs and closes. */
  async after(interrupted = false): Promise<Result<ClosedDrill, DrillRefusal>> {
    const { recovery } = this.#request.experiment.governance;
    const rolled = this.#began ? await this.#rollBack() : { failed: [], runs: [] };
    if (this.#began) {
      const found = await Promise.all(recovery.map((each) => this.#look(each, "after_rollback")));
      this.#change({ controls: [...this.#open.controls, ...found] });
    }
    const before = this.#open.state_before;
    const settleMs = Math.max(0, ...recovery.map(({ withinMs }) => withinMs));
    const after = this.#began ? await this.#restoredState(settleMs) : before;
    return closeDrill(this.#parts, this.#request, this.#open, rolled.runs, {
      began: this.#began,
      controls: this.#open.controls,
      proof: this.#open.proof,
      state: { before, after, restored: before !== null && after === before },
      failed_actions: this.#failedActions,
      failed_rollbacks: rolled.failed,
      ...{ aborted: this.#aborted, interrupted },
    });
  }

  /**
   * Each rollback, in order, whatever became of the one before it. One that fails is run again for a while (what it needs may
   * just be starting), so it must be harmless when run again.
   */
  async #rollBack(): Promise<{
    readonly failed: readonly string[];
    readonly runs: readonly ActivityRun[];
  }> {
    const { clock, tell } = this.#parts;
    const failed: string[] = [];
    const runs: ActivityRun[] = [];
    for (const activity of this.#request.experiment.rollbacks) {
      tell(`rollback: ${activity.name}`);
      const deadline = clock.monotonicMs() + rollbackMs;
      let ran = await runActivity(activity, this.#unstoppable);
      while (!ran.met && activity.kind === "action" && clock.monotonicMs() < deadline) {
        await clock.sleep(rollbackAgainMs);
        ran = await runActivity(activity, this.#unstoppable);
      }
      runs.push(ran.run);
      if (!ran.met && activity.kind === "action") failed.push(activity.name);
    }
    return { failed, runs };
  }

  async #restoredState(withinMs: number): Promise<string | null> {
    const { clock } = this.#parts;
    const deadline = clock.monotonicMs() + withinMs;
    for (;;) {
      const state = await this.#stateDigest(this.#unstoppable);
      if (state === this.#open.state_before || clock.monotonicMs() >= deadline) return state;
      await clock.sleep(lookAgainMs);
    }
  }

  /**
   * Of a probe with a tolerance, whether it holds; of one without, what it answered. Null when a part cannot be seen: then
   * nobody could tell whether it was restored.
   */
  async #stateDigest(how: RunningActivity = this.#how): Promise<string | null> {
    const { state } = this.#request.experiment.governance;
    const rans = await Promise.all(state.map((activity) => runActivity(activity, how)));
    for (const ran of rans) this.#note(ran, "state");
    if (rans.some(({ output }) => output === undefined)) return null;
    const parts = rans.map(({ output, met }, i) =>
      state[i]?.tolerance === undefined ? withoutHeaders(output) : met,
    );
    return digestOf(parts);
  }

  async #steadyState(
    phase: "steady_before" | "steady_under_fault",
    how: RunningActivity = this.#how,
  ): Promise<SteadyState> {
    const { probes } = this.#request.experiment.steadyState;
    const rans = await Promise.all(probes.map((activity) => runActivity(activity, how)));
    const controls = rans.map(({ met }, i): ControlFinding => {
      return {
        ...{ name: probes[i]?.name ?? "", phase, blocking: true, met },
        after_ms: met ? 0 : null,
      };
    });
    this.#change({ controls: [...this.#open.controls, ...controls] });
    for (const ran of rans) this.#note(ran, phase);
    const state = {
      steady_state_met: rans.every(({ met }) => met),
      probes: rans.map(({ run }) => run),
    };
    if (phase === "steady_under_fault") this.#change({ steady_after: state });
    return state;
  }

  /** Looks again until it holds, its time is over or the drill must stop. */
  async #look(control: Control, phase: Look["phase"]): Promise<ControlFinding> {
    const { clock } = this.#parts;
    const how = phase === "after_rollback" ? this.#unstoppable : this.#how;
    const started = clock.monotonicMs();
    for (;;) {
      const ran = await runActivity(control.probe, how);
      const took = clock.monotonicMs() - started;
      const over = took >= control.withinMs;
      if (!ran.met && !over && (phase === "after_rollback" || !(await this.#shouldStop()))) {
        await clock.sleep(lookAgainMs, how.signal);
        continue;
      }
      this.#note(ran, phase);
      this.#parts.tell(`${ran.met ? "holds" : "DOES NOT HOLD"}: ${control.probe.name}`);
      return {
        ...{ name: control.probe.name, blocking: control.blocking, met: ran.met },
        phase: phase === "after_rollback" ? phase : "under_fault",
        after_ms: ran.met ? Math.round(took) : null,
      };
    }
  }

  /** Whether the drill must end now; says so once. */
  async #shouldStop(): Promise<boolean> {
    if (this.#aborted !== null) return true;
    if (this.#request.signal.aborted) this.#aborted = "it was asked to";
    else if (this.#parts.clock.monotonicMs() >= this.#deadlineMs)
      this.#aborted = "its time is over";
    else
      for (const probe of this.#request.experiment.governance.abort) {
        const ran = await runActivity(probe, this.#how);
        if (ran.met) continue;
        this.#note(ran, "abort");
        this.#aborted ??= `"${probe.name}" does not hold`;
      }
    if (this.#aborted !== null) this.#parts.tell(`STOPPED: ${this.#aborted}`);
    return this.#aborted !== null;
  }

  #note({ run }: Ran, phase: Look["phase"]): void {
    this.#change({ looks: [...this.#open.looks, { ...run, phase }] });
  }

  #change(change: Partial<OpenDrill>): void {
    this.#open = { ...this.#open, ...change };
  }

  #keep(): Promise<Result<void, string>> {
    return writeOpenDrill(this.#parts.disk, this.#open);
  }
}

/** Of an HTTP answer only status and body are state: dates and request ids are not. */
function withoutHeaders(output: JsonObject | undefined): JsonValue {
  return Object.fromEntries(Object.entries(output ?? {}).filter(([name]) => name !== "headers"));
}
