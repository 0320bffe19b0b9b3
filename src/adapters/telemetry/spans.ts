/**
 * Spans of a call: SERVER for the whole, CLIENT for the forward. Both are made after the answer, with the ids that were
 * chosen when the call began; so a call pays only for random numbers, and the upstream already knows its parent.
 */
import {
  type Attributes,
  type Context,
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  TraceFlags,
  type Tracer,
  trace,
} from "@opentelemetry/api";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-proto";
import { type Resource, resourceFromAttributes } from "@opentelemetry/resources";
import {
  AlwaysOnSampler,
  BatchSpanProcessor,
  type IdGenerator,
  NodeTracerProvider,
} from "@opentelemetry/sdk-trace-node";
import {
  ATTR_ERROR_TYPE,
  ATTR_HTTP_REQUEST_METHOD,
  ATTR_SERVICE_INSTANCE_ID,
  ATTR_SERVICE_NAME,
  ATTR_SERVICE_VERSION,
} from "@opentelemetry/semantic-conventions";
import {
  ATTR_GEN_AI_AGENT_ID,
  ATTR_GEN_AI_OPERATION_NAME,
  ATTR_GEN_AI_TOOL_CALL_ID,
  ATTR_GEN_AI_TOOL_NAME,
  ATTR_MCP_METHOD_NAME,
  GEN_AI_OPERATION_NAME_VALUE_EXECUTE_TOOL,
} from "@opentelemetry/semantic-conventions/incubating";
import type { CallObservation } from "../../ports.ts";
import type { TraceContext } from "./trace-context.ts";

export interface SpanSettings {
  readonly serviceName: string;
  readonly serviceVersion: string;
  readonly instance: string;
  /** Base address of an OTLP/HTTP collector; `/v1/traces` and `/v1/metrics` are added. */
  readonly otlpEndpoint: string;
}

/** What a call decided about its trace when it began. */
export interface PlannedSpans {
  readonly parent: TraceContext | undefined;
  readonly traceId: string;
  readonly serverSpanId: string;
  readonly clientSpanId: string;
}

/** The collector's address without the path of one signal. */
export function collectorBase(endpoint: string): string {
  return endpoint.replace(/\/(?:v1\/traces)?\/?$/, "");
}

/** Who measures: the same for spans and metrics. */
export function resourceOf(settings: SpanSettings): Resource {
  return resourceFromAttributes({
    [ATTR_SERVICE_NAME]: settings.serviceName,
    [ATTR_SERVICE_VERSION]: settings.serviceVersion,
    [ATTR_SERVICE_INSTANCE_ID]: settings.instance,
  });
}

/** Hands out the ids that were planned, one span at a time. */
class PlannedIds implements IdGenerator {
  next: { readonly traceId: string; readonly spanId: string } = { traceId: "", spanId: "" };
  readonly generateTraceId = (): string => this.next.traceId;
  readonly generateSpanId = (): string => this.next.spanId;
}

export class Spans {
  readonly #ids = new PlannedIds();
  readonly #provider: NodeTracerProvider;
  readonly #tracer: Tracer;

