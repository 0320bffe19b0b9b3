/**
 * The guard of one deployment at one site: runs the gate (AG-403 4.2, 4.3, 4.6, 4.9, 4.10). Every change that lets agents
 * act is durable in the guard's log before it counts; a change that stops them counts at once.
 */
import {
  allowsNoMore,
  type BuiltInCheck,
  builtInChecks,
  type Failing,
  type FailoverStart,
  type GateEffect,
  type GateEvent,
  type GatePhase,
  type GateState,
  gateStart,
  next,
  type Permit,
  permitted,
  raised,
  type Watermark,
} from "../../failover/index.ts";
import { digestOf, type JsonObject } from "../../kernel/index.ts";
import { askComponent } from "./asking.ts";
import { type BuiltInFindings, lookAt } from "./built-in.ts";
import { Evidence } from "./evidence.ts";
import { GateTelling } from "./gate-telling.ts";
import type { GuardParts } from "./guard-parts.ts";
import { repaired } from "./repairing.ts";
import { type ChangeFacts, stepsBetween } from "./steps-between.ts";

interface Begun {
  readonly id: string;
  readonly sinceMs: number;
  /** How long ago it began when this guard heard of it. */
  readonly beforeMs: number;
}

/** In any other phase nobody waits for answers. */
const asksIn: ReadonlySet<GatePhase> = new Set(["validating", "remediating", "ready", "degraded"]);
const renewAgainMs = 100;
const lookMs = 200;
const tickMs = 25;

export class Guard {
  readonly #parts: GuardParts;
  readonly #evidence = new Evidence();
  #state: GateState;
  #turn: Promise<void> = Promise.resolve();
  #failed = false;
  #ending = new AbortController();
  /** Ends the questions of a validation that nobody waits for any more. */
  #asking = new AbortController();
  #open: Begun | undefined;
  /** The one that was closed last. */
  #last: Begun | undefined;
  #permitEndsMs = 0;
  #verdictMs = 0;
  #beatMs = 0;
  #witnessed: Watermark = new Map();
  readonly #waiting = new Set<() => void>();
  readonly #telling: GateTelling;

  constructor(parts: GuardParts) {
    this.#parts = parts;
    const { epoch, failover, isOpen } = parts.known;
    const phase = failover === null ? "standby" : "revoked";
    this.#state = { ...gateStart, epoch, failover, phase };
    this.#telling = new GateTelling(parts, this.#state);
    // Permits of the run before may be out for a whole lifetime more.
    if (epoch > 0) this.#permitEndsMs = parts.clock.monotonicMs() + parts.rules.ttlMs;
    if (failover !== null && isOpen)
      this.#open = { id: failover, sinceMs: parts.clock.monotonicMs(), beforeMs: 0 };
  }

  get state(): GateState {
    return this.#state;
  }

  get evidence(): Evidence {
    return this.#evidence;
  }

  /** The failover that is recorded as open, if any. */
  get openFailover(): string | undefined {
    return this.#open?.id;
  }

  /** Runs until `signal` aborts. What an earlier run was in the middle of begins again, fenced. */
  async follow(signal: AbortSignal): Promise<void> {
    const { clock, known } = this.#parts;
    const stop = (): void => this.#ending.abort();
    signal.addEventListener("abort", stop, { once: true });
    if (known.failover !== null) {
      await this.#record("restarted", {});
      await this.hear({ kind: "restarted" });
    }
    while (!signal.aborted) {
      await this.#tend();
      await clock.sleep(tickMs, signal);
    }
    this.#asking.abort();
    await this.#turn;
  }

  /** A failover to this site begins. While one is open it is that one; the answer is its id. */
  async begin(start: Omit<FailoverStart, "failover">): Promise<string> {
    const { clock, entropy, digest } = this.#parts;
    if (this.#open === undefined) {
      const id = `fo-${Buffer.from(entropy.bytes(10)).toString("hex")}`;
      const beforeMs = Math.max(0, clock.wallMs() - Date.parse(start.initiated)) || 0;
      this.#open = { id, sinceMs: clock.monotonicMs(), beforeMs };
      await this.#record("opened", { ...start, failover: id, manifest_digest: digest });
    }
    const { id } = this.#open;
    await this.hear({ kind: "begin", failover: id });
    return id;
  }

  /** Another site is to act, or people say stop. The lease is given back once no permit is good any more. */
  async standDown(because: string): Promise<void> {
    await this.hear({ kind: "stand_down", because });
    await this.close("abandoned", because);
  }

  /** What agents may do here now; and until when, at most, what was answered is good. */
  permit():
    | { readonly tier: Permit["tier"]; readonly enhanced: boolean; readonly leftMs: number }
    | undefined {
    const nowMs = this.#parts.clock.monotonicMs();
    const now = this.#failed ? undefined : permitted(this.#state, nowMs);
    if (now !== undefined) this.#permitEndsMs = Math.max(this.#permitEndsMs, nowMs + now.leftMs);
    return now;
  }

