/** A small shop as its telemetry tells it: healthy for an hour, then asked about. Times are minutes around the symptom. */
import type {
  EdgeFact,
  LogTemplate,
  ModelEvent,
  NodeId,
  Part,
  Series,
  Signal,
  Symptom,
  Traffic,
  WhyAnswer,
} from "../../../../../src/model/index.ts";
import { defaultSettings, nodeId, why } from "../../../../../src/model/index.ts";

export const symptomAt = 1_700_000_000_000;
const minuteMs = 60_000;
const origin = { source: "test", reference: "shop.ts" };

export const service = (name: string): NodeId => nodeId("service", name);

const told = (id: string, minute: number) => {
  const at = symptomAt + minute * minuteMs;
  return { id, at, knownAt: at, origin };
};

/** An hour of `before` with a little noise, then `after`, one value a minute from the symptom on. */
export function series(
  node: NodeId,
  signal: Signal,
  before: number,
  after: readonly number[],
  options: { name?: string; noise?: number; standing?: number } = {},
): Series {
  const { name = `${signal} Average`, noise = 0.02 * before, standing } = options;
  const past = Array.from({ length: 60 }, (_, at) => {
    // From ten minutes before the symptom on, where it stood then.
    const level = standing !== undefined && at >= 50 ? standing : before;
    return [
      symptomAt + (at - 60) * minuteMs,
      level + noise * ([0, 1, -1, 0.5, -0.5][at % 5] ?? 0),
    ] as const;
  });
  const now = after.map((value, at) => [symptomAt + at * minuteMs, value] as const);
  return {
    type: "series",
    ...told(`${node} ${name}`, -60),
    node,
    signal,
    name,
    points: [...past, ...now],
  };
}

export function calls(from: NodeId, to: NodeId, kind: EdgeFact["kind"] = "calls"): EdgeFact {
  return { type: "edge", ...told(`${from} ${kind} ${to}`, -60), from, to, kind, basis: "observed" };
}

export interface Flow {
  readonly caller: string | null;
  readonly callee: string;
  readonly operation?: string;
  readonly callerOperation?: string;
  readonly entry?: string;
  readonly count?: number;
  readonly errors?: number;
  readonly selfMs?: number;
  readonly wayMs?: number;
}

/** Traffic of one window; times are the medians of calls that vary by half. */
export function traffic(minute: number, flow: Flow): Traffic {
  const { caller, callee, operation = `${callee} get`, callerOperation, entry = "buy" } = flow;
  const quantiles = (ms: number) => ({ p50: ms, p90: ms * 1.5, max: ms * 2 });
  return {
    type: "traffic",
    ...told(`${minute} ${caller} ${callerOperation} ${callee} ${operation} ${entry}`, minute),
    untilAt: symptomAt + (minute + 1) * minuteMs,
    caller: caller === null ? null : service(caller),
    callee: service(callee),
    operation,
    ...(callerOperation === undefined ? {} : { callerOperation }),
    entry,
    count: flow.count ?? 40,
    errors: flow.errors ?? 0,
    totalMs: null,
    selfMs: flow.selfMs === undefined ? null : quantiles(flow.selfMs),
    ...(flow.wayMs === undefined ? {} : { wayMs: quantiles(flow.wayMs) }),
  };
}

export function log(
  minute: number,
  name: string,
  template: string,
  count: number,
  more: { entry?: string; severity?: LogTemplate["severity"] } = {},
): LogTemplate {
  const { entry = "buy", severity = "info" } = more;
  return {
    type: "log",
    ...told(`${minute} ${name} ${severity} ${template} ${entry}`, minute),
    untilAt: symptomAt + (minute + 1) * minuteMs,
    node: service(name),
    severity,
    template,
    example: template,
    entry,
    count,
  };
}

/** Minutes of windows: three of the past, two since the symptom. */
export const pastMinutes = [-40, -39, -38] as const;
export const nowMinutes = [0, 1] as const;

export function eachWindow(
  of: (minute: number, isNow: boolean) => readonly ModelEvent[],
): ModelEvent[] {
  return [
    ...pastMinutes.flatMap((minute) => of(minute, false)),
    ...nowMinutes.flatMap((minute) => of(minute, true)),
  ];
}

export function ask(
  events: readonly ModelEvent[],
  symptom: Omit<Symptom, "at"> = {},
  ...without: Part[]
): WhyAnswer {
  const settings = { ...defaultSettings, without: new Set(without) };
  return why(events, { at: symptomAt, ...symptom }, settings);
}

export function nodesOf(answer: WhyAnswer): NodeId[] {
  return answer.causes.map(({ node }) => node);
}
