/** What a guard tells of its gate: the phase, how long it is in each, what keeps agents from acting and for how long. */
import { builtInChecks, type GatePhase, type GateState, gatePhases } from "../../failover/index.ts";
import type { GuardParts } from "./guard-parts.ts";

type Told = Pick<GateState, "phase" | "failing" | "tier" | "epoch">;

export class GateTelling {
  readonly #parts: GuardParts;
  #told: Told;
  #sinceMs: number;

  /** Every series is there from the start: what never happened is 0, and an alert on it can tell. */
  constructor(parts: GuardParts, state: Told) {
    this.#parts = parts;
    this.#sinceMs = parts.clock.monotonicMs();
    for (const phase of gatePhases) this.#count("failover_phase_seconds", { phase }, 0);
    const names = [...builtInChecks, ...parts.components.map(({ name }) => name)];
    for (const component of names) this.#count("failover_blocked_seconds", { component }, 0);
    this.#told = state;
    this.#tellState();
  }

  /** After every change of the gate. True when its phase is another one. */
  changed(state: Told): boolean {
    this.passed();
    const before = this.#told;
    this.#told = state;
    const moved = state.phase !== before.phase;
    if (moved || acts(state) !== acts(before)) this.#tellState();
    if (!moved) return false;
    const { log, site, deployment } = this.#parts;
    const { phase, epoch, failing } = state;
    const level = phase === "blocked" || phase === "revoked" ? "error" : "info";
    log.write(level, "gate", { deployment, site: site.id, phase, epoch, failing });
    return true;
  }

  /** Counts the time since the last change; before anybody reads the metrics. On the monotonic clock, from the start of this process. */
  passed(): void {
    const nowMs = this.#parts.clock.monotonicMs();
    const seconds = Math.max(0, nowMs - this.#sinceMs) / 1_000;
    this.#sinceMs = nowMs;
    const { phase, failing } = this.#told;
    this.#count("failover_phase_seconds", { phase }, seconds);
    // A site that stands by is kept from nothing: it is another one's turn.
    if (phase === "standby" || acts(this.#told)) return;
    for (const { component } of failing)
      this.#count("failover_blocked_seconds", { component }, seconds);
  }

  #tellState(): void {
    const { telemetry } = this.#parts;
    telemetry.gauge("failover_gate_open", this.#labels, acts(this.#told) ? 1 : 0);
    for (const phase of gatePhases) {
      const labels = { ...this.#labels, [stateSetLabel]: phase };
      telemetry.gauge("failover_phase", labels, phase === this.#told.phase ? 1 : 0);
    }
  }

  get #labels(): { readonly deployment: string; readonly site: string } {
    return { deployment: this.#parts.deployment, site: this.#parts.site.id };
  }

  #count(
    name: string,
    label: { readonly phase: GatePhase } | { readonly component: string },
    seconds: number,
  ): void {
    this.#parts.telemetry.count(name, { ...this.#labels, ...label }, seconds);
  }
}

/** OpenMetrics 1.0, "StateSet": the label that names the state has the name of the metric. */
const stateSetLabel = "holdfast_failover_phase";

function acts({ phase, tier }: Told): boolean {
  return phase === "ready" || (phase === "degraded" && tier !== "stop");
}
