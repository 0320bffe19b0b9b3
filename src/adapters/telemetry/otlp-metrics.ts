/**
 * Metrics of calls over OTLP, under the names of the MCP semantic conventions (status: development) and, for what they
 * have no name for, under `holdfast.`. Prometheus has its own under `/metrics`.
 */
import type { Attributes, Counter, Histogram } from "@opentelemetry/api";
import { OTLPMetricExporter } from "@opentelemetry/exporter-metrics-otlp-proto";
import { MeterProvider, PeriodicExportingMetricReader } from "@opentelemetry/sdk-metrics";
import { ATTR_ERROR_TYPE } from "@opentelemetry/semantic-conventions";
import {
  ATTR_GEN_AI_OPERATION_NAME,
  ATTR_GEN_AI_TOOL_NAME,
  ATTR_MCP_METHOD_NAME,
  GEN_AI_OPERATION_NAME_VALUE_EXECUTE_TOOL,
} from "@opentelemetry/semantic-conventions/incubating";
import type { CallObservation } from "../../ports.ts";
import { collectorBase, errorType, resourceOf, type SpanSettings } from "./spans.ts";

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
    const { face, method, tool, outcome, decision, agentId, policyVersion } = observation;
    const refused = outcome === "refused";
    if (face === "mcp") {
      const failure = errorType(observation);
      const operation: Attributes = {
        [ATTR_MCP_METHOD_NAME]: method,
        [ATTR_GEN_AI_OPERATION_NAME]: GEN_AI_OPERATION_NAME_VALUE_EXECUTE_TOOL,
        ...(refused ? {} : { [ATTR_GEN_AI_TOOL_NAME]: tool }),
        ...(failure === undefined ? {} : { [ATTR_ERROR_TYPE]: failure }),
      };
      this.#served.record(observation.totalMs / 1_000, operation);
      if (!refused) this.#forwarded.record(observation.forwardMs / 1_000, operation);
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
