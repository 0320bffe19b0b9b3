/** Telemetry and log that remember what they were told. */
import type { CallObservation, Log, Telemetry } from "../ports.ts";

export interface CountedLabels {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

export interface RecordingTelemetry extends Telemetry {
  readonly calls: readonly CallObservation[];
  readonly counts: readonly CountedLabels[];
  readonly gauges: readonly CountedLabels[];
  /** Calls that began and have not ended. */
  inFlight(): number;
}

/** Deterministic: the trace and span ids of new traces are counted up. */
export function recordingTelemetry(): RecordingTelemetry {
  const calls: CallObservation[] = [];
  const counts: CountedLabels[] = [];
  const gauges: CountedLabels[] = [];
  let begun = 0;
  return {
    calls,
    counts,
    gauges,
    inFlight: () => begun - calls.length,
    startCall(traceparent) {
      begun++;
      const traceId =
        /^00-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}$/.exec(traceparent ?? "")?.[1] ??
        begun.toString(16).padStart(32, "0");
      const spanId = begun.toString(16).padStart(16, "0");
      return {
        traceparent: `00-${traceId}-${spanId}-01`,
        end: (observation) => void calls.push(observation),
      };
    },
    count: (name, labels, by = 1) => void counts.push({ name, labels, value: by }),
    gauge: (name, labels, value) => void gauges.push({ name, labels, value }),
  };
}

export interface LoggedLine {
  readonly level: "debug" | "info" | "warn" | "error";
  readonly event: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

export interface RecordingLog extends Log {
  readonly lines: readonly LoggedLine[];
}

export function recordingLog(): RecordingLog {
  const lines: LoggedLine[] = [];
  return { lines, write: (level, event, fields = {}) => void lines.push({ level, event, fields }) };
}
