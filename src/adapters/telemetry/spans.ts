/**
 * Spans of a call: SERVER for the whole, CLIENT for the forward. Both are made after the answer, with the ids that were
 * chosen when the call began; so a call pays only for random numbers, and the upstream already knows its parent.
 */
import {
  type Attributes,
  type Context,
  createTraceState,
  type Link,
  ROOT_CONTEXT,
  type SpanContext,
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
  ATTR_SERVICE_INSTANCE_ID,
  ATTR_SERVICE_NAME,
  ATTR_SERVICE_VERSION,
} from "@opentelemetry/semantic-conventions";
import type { CallObservation } from "../../ports.ts";
import { forwarded, served, spanName } from "./conventions.ts";
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
  /** Of the parent's vendors, handed on. */
  readonly tracestate: string | undefined;
  /** The HTTP request around a message that named its own parent. */
  readonly linked: TraceContext | undefined;
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
    const above = planned.parent && within(planned.parent, planned.tracestate);
    const server = this.#span(name, SpanKind.SERVER, served(observation), above ?? ROOT_CONTEXT, {
      traceId: planned.traceId,
      spanId: planned.serverSpanId,
      startMs: wallStartMs,
      endMs: wallStartMs + totalMs,
      links: planned.linked === undefined ? [] : [{ context: remote(planned.linked) }],
    });
    if (observation.outcome === "refused") return;
    const startMs = wallStartMs + decideMs + recordMs;
    this.#span(name, SpanKind.CLIENT, forwarded(observation), server, {
      traceId: planned.traceId,
      spanId: planned.clientSpanId,
      startMs,
      endMs: startMs + forwardMs,
      links: [],
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
      readonly links: Link[];
    },
  ): Context {
    this.#ids.next = at;
    const options = { kind, attributes, startTime: at.startMs, links: at.links };
    const span = this.#tracer.startSpan(name, options, parent);
    if (attributes[ATTR_ERROR_TYPE] !== undefined) span.setStatus({ code: SpanStatusCode.ERROR });
    span.end(at.endMs);
    return trace.setSpan(parent, span);
  }
}

function remote({ traceId, spanId, sampled }: TraceContext, tracestate?: string): SpanContext {
  const traceFlags = sampled ? TraceFlags.SAMPLED : TraceFlags.NONE;
  const state = tracestate === undefined ? {} : { traceState: createTraceState(tracestate) };
  return { traceId, spanId, traceFlags, isRemote: true, ...state };
}

function within(parent: TraceContext, tracestate: string | undefined): Context {
  return trace.setSpanContext(ROOT_CONTEXT, remote(parent, tracestate));
}
