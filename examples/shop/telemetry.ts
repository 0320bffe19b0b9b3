/** OpenTelemetry for one service of the shop: traces and metrics by the SDK, log lines as OTLP JSON. All goes to one collector. */
import { context, metrics, propagation, SpanKind, SpanStatusCode, trace } from "@opentelemetry/api";
import { OTLPMetricExporter } from "@opentelemetry/exporter-metrics-otlp-proto";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-proto";
import { resourceFromAttributes } from "@opentelemetry/resources";
import { MeterProvider, PeriodicExportingMetricReader } from "@opentelemetry/sdk-metrics";
import { BatchSpanProcessor, NodeTracerProvider } from "@opentelemetry/sdk-trace-node";

const exportMs = 500;
const severities = { info: 9, warn: 13, error: 17 } as const;

export interface ShopTelemetry {
  /** Runs `work` in the server span of an incoming request; what it throws is the span's error. */
  serving<T>(
    operation: string,
    headers: Readonly<Record<string, unknown>>,
    work: () => Promise<T>,
  ): Promise<T>;
  /** Runs `work` in a client span and gives it the headers to send. */
  calling<T>(
    operation: string,
    peer: string,
    work: (headers: Record<string, string>) => Promise<T>,
  ): Promise<T>;
  log(severity: keyof typeof severities, body: string): void;
  close(): Promise<void>;
}

export function startTelemetry(service: string, version: string, collector: string): ShopTelemetry {
  const attributes = { "service.name": service, "service.version": version };
  const resource = resourceFromAttributes(attributes);
  const spans = new BatchSpanProcessor(new OTLPTraceExporter({ url: `${collector}/v1/traces` }), {
    scheduledDelayMillis: exportMs,
  });
  const provider = new NodeTracerProvider({ resource, spanProcessors: [spans] });
  provider.register();
  const meters = new MeterProvider({
    resource,
    readers: [
      new PeriodicExportingMetricReader({
        exporter: new OTLPMetricExporter({ url: `${collector}/v1/metrics` }),
        exportIntervalMillis: exportMs,
        exportTimeoutMillis: exportMs,
      }),
    ],
  });
  metrics.setGlobalMeterProvider(meters);
  measureProcess(meters);
  const tracer = trace.getTracer("shop");
  const inSpan = async <T>(
    name: string,
    kind: SpanKind,
    peer: string | undefined,
    work: () => Promise<T>,
  ): Promise<T> =>
    tracer.startActiveSpan(
      name,
      {
        kind,
        ...(peer === undefined ? {} : { attributes: attributesOf(peer) }),
      },
      async (span) => {
        try {
          return await work();
        } catch (thrown) {
          span.recordException(thrown as Error);
          span.setStatus({
            code: SpanStatusCode.ERROR,
            message: String((thrown as Error).message),
          });
          throw thrown;
        } finally {
          span.end();
        }
      },
    );
  const logs = new LogLines(attributes, collector);
  return {
    serving: (operation, headers, work) =>
      context.with(propagation.extract(context.active(), headers), () =>
        inSpan(operation, SpanKind.SERVER, undefined, work),
      ),
    calling: (operation, peer, work) =>
      inSpan(operation, SpanKind.CLIENT, peer, () => {
        const headers: Record<string, string> = {};
        propagation.inject(context.active(), headers);
        return work(headers);
      }),
    log: (severity, body) => logs.add(severity, body),
    close: async () => {
      await Promise.allSettled([provider.shutdown(), meters.shutdown(), logs.close()]);
    },
  };
}

/** A name with a domain is somebody else's; any other is a service of ours. */
function attributesOf(peer: string): Record<string, string> {
  return { "server.address": peer, ...(peer.includes(".") ? {} : { "peer.service": peer }) };
}

/** What the semantic conventions call the processor time and the memory of a process. */
function measureProcess(meters: MeterProvider): void {
  const meter = meters.getMeter("shop");
  let [last, lastAt] = [process.cpuUsage(), performance.now()];
  meter.createObservableGauge("process.cpu.utilization", { unit: "1" }).addCallback((result) => {
    const used = process.cpuUsage(last);
    const now = performance.now();
    result.observe((used.user + used.system) / 1_000 / Math.max(1, now - lastAt));
    [last, lastAt] = [process.cpuUsage(), now];
  });
  meter
    .createObservableGauge("process.memory.usage", { unit: "By" })
    .addCallback((result) => result.observe(process.memoryUsage().rss));
}

/** Log records, sent together from time to time. */
class LogLines {
  readonly #resource: object;
  readonly #url: string;
  readonly #timer: NodeJS.Timeout;
  #records: object[] = [];

  constructor(attributes: Readonly<Record<string, string>>, collector: string) {
    const named = Object.entries(attributes).map(([key, stringValue]) => ({
      key,
      value: { stringValue },
    }));
    this.#resource = { attributes: named };
    this.#url = `${collector}/v1/logs`;
    this.#timer = setInterval(() => void this.#send(), exportMs);
  }

  add(severity: keyof typeof severities, body: string): void {
    const span = trace.getActiveSpan()?.spanContext();
    this.#records.push({
      timeUnixNano: `${BigInt(Date.now()) * 1_000_000n}`,
      severityNumber: severities[severity],
      severityText: severity.toUpperCase(),
      body: { stringValue: body },
      ...(span === undefined ? {} : { traceId: span.traceId, spanId: span.spanId }),
    });
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#send();
  }

  async #send(): Promise<void> {
    const logRecords = this.#records.splice(0);
    if (logRecords.length === 0) return;
    const scopeLogs = [{ scope: { name: "shop" }, logRecords }];
    const body = JSON.stringify({ resourceLogs: [{ resource: this.#resource, scopeLogs }] });
    const headers = { "content-type": "application/json" };
    await fetch(this.#url, { method: "POST", headers, body }).catch(() => undefined);
  }
}
