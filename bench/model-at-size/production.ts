/**
 * A large production, made up: 4,000 services that call each other in layers, 60,000 pods, hosts, configurations and deploys,
 * a million edges in all; telemetry of the last hour and a half; and faults, each of which slows one way of callers above it.
 */
import type { EdgeKind, ModelEvent, NodeId } from "../../src/model/index.ts";
import { Random } from "../../src/sim/index.ts";

export const services = 4_000;
export const pods = 60_000;
const others = 36_000;
const edgesMax = 1_000_000;
export const spanMs: number = 30 * 24 * 3_600_000;
const origin = { source: "bench", reference: "made up" };

export interface Fault {
  readonly culprit: NodeId;
  /** What calls it, through others: there people notice. */
  readonly noticedAt: NodeId;
}

export interface Production {
  readonly events: readonly ModelEvent[];
  readonly faults: readonly Fault[];
  readonly now: number;
}

type Call = readonly [from: number, to: number];

export function production(): Production {
  const random = new Random(7);
  const events: ModelEvent[] = [];
  const calls = tieTogether(events, random);
  const ways = Array.from({ length: 10 }, (_, at) => wayUp(3_900 - at * 150, calls, random));
  tellSeries(events, new Set(ways.flat()), random);
  tellTraffic(events, calls, ways, random);
  const faults = ways.map((way) => ({
    culprit: serviceOf(way[0] ?? 0),
    noticedAt: serviceOf(way.at(-1) ?? 0),
  }));
  return { events, faults, now: spanMs };
}

const serviceOf = (index: number): NodeId => `service:s${index}`;

/** Services with small numbers are at the front; calls lead to larger numbers, mostly near ones. */
function tieTogether(events: ModelEvent[], random: Random): readonly Call[] {
  const told = (): Pick<ModelEvent, "id" | "at" | "knownAt" | "origin"> => {
    const at = random.below(spanMs);
    return { id: `e${events.length}`, at, knownAt: at + random.below(60_000), origin };
  };
  const tie = (from: NodeId, to: NodeId, kind: EdgeKind): void => {
    const basis = kind === "calls" ? "observed" : "declared";
    events.push({ type: "edge", ...told(), from, to, kind, basis });
  };
  const calls: Call[] = [];
  for (let index = 0; index < services; index++) {
    events.push({ type: "node", ...told(), node: serviceOf(index), aspect: "spec", value: {} });
    for (let call = 0; call < 4 && index < services - 1; call++) {
      const to = Math.min(services - 1, index + 1 + random.below(400));
      calls.push([index, to]);
      tie(serviceOf(index), serviceOf(to), "calls");
    }
  }
  for (let index = 0; index < pods; index++) {
    const pod = `object:Pod/p${index}`;
    tie(pod, serviceOf(random.below(services)), "part_of");
    tie(pod, `host:h${random.below(2_000)}`, "runs_on");
  }
  while (events.length < edgesMax) {
    const other = random.below(others);
    const pod = `object:Pod/p${random.below(pods)}`;
    if (other < 24_000) tie(pod, `config:c${other}`, "configured_by");
    else tie(pod, `deploy:d${other}`, "changed_by");
  }
  return calls;
}

/** A service and four callers above it, one calling the other. */
function wayUp(culprit: number, calls: readonly Call[], random: Random): readonly number[] {
  const way = [culprit];
  while (way.length < 5) {
    const above = calls.filter(([, to]) => to === way.at(-1));
    const caller = above[random.below(Math.max(1, above.length))];
    if (caller === undefined) break;
    way.push(caller[0]);
  }
  return way;
}

const minuteMs = 60_000;
const minutes = 90;
const lateMs = 400;
/** Trouble is so old. */
const troubleMinutes = 6;

function tellSeries(events: ModelEvent[], slow: ReadonlySet<number>, random: Random): void {
  const usual = { latency: 20, errors: 0, cpu: 0.3 } as const;
  for (let index = 0; index < services; index++)
    for (const signal of ["latency", "errors", "cpu"] as const) {
      const points = Array.from({ length: minutes }, (_, minute) => {
        const isLate = signal === "latency" && slow.has(index);
        const more = isLate && minute >= minutes - troubleMinutes ? lateMs : 0;
        const value = usual[signal] * (1 + random.below(100) / 2_000) + more;
        return [spanMs - (minutes - minute) * minuteMs, value] as const;
      });
      events.push({
        ...{ type: "series", id: `s${events.length}`, at: points[0]?.[0] ?? 0, knownAt: spanMs },
        ...{ origin, node: serviceOf(index), signal, name: `${signal} (mean)`, points },
      });
    }
}

/** In windows of a quarter of an hour; the culprit is slow by itself, who waits for it is not. */
function tellTraffic(
  events: ModelEvent[],
  calls: readonly Call[],
  ways: readonly (readonly number[])[],
  random: Random,
): void {
  const slow = new Set(ways.flat());
  const culprits = new Set(ways.map(([culprit]) => culprit));
  const fromOutside = ways.map((way) => [null, way.at(-1) ?? 0] as const);
  for (const [from, to] of [...calls, ...fromOutside])
    for (let window = 6; window > 0; window--) {
      const isNow = window === 1;
      const total = isNow && slow.has(to) ? lateMs : 0;
      const self = isNow && culprits.has(to) ? lateMs : 0;
      const at = spanMs - window * 15 * minuteMs;
      events.push({
        ...{ type: "traffic", id: `t${events.length}`, at, untilAt: at + 15 * minuteMs },
        ...{
          knownAt: spanMs,
          origin,
          caller: from === null ? null : serviceOf(from),
          callee: serviceOf(to),
        },
        ...{ operation: "get", entry: "", count: 100 + random.below(20), errors: 0 },
        totalMs: { p50: 20 + total, p90: 40 + total, max: 60 + total },
        selfMs: { p50: 5 + self, p90: 8 + self, max: 12 + self },
      });
    }
}