  /** What a gateway has acknowledged; the arbiter learns of it with the next renewal. */
  witness(counts: Watermark): void {
    this.#witnessed = raised(this.#witnessed, counts);
  }

  /** The open failover ends in the record: once. */
  async close(outcome: string, because: string, resumed?: string): Promise<void> {
    const open = this.#open;
    if (open === undefined) return;
    this.#open = undefined;
    this.#last = open;
    const { clock } = this.#parts;
    const now = new Date(clock.wallMs()).toISOString();
    const traffic = resumed === undefined ? {} : { traffic_resumed: now, instance: resumed };
    await this.#record("closed", { outcome, because, ...traffic }, this.#state, open.id);
  }

  note(step: "break_glass", about: JsonObject): Promise<boolean> {
    return this.#record(step, about);
  }

  /** The application is up (AG-403 4.9): often a moment after agents may act. False: no failover of this run is meant. */
  async appReady(mechanism: string): Promise<boolean> {
    const of = this.#open ?? this.#last;
    if (of === undefined) return false;
    const about = { mechanism, rto_ms: Math.round(this.#sinceMs(of)) };
    return await this.#record("app_ready", about, this.#state, of.id);
  }

  /** Since the failover began, as far as its mechanism knew. */
  #sinceMs({ sinceMs, beforeMs }: Begun): number {
    return this.#parts.clock.monotonicMs() - sinceMs + beforeMs;
  }

  /** Resolves when the phase has changed, or after `ms`. */
  async changed(ms: number, signal: AbortSignal): Promise<void> {
    const done = new AbortController();
    const woken = new Promise<void>((wake) => {
      this.#waiting.add(wake);
      done.signal.addEventListener("abort", () => this.#waiting.delete(wake), { once: true });
    });
    await Promise.race([
      woken,
      this.#parts.clock.sleep(ms, AbortSignal.any([signal, done.signal])),
    ]);
    done.abort();
  }

  /** One event after the other. */
  hear(event: GateEvent): Promise<void> {
    const turn = this.#turn.then(() => this.#take(event));
    this.#turn = turn.catch((thrown: unknown) => this.#break(String(thrown)));
    return this.#turn;
  }

  async #take(event: GateEvent): Promise<void> {
    if (this.#failed) return;
    const { clock, rules } = this.#parts;
    const before = this.#state;
    const nowMs = clock.monotonicMs();
    const step = next(rules, before, event, nowMs);
    const stops = allowsNoMore(permitted(before, nowMs), permitted(step.state, nowMs));
    if (stops) this.#enter(step.state);
    for (const { step: name, about } of stepsBetween(before, step.state, this.#facts()))
      if (!(await this.#record(name, about, step.state))) return;
    if (!stops) this.#verdictMs = clock.monotonicMs();
    this.#enter(step.state);
    for (const effect of step.effects) this.#start(effect, step.state);
  }

  #facts(): ChangeFacts {
    const grt = this.#open && this.#sinceMs(this.#open);
    return {
      manifest_digest: this.#parts.digest,
      evidence: this.#evidence,
      grtMs: grt === undefined ? null : Math.round(grt),
    };
  }

  /** Time goes on although nothing changes; before anybody reads the metrics. */
  tellTimes(): void {
    this.#telling.passed();
  }

  #enter(state: GateState): void {
    this.#state = state;
    if (!this.#telling.changed(state)) return;
    if (!asksIn.has(state.phase)) {
      this.#asking.abort();
      this.#asking = new AbortController();
    }
    for (const wake of this.#waiting) wake();
  }

  #start(effect: GateEffect, { epoch }: GateState): void {
    const run = this.#run(effect, epoch);
    void run.catch((thrown: unknown) => this.#break(String(thrown)));
  }

  #run(effect: GateEffect, epoch: number): Promise<unknown> {
    switch (effect.kind) {
      case "acquire":
        return this.#acquire();
      case "ask":
        this.#evidence.begin(effect.round, this.#parts.clock.monotonicMs());
        return Promise.all(effect.components.map((name) => this.#ask(name, effect.round, epoch)));
      case "renew":
        return this.#renew(effect.round, epoch);
      case "remediate":
        return this.#remediate(effect.component, effect.attempt, epoch);
      case "release":
        return this.#release(epoch);
    }
  }

  async #acquire(): Promise<void> {
    const { lease, clock } = this.#parts;
    const { signal } = this.#ending;
    while (this.#state.phase === "fenced" && !signal.aborted) {
      const got = await lease.tryAcquire();
      if (got.kind === "held") {
        this.#beatMs = got.sinceMs;
        return this.hear({ kind: "leased", epoch: got.epoch, sinceMs: got.sinceMs });
      }
      const why = got.kind === "taken" ? `${got.by} holds epoch ${got.epoch}` : got.because;
      this.#parts.log.write("info", "lease_waits", { why });
      await clock.sleep(got.kind === "taken" ? Math.min(got.waitMs, lookMs) : lookMs, signal);
    }
  }

  async #ask(name: string, round: number, epoch: number): Promise<void> {
    const { components, telemetry, deployment } = this.#parts;
    const builtIn = builtInChecks.find((check) => check === name);
    const component = components.find((each) => each.name === name);
    const answer =
      builtIn !== undefined || component === undefined
        ? await this.#lookAt(builtIn ?? "holdfast.residency")
        : await askComponent(this.#parts, component, epoch, this.#asking.signal);
    if ("took_ms" in answer) {
      this.#evidence.answered(round, answer);
      telemetry.gauge("failover_probe_ms", { deployment, component: name }, answer.took_ms);
    }
    const { verdict, because } = answer;
    await this.hear({ kind: "answered", epoch, round, component: name, verdict, because });
  }

  async #lookAt(check: BuiltInCheck): Promise<BuiltInFindings> {
    const now = new Date(this.#parts.clock.wallMs()).toISOString();
    const found = await lookAt(check, this.#parts, now);
    this.#evidence.found(found);
    return found;
  }

  async #renew(round: number, epoch: number): Promise<void> {
    const { lease, clock, deployment } = this.#parts;
    const digest = digestOf({
      deployment,
      epoch,
      round,
      failing: this.#state.passed?.failing.map(json) ?? [],
    });
    while (this.#state.passed?.round === round && this.#state.epoch === epoch) {
      const renewed = await lease.renew(epoch, digest, this.#witnessed);
      if (renewed.ok) {
        this.#verdictMs = renewed.value.sinceMs;
        this.#beatMs = renewed.value.sinceMs;
        return this.hear({ kind: "renewed", epoch, round, sinceMs: renewed.value.sinceMs });
      }
      if (renewed.error.lost)
        return this.hear({ kind: "lease_lost", because: renewed.error.because });
      await clock.sleep(renewAgainMs, this.#ending.signal);
      await this.hear({ kind: "tick" });
    }
  }

  async #remediate(component: string, attempt: number, epoch: number): Promise<void> {
    const { components } = this.#parts;
    const repair = components.find((each) => each.name === component)?.remediation;
    if (repair !== undefined) {
      const ran = await repaired(this.#parts, component, repair, this.#ending.signal);
      await this.#record("remediated", { component, attempt, ...ran });
    }
    await this.hear({ kind: "remediated", epoch, component });
  }

  /** Whoever takes the lease next finds nobody who still may act. */
  async #release(epoch: number): Promise<void> {
    const { clock, lease } = this.#parts;
    const leftMs = this.#permitEndsMs - clock.monotonicMs();
    if (leftMs > 0) await clock.sleep(leftMs, this.#ending.signal);
    if (this.#permitEndsMs <= clock.monotonicMs()) await lease.release(epoch);
  }

  /** What is due by now: time that ran out, the next validation, the next beat. */
  async #tend(): Promise<void> {
    const { clock, rules } = this.#parts;
    const nowMs = clock.monotonicMs();
    const { phase, leaseUntilMs, validUntilMs, check, remediation, passed, enhanced } = this.#state;
    const due = [leaseUntilMs, validUntilMs, check?.endsMs, remediation?.endsMs].some(
      (ms) => ms !== null && ms !== undefined && ms <= nowMs,
    );
    if (due) await this.hear({ kind: "tick" });
    const open = phase === "ready" || phase === "degraded";
    const everyMs = rules.ttlMs / (enhanced ? 6 : 3);
    if (open && check === null && passed === null && nowMs - this.#verdictMs >= everyMs)
      await this.hear({ kind: "revalidate" });
    const works = phase === "validating" || phase === "remediating";
    if (works && leaseUntilMs !== null && nowMs - this.#beatMs >= rules.ttlMs / 3)
      await this.#beat();
  }

  async #beat(): Promise<void> {
    const { lease, clock } = this.#parts;
    const { epoch } = this.#state;
    this.#beatMs = clock.monotonicMs();
    const beat = await lease.renew(epoch, null, this.#witnessed);
    if (beat.ok) await this.hear({ kind: "beat", epoch, sinceMs: beat.value.sinceMs });
    else if (beat.error.lost) await this.hear({ kind: "lease_lost", because: beat.error.because });
  }

  async #record(
    step: string,
    about: JsonObject,
    state: GateState = this.#state,
    failover: string = this.#open?.id ?? state.failover ?? "-",
  ): Promise<boolean> {
    const { guardLog } = this.#parts;
    const appended = await guardLog.append({ step, about, epoch: state.epoch, failover });
    if (!appended.ok) this.#break(appended.error);
    return appended.ok;
  }

  /** A guard that cannot record, or broke, lets nobody act; the process ends and begins anew, fenced. */
  #break(because: string): void {
    if (!this.#failed) this.#parts.log.write("error", "guard_failed", { because });
    this.#failed = true;
    this.#state = {
      ...gateStart,
      phase: "revoked",
      epoch: this.#state.epoch,
      failover: this.#state.failover,
    };
    this.#telling.changed(this.#state);
  }

  get failed(): boolean {
    return this.#failed;
  }
}

function json({ component, verdict }: Failing): JsonObject {
  return { component, verdict };
}