  constructor(settings: SpanSettings) {
    const exporter = new OTLPTraceExporter({
      url: `${collectorBase(settings.otlpEndpoint)}/v1/traces`,
    });
    this.#provider = new NodeTracerProvider({
      idGenerator: this.#ids,
      // Sampling was decided when the call began, before its spans exist.
      sampler: new AlwaysOnSampler(),
      spanProcessors: [new BatchSpanProcessor(exporter)],
      resource: resourceOf(settings),
    });
    this.#tracer = this.#provider.getTracer("holdfast", settings.serviceVersion);
  }

  /** Queues the spans of a finished call for export. */
  record(planned: PlannedSpans, observation: CallObservation): void {
    const { wallStartMs, decideMs, recordMs, forwardMs, totalMs } = observation;
    const name = spanName(observation);
    const attributes = attributesOf(observation);
    const above = planned.parent && within(planned.parent);
    const server = this.#span(name, SpanKind.SERVER, attributes, above ?? ROOT_CONTEXT, {
      traceId: planned.traceId,
      spanId: planned.serverSpanId,
      startMs: wallStartMs,
      endMs: wallStartMs + totalMs,
      failed: isFailure(observation),
    });
    if (observation.outcome === "refused") return;
    const startMs = wallStartMs + decideMs + recordMs;
    this.#span(name, SpanKind.CLIENT, attributes, server, {
      traceId: planned.traceId,
      spanId: planned.clientSpanId,
      startMs,
      endMs: startMs + forwardMs,
      failed: isFailure(observation),
    });
  }

  /** Sends what is queued and stops. */
  async close(): Promise<void> {
    await this.#provider.shutdown();
  }

  #span(
    name: string,
    kind: SpanKind,
    attributes: Attributes,
    parent: Context,
    at: {
      readonly traceId: string;
      readonly spanId: string;
      readonly startMs: number;
      readonly endMs: number;
      readonly failed: boolean;
    },
  ): Context {
    this.#ids.next = at;
    const span = this.#tracer.startSpan(name, { kind, attributes, startTime: at.startMs }, parent);
    if (at.failed) span.setStatus({ code: SpanStatusCode.ERROR });
    span.end(at.endMs);
    return trace.setSpan(parent, span);
  }
}

function within({ traceId, spanId }: TraceContext): Context {
  const remote = { traceId, spanId, traceFlags: TraceFlags.SAMPLED, isRemote: true };
  return trace.setSpanContext(ROOT_CONTEXT, remote);
}

/** `tools/call read_file` (MCP semantic conventions); for HTTP the tool's name already is `METHOD /route`. */
function spanName({ face, method, tool }: CallObservation): string {
  return face === "http" ? tool : `${method} ${tool}`;
}

function isFailure({ outcome }: CallObservation): boolean {
  return outcome === "tool_error" || outcome === "not_sent" || outcome === "unknown";
}

/** A tool error of MCP is HTTP 200, so `error.type` is the only place that tells. Arguments and results are left out. */
export function errorType(observation: CallObservation): string | undefined {
  if (isFailure(observation)) return observation.outcome;
  const { outcome, face, decision } = observation;
  return outcome === "refused" && face !== "authzen" && face !== "opa" ? decision : undefined;
}

function attributesOf(observation: CallObservation): Attributes {
  const failure = errorType(observation);
  const { face, method } = observation;
  return {
    [ATTR_GEN_AI_OPERATION_NAME]: GEN_AI_OPERATION_NAME_VALUE_EXECUTE_TOOL,
    [ATTR_GEN_AI_TOOL_NAME]: observation.tool,
    [ATTR_GEN_AI_TOOL_CALL_ID]: observation.callId,
    [ATTR_GEN_AI_AGENT_ID]: observation.agentId,
    ...(face === "mcp" ? { [ATTR_MCP_METHOD_NAME]: method } : {}),
    ...(face === "http" ? { [ATTR_HTTP_REQUEST_METHOD]: method } : {}),
    ...(failure === undefined ? {} : { [ATTR_ERROR_TYPE]: failure }),
    ...(observation.model === undefined ? {} : { "holdfast.model": observation.model }),
    ...(observation.requestId === undefined
      ? {}
      : { "holdfast.request_id": observation.requestId }),
    "holdfast.agent_id": observation.agentId,
    "holdfast.server": observation.server,
    "holdfast.tool": `${observation.server}:${observation.tool}`,
    "holdfast.face": face,
    "holdfast.decision": observation.decision,
    "holdfast.decision_reason": observation.reason,
    "holdfast.policy_version": observation.policyVersion,
    "holdfast.outcome": observation.outcome,
    "holdfast.cost_estimate_micro_usd": observation.costMicroUsd,
    "holdfast.decide_ms": observation.decideMs,
    "holdfast.record_ms": observation.recordMs,
  };
}
