/** Telemetry: OpenTelemetry spans over OTLP when an endpoint is configured, metrics for Prometheus always. */
import type { CallObservation, Telemetry, TraceBeside } from "../../ports.ts";
import { Metrics } from "./metrics.ts";
import { OtlpMetrics } from "./otlp-metrics.ts";
import { RandomHex } from "./random-hex.ts";
import { type PlannedSpans, Spans } from "./spans.ts";
import { readTraceparent, writeTraceparent } from "./trace-context.ts";

export interface TelemetrySettings {
  readonly serviceName: string;
  readonly serviceVersion: string;
  readonly instance: string;
  /** Names of the configured upstreams: the only ones that become metric labels. */
  readonly servers: readonly string[];
  /** Base address of an OTLP/HTTP collector; absent means no spans. */
  readonly otlpEndpoint?: string;
  /** Share of new traces that are exported; a caller's trace follows the caller's flag. Default 1. */
  readonly sampleRatio?: number;
}

export interface OpenTelemetry extends Telemetry {
  /** The answer of `/metrics`. */
  metrics(): Promise<{ readonly contentType: string; readonly text: string }>;
  /** Sends what is queued and stops. Never throws: telemetry may be lost. */
  close(): Promise<void>;
}

export function openTelemetry(settings: TelemetrySettings): OpenTelemetry {
  const metrics = new Metrics(settings.serviceVersion, new Set(settings.servers));
  const { otlpEndpoint, sampleRatio = 1 } = settings;
  const random = new RandomHex();
  const spans = otlpEndpoint === undefined ? undefined : new Spans({ ...settings, otlpEndpoint });
  const exported =
    otlpEndpoint === undefined ? undefined : new OtlpMetrics({ ...settings, otlpEndpoint });
  return {
    startCall(header, beside = {}) {
      metrics.begin();
      const begun = begin(header, beside, random, spans !== undefined, sampleRatio);
      const { traceparent, tracestate, planned } = begun;
      return {
        traceparent,
        ...(tracestate === undefined ? {} : { tracestate }),
        isExported: planned !== undefined,
        end(observation: CallObservation) {
          metrics.end(observation);
          exported?.record(observation);
          if (planned !== undefined) spans?.record(planned, observation);
        },
      };
    },
    count: (name, labels, by = 1) => lossy(() => metrics.count(name, labels, by)),
    gauge: (name, labels, value) => lossy(() => metrics.gauge(name, labels, value)),
    metrics: () => metrics.text(),
    async close() {
      metrics.close();
      await Promise.all([
        spans?.close().catch(() => undefined),
        exported?.close().catch(() => undefined),
      ]);
    },
  };
}

interface Begun {
  readonly traceparent: string;
  readonly tracestate: string | undefined;
  /** Present when the spans of this call will be exported. */
  readonly planned?: PlannedSpans;
}

/** Without export no span of ours exists, so the caller's own is the upstream's parent. */
function begin(
  header: string | undefined,
  beside: TraceBeside,
  random: RandomHex,
  exporting: boolean,
  ratio: number,
): Begun {
  const parent = readTraceparent(header);
  // Without a usable parent, what its vendors wrote beside it means nothing (W3C Trace Context, 4.3).
  const tracestate = parent === undefined ? undefined : beside.tracestate;
  if (parent !== undefined && !exporting)
    return { traceparent: writeTraceparent(parent), tracestate };
  const sampled = exporting && (parent?.sampled ?? chance(random) < ratio);
  const traceId = parent?.traceId ?? random.take(16);
  const clientSpanId = random.take(8);
  const traceparent = writeTraceparent({ traceId, spanId: clientSpanId, sampled });
  if (!sampled) return { traceparent, tracestate };
  const linked = readTraceparent(beside.around);
  const serverSpanId = random.take(8);
  const planned = { parent, tracestate, linked, traceId, serverSpanId, clientSpanId };
  return { traceparent, tracestate, planned };
}

/** Uniform in [0, 1). */
function chance(random: RandomHex): number {
  return Number.parseInt(random.take(4), 16) / 2 ** 32;
}

/** A metric that cannot be kept (its labels changed) is lost; the call goes on. */
function lossy(keep: () => void): void {
  try {
    keep();
  } catch {
    // Losing a number is better than failing a call.
  }
}
