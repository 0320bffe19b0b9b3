/** Metrics for Prometheus: base units, seconds and bytes; no label takes its values from a request. */
import { monitorEventLoopDelay } from "node:perf_hooks";
import { Counter, Gauge, Histogram, Registry } from "prom-client";
import { failoverMetrics } from "../../failover/index.ts";
import type { CallObservation } from "../../ports.ts";

type Labels = Readonly<Record<string, string>>;

/** What the names given to `count` and `gauge` mean; a counter `x` is `holdfast_x_total`, a gauge `holdfast_x`. */
const help: Readonly<Record<string, string>> = {
  ...failoverMetrics,
  kill_state_unread: "Times the kill switch could not be read from the store.",
  kill_state_believed: "1 while the kill switch was read within its lease; 0: writes are refused.",
  kill_switches: "Switches thrown, as this gateway last read them.",
  breaker_state: "Breaker of an upstream: 0 closed, 1 half-open, 2 open.",
  breaker_tools_open: "Tools of an upstream whose own breaker is not closed.",
  breaker_transitions:
    "Times a breaker of an upstream or of its tools changed, by what it changed to.",
  retries: "Calls sent again, by form: as_judged, or dry_run.",
  escrow_items: "Writes that are held back for people.",
  escrow_bytes: "Bytes of their arguments.",
  escrow_unknown: "1 while nobody knows whether a held write to this upstream took effect.",
  escrow_writes: "Writes that came while they were held back, by what became of them.",
  escrow_attempts: "Attempts to carry out a held write that people let go, by what came of them.",
  refusals: "Calls refused by the machinery and not by policy, by code.",
  limit_refusals: "Calls for which a limit of the policy had no room, by limit.",
  limit_used_ratio: "Of the fullest counter of each limit: used in parts of its cap.",
  front_refusals: "Requests and connections refused before anything was judged, by reason.",
  searches: "AuthZEN searches answered, one for each page.",
  search_candidates: "Candidates that AuthZEN searches judged.",
  policy_bundle_refused: "Policy bundles that were offered and refused.",
  tool_definitions_changed: "Tools that a server described differently from what was pinned.",
  ledger_entries: "Entries in this instance's ledger.",
  policy_serial: "Serial of the newest policy bundle that was recorded; older ones are refused.",
  policy_confirmed_age_seconds:
    "Since the bundle server last confirmed the policy that decides, or since the start.",
  policy_stale: "1 while the policy was not confirmed for longer than bundle.stale_after_seconds.",
  bundle_requests_failed: "Requests to the bundle server that did not confirm the policy.",
  policy_loaded: "1 while a valid policy bundle decides.",
  notices: "Tries to tell people of approvals by a channel, by step and outcome.",
  notices_waiting: "Messages that a channel has not taken yet, after at least one try.",
  notices_approvals_pending:
    "Approvals that wait for people, as the control process last saw them.",
  approvals_declined_in_floods:
    "Approvals declined because more were waiting than people can read.",
  model_facts_targets: "Nodes of the runtime model of which policy sees facts.",
  model_facts_age_seconds: "Age of the newest thing that these facts rest on, when they were read.",
  model_facts_refused: "Snapshots of facts that could not be read.",
  model_rounds_failed: "Times the runtime model could not be brought up to date.",
  model_watch_up: "1 while a watched cluster tells what changes, by kind of object.",
  model_watch_age_seconds: "Since the watched cluster last confirmed everything that is watched.",
  model_prediction_settled: "Predictions of impact whose outcome is known, by kind of change.",
  model_prediction_brier: "Mean squared difference of predicted and actual share of traffic.",
  model_prediction_coverage: "Of the predicted intervals, how many held the actual share.",
  model_prediction_bias: "Mean of actual minus predicted share.",
  model_prediction_services_brier:
    "Mean squared difference of the probability that a service feels it and whether it did.",
  model_prediction_services_coverage:
    "Of predictions, how many had as many services feel it as was expected.",
  ledger_healthy: "1 while the ledger accepts entries.",
};

/** From a decision (tens of microseconds) to a slow upstream. */
const buckets = [
  0.000_05, 0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1,
  2.5, 5, 10, 30, 60,
];

/** A label set that grows past this many values is a mistake; further ones are dropped. */
const metricsMax = 200;

