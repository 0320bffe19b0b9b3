/**
 * Metrics of calls over OTLP, under the names of the MCP semantic conventions (status: development) and, for what they
 * have no name for, under `holdfast.`. Prometheus has its own under `/metrics`.
 */
import type { Attributes, Counter, Histogram } from "@opentelemetry/api";
import { OTLPMetricExporter } from "@opentelemetry/exporter-metrics-otlp-proto";
import { MeterProvider, PeriodicExportingMetricReader } from "@opentelemetry/sdk-metrics";
import {
  ATTR_GEN_AI_PROMPT_NAME,
  ATTR_GEN_AI_TOOL_NAME,
} from "@opentelemetry/semantic-conventions/incubating";
import type { CallObservation } from "../../ports.ts";
import { operation } from "./conventions.ts";
import { collectorBase, resourceOf, type SpanSettings } from "./spans.ts";

const exportIntervalMs = 15_000;
/** Seconds, as the conventions advise for MCP operations. */
const durationBoundaries = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60, 120, 300];

export class OtlpMetrics {
  readonly #provider: MeterProvider;
  readonly #served: Histogram;
  readonly #forwarded: Histogram;
  readonly #calls: Counter;
  readonly #cost: Counter;

  constructor(settings: SpanSettings) {
    const exporter = new OTLPMetricExporter({
      url: `${collectorBase(settings.otlpEndpoint)}/v1/metrics`,
    });
    const reader = new PeriodicExportingMetricReader({
      exporter,
      exportIntervalMillis: exportIntervalMs,
    });
    this.#provider = new MeterProvider({ readers: [reader], resource: resourceOf(settings) });
    const meter = this.#provider.getMeter("holdfast", settings.serviceVersion);
    const seconds = { unit: "s", advice: { explicitBucketBoundaries: durationBoundaries } };
    this.#served = meter.createHistogram("mcp.server.operation.duration", seconds);
    this.#forwarded = meter.createHistogram("mcp.client.operation.duration", seconds);
    this.#calls = meter.createCounter("holdfast.calls", { unit: "{call}" });
    this.#cost = meter.createCounter("holdfast.cost_estimate", { unit: "{micro_usd}" });
  }

  /** Names that came from outside (a tool nobody knows) are left out of refused calls, so that series stay few. */
  record(observation: CallObservation): void {
    const { face, tool, outcome, decision, agentId, policyVersion } = observation;
    const refused = outcome === "refused";
    if (face === "mcp") {
      this.#served.record(observation.totalMs / 1_000, operationOf(observation, "server"));
      if (!refused)
        this.#forwarded.record(observation.forwardMs / 1_000, operationOf(observation, "client"));
    }
    const call: Attributes = {
      "holdfast.agent_id": agentId,
      "holdfast.face": face,
      "holdfast.decision": decision,
      "holdfast.outcome": outcome,
      "holdfast.policy_version": policyVersion,
      ...(refused ? {} : { "holdfast.tool": `${observation.server}:${tool}` }),
    };
    this.#calls.add(1, call);
    if (!refused && observation.costMicroUsd > 0) this.#cost.add(observation.costMicroUsd, call);
  }

  /** Sends what was counted and stops. */
  async close(): Promise<void> {
    await this.#provider.shutdown();
  }
}

function operationOf(observation: CallObservation, side: "server" | "client"): Attributes {
  const attributes = operation(observation, side);
  if (observation.outcome !== "refused") return attributes;
  const {
    [ATTR_GEN_AI_TOOL_NAME]: _tool,
    [ATTR_GEN_AI_PROMPT_NAME]: _prompt,
    ...kept
  } = attributes;
  return kept;
}
