/**
 * A large production, made up: 4,000 services that call each other in layers, 60,000 pods, hosts, configurations and deploys,
 * a million edges in all, and what Kubernetes says of each; telemetry of the last hour and a half; and faults, each of which slows one way of callers above it.
 */
import type { JsonObject } from "../../src/kernel/index.ts";
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
  let edges = 0;
  const tie = (from: NodeId, to: NodeId, kind: EdgeKind): void => {
    const basis = kind === "calls" ? "observed" : "declared";
    events.push({ type: "edge", ...told(), from, to, kind, basis });
    edges += 1;
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
  const fact = (node: NodeId, aspect: string, value: JsonObject): void => {
    events.push({ type: "node", ...told(), node, aspect, value });
  };
  for (let index = 0; index < services; index++) tellWorkload(index, fact, tie);
  for (let index = 0; index < pods; index++) {
    const pod = podOf(index);
    tellPod(pod, index % services, fact);
    tie(pod, workloadOf(index % services), "part_of");
    tie(pod, `host:h${random.below(2_000)}`, "runs_on");
  }
  while (edges < edgesMax) {
    const other = random.below(others);
    const pod = podOf(random.below(pods));
    if (other < 24_000) tie(pod, `config:c${other}`, "configured_by");
    else tie(pod, `deploy:d${other}`, "changed_by");
  }
  return calls;
}

type Fact = (node: NodeId, aspect: string, value: JsonObject) => void;
type Tie = (from: NodeId, to: NodeId, kind: EdgeKind) => void;

/** Forty services share a namespace. */
const namespaceOf = (index: number): string => `team${Math.floor(index / 40)}`;
const workloadOf = (index: number): NodeId => `workload:${namespaceOf(index)}/s${index}`;
export const podOf = (index: number): NodeId =>
  `object:Pod/${namespaceOf(index % services)}/s${index % services}-p${index}`;

const template = {
  containers: [{ name: "main", image: "registry.example/app:1", ports: [{ containerPort: 8080 }] }],
};

function tellWorkload(index: number, fact: Fact, tie: Tie): void {
  const workload = workloadOf(index);
  const [name, namespace] = [`s${index}`, namespaceOf(index)];
  const labels = { app: name };
  fact(workload, "metadata", { kind: "Deployment", name, namespace });
  fact(workload, "spec", {
    ...{ replicas: pods / services, selector: { matchLabels: labels } },
    template: { metadata: { labels }, spec: template },
  });
  tie(workload, serviceOf(index), "part_of");
  const service: NodeId = `object:Service/${namespace}/${name}`;
  fact(service, "metadata", { kind: "Service", name, namespace });
  fact(service, "spec", { selector: labels, ports: [{ port: 80, targetPort: 8080 }] });
}

function tellPod(pod: NodeId, service: number, fact: Fact): void {
  const [name, namespace] = [pod.slice(pod.lastIndexOf("/") + 1), namespaceOf(service)];
  fact(pod, "metadata", {
    ...{ kind: "Pod", name, namespace, labels: { app: `s${service}` } },
    ownerReferences: [{ kind: "Deployment", name: `s${service}` }],
  });
  fact(pod, "spec", template);
  fact(pod, "status", {
    ...{ phase: "Running", conditions: [{ type: "Ready", status: "True" }] },
    containerStatuses: [{ name: "main", ready: true, restartCount: 0, state: { running: {} } }],
  });
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