export class Metrics {
  readonly #servers: ReadonlySet<string>;
  readonly #registry = new Registry();
  readonly #counters = new Map<string, Counter>();
  readonly #gauges = new Map<string, Gauge>();
  readonly #calls: Counter;
  readonly #inFlight: Gauge;
  readonly #durations: Readonly<Record<"total" | "decide" | "record" | "forward", Histogram>>;
  readonly #loopDelay: ReturnType<typeof monitorEventLoopDelay>;

  /** `servers` are the names that become labels; any other came from outside and is left empty. */
  constructor(version: string, servers: ReadonlySet<string>) {
    this.#servers = servers;
    const registers = [this.#registry];
    this.#calls = new Counter({
      name: "holdfast_calls_total",
      help: "Governed calls that ended, by decision and by what became of them.",
      labelNames: ["face", "server", "decision", "outcome"],
      registers,
    });
    this.#inFlight = new Gauge({
      name: "holdfast_calls_in_flight",
      help: "Governed calls that have begun and not ended.",
      registers,
    });
    const duration = (name: string, text: string): Histogram =>
      new Histogram({ name, help: text, labelNames: ["face"], buckets, registers });
    this.#durations = {
      total: duration("holdfast_call_duration_seconds", "From the request to its answer."),
      decide: duration("holdfast_decide_duration_seconds", "From the request to its decision."),
      record: duration("holdfast_record_duration_seconds", "Until the decision was durable."),
      forward: duration(
        "holdfast_forward_duration_seconds",
        "From sending to the upstream's answer.",
      ),
    };
    new Gauge({
      name: "holdfast_build_info",
      help: "1, with the version as a label.",
      labelNames: ["version"],
      registers,
    }).set({ version }, 1);
    this.#loopDelay = monitorEventLoopDelay({ resolution: 10 });
    this.#loopDelay.enable();
    this.#observeLoop();
  }

  begin(): void {
    this.#inFlight.inc();
  }

  end({ face, server, decision, outcome, ...call }: CallObservation): void {
    this.#inFlight.dec();
    this.#calls.inc({ face, server: this.#servers.has(server) ? server : "", decision, outcome });
    this.#durations.total.observe({ face }, call.totalMs / 1000);
    this.#durations.decide.observe({ face }, call.decideMs / 1000);
    this.#durations.record.observe({ face }, call.recordMs / 1000);
    if (outcome !== "refused") this.#durations.forward.observe({ face }, call.forwardMs / 1000);
  }

  count(name: string, labels: Labels, by: number): void {
    const full = `holdfast_${name.replace(/_total$/, "")}_total`;
    this.#known(this.#counters, full, () => new Counter(this.#settings(name, full, labels)))?.inc(
      labels,
      by,
    );
  }

  gauge(name: string, labels: Labels, value: number): void {
    const full = `holdfast_${name}`;
    this.#known(this.#gauges, full, () => new Gauge(this.#settings(name, full, labels)))?.set(
      labels,
      value,
    );
  }

  /** The exposition text of all metrics. */
  async text(): Promise<{ readonly contentType: string; readonly text: string }> {
    return { contentType: this.#registry.contentType, text: await this.#registry.metrics() };
  }

  close(): void {
    this.#loopDelay.disable();
    this.#registry.clear();
  }

  #known<M>(metrics: Map<string, M>, full: string, make: () => M): M | undefined {
    const known = metrics.get(full);
    if (known !== undefined || metrics.size >= metricsMax) return known;
    const made = make();
    metrics.set(full, made);
    return made;
  }

  #settings(
    name: string,
    full: string,
    labels: Labels,
  ): { name: string; help: string; labelNames: string[]; registers: Registry[] } {
    const text = help[name] ?? `${name.replaceAll("_", " ")}.`;
    return { name: full, help: text, labelNames: Object.keys(labels), registers: [this.#registry] };
  }

  /** How late the event loop was since the last time somebody looked. */
  #observeLoop(): void {
    const delay = this.#loopDelay;
    const gauge = (name: string, text: string, read: () => number): void => {
      new Gauge({
        name,
        help: text,
        registers: [this.#registry],
        collect() {
          const nanoseconds = read();
          this.set(Number.isFinite(nanoseconds) ? nanoseconds / 1e9 : 0);
        },
      });
    };
    gauge(
      "holdfast_event_loop_lag_p99_seconds",
      "99th percentile of the event loop's lag since the last collection.",
      () => delay.percentile(99),
    );
    gauge(
      "holdfast_event_loop_lag_max_seconds",
      "Largest lag of the event loop since the last collection.",
      () => {
        const largest = delay.max;
        delay.reset();
        return largest;
      },
    );
  }
}
