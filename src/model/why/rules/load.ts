/** Who is overloaded or far away, from summaries of measurements: before and after, service by service, host by host. */
import type { NodeId } from "../../graph-words.ts";
import type { Finding } from "../finding.ts";
import type { View } from "../view.ts";
import type { Cluster, Workload } from "./cluster.ts";
import { findingOf, likely, strong } from "./finding-of.ts";
import { textAt } from "./json-path.ts";
import { growth, type Shift, shiftsOf } from "./shift.ts";

/** A pod that uses half as much again, and was throttled, lacks processor. */
const cpuGrowthMin = Math.log(1.5);
/** Retransmissions a second that a delay alone does not cause: it makes TCP repeat a segment now and then. */
const retransmissionsPerSecondMin = 2;
/** A callee explains its caller only when it has slowed by at least a factor in the order of its caller's. */
const explainsShare = 0.5;

export function load(cluster: Cluster, view: View): readonly Finding[] {
  const shifts = shiftsOf(view);
  const overloaded = throttled(cluster, shifts);
  if (overloaded.length > 0) return overloaded;
  const lossy = losing(cluster, shifts);
  return lossy.length > 0 ? lossy : delayed(cluster, shifts);
}

function throttled(cluster: Cluster, shifts: readonly Shift[]): readonly Finding[] {
  const cpu = shifts.filter(({ signal }) => signal === "cpu");
  return cluster.workloads.flatMap((workload) => {
    const own = cpu.filter(({ node }) => node === cluster.serviceOf(workload));
    const grown = own.find((shift) => !isThrottling(shift) && growth(shift) >= cpuGrowthMin);
    const throttling = own.find((shift) => isThrottling(shift) && shift.after > 0);
    if (grown === undefined || throttling === undefined) return [];
    const says = `${workload.name} uses ${grown.after} cores (${grown.before} before) and was throttled. Raise resources.limits.cpu, or find what is working.`;
    return [
      findingOf({
        node: workload.node,
        kind: "compute.cpu",
        weight: strong,
        says,
        origin: grown.series.origin,
        onsetAt: grown.series.at,
      }),
    ];
  });
}

/** Time that the kernel's scheduler (CFS) kept a container waiting for its quota. */
const isThrottling = ({ name }: Shift): boolean => /cfs|throttl/i.test(name);

function losing(cluster: Cluster, shifts: readonly Shift[]): readonly Finding[] {
  const worst = shifts
    .filter(({ node, name }) => node.startsWith("host:") && /retrans/i.test(name))
    .filter(({ after }) => after >= retransmissionsPerSecondMin)
    .sort((a, b) => b.after - a.after)[0];
  const node = cluster.objects("Node").find((each) => each.node === worst?.node);
  if (worst === undefined || node === undefined) return [];
  const says = `TCP repeats ${worst.after} segments a second on ${node.name} (${worst.before} before): packets are lost.`;
  const { origin, at: onsetAt } = worst.series;
  return [
    findingOf({ node: node.node, kind: "network.loss", weight: strong, says, origin, onsetAt }),
  ];
}

interface Slow {
  readonly node: NodeId;
  /** The largest growth of any of its quantiles. */
  readonly growth: number;
  /** By how much the median call has slowed, in milliseconds; 0 when it has not. */
  readonly medianMs: number;
  readonly shift: Shift;
}

function delayed(cluster: Cluster, shifts: readonly Shift[]): readonly Finding[] {
  const slow = slowest(shifts);
  const roots = slow.filter((each) => !isExplained(cluster, slow, each));
  if (roots.length <= 1) return roots.flatMap((root) => far(cluster, root, slow));
  const caller = commonCaller(cluster, slow, roots);
  if (caller !== undefined) return far(cluster, caller, slow);
  return farHost(cluster, slow, roots);
}

function slowest(shifts: readonly Shift[]): readonly Slow[] {
  const byNode = new Map<NodeId, Slow>();
  for (const shift of shifts) {
    if (shift.signal !== "latency" || growth(shift) <= 0) continue;
    const before = byNode.get(shift.node);
    const isMedian = /p50|median/i.test(shift.name);
    const medianMs = Math.max(before?.medianMs ?? 0, isMedian ? shift.after - shift.before : 0);
    const isMore = before === undefined || growth(shift) > before.growth;
    byNode.set(shift.node, {
      node: shift.node,
      growth: isMore ? growth(shift) : before.growth,
      medianMs,
      shift: isMore ? shift : before.shift,
    });
  }
  return [...byNode.values()];
}

/** A caller waits for its callees; a callee that is slow for the sake of a slow caller's network is less so than that. */
function isExplained(cluster: Cluster, slow: readonly Slow[], each: Slow): boolean {
  const among = (nodes: readonly NodeId[]): readonly Slow[] =>
    slow.filter(({ node }) => nodes.includes(node));
  const byCallee = among(cluster.reached(each.node)).some(
    (callee) => callee.growth >= each.growth * explainsShare,
  );
  const byCaller = among(cluster.callers(each.node)).some(
    (caller) => each.growth < caller.growth * explainsShare,
  );
  return byCallee || byCaller;
}

/** One that calls all of them and whose median has slowed most: its own network, and not that of each, is slow. */
function commonCaller(
  cluster: Cluster,
  slow: readonly Slow[],
  roots: readonly Slow[],
): Slow | undefined {
  return slow
    .filter(({ node, medianMs }) => {
      const reached = cluster.callees(node);
      const most = Math.max(
        ...slow.filter((each) => reached.includes(each.node)).map((each) => each.medianMs),
      );
      return medianMs > most && roots.every((root) => reached.includes(root.node));
    })
    .sort((a, b) => b.medianMs - a.medianMs)[0];
}

function far(cluster: Cluster, root: Slow, slow: readonly Slow[]): readonly Finding[] {
  const workload = cluster.workloadOf(root.node);
  if (workload === undefined) return [];
  const { before, after, name, series } = root.shift;
  const says = `${workload.name} answers late (${name} ${after} ms, ${before} before) without more processor or errors, and ${slow.length - 1} others by it; none that it calls explains it.`;
  return [
    findingOf({
      node: workload.node,
      kind: "network.delay",
      weight: likely,
      says,
      origin: series.origin,
      onsetAt: series.at,
    }),
  ];
}

/** Several are slow at once, without a caller in common that is slower: what they share is a machine. */
function farHost(
  cluster: Cluster,
  slow: readonly Slow[],
  roots: readonly Slow[],
): readonly Finding[] {
  const on = new Map<string, number>();
  for (const { node, growth: by } of roots)
    for (const name of hostsOf(cluster.workloadOf(node))) on.set(name, (on.get(name) ?? 0) + by);
  const [name] = [...on].sort(([a, x], [b, y]) => y - x || (a < b ? -1 : 1))[0] ?? [];
  const node = cluster.objects("Node").find((each) => each.name === name);
  const [first] = roots;
  if (node === undefined || first === undefined) return [];
  const says = `${slow.length} services are slow at once; most of those that no other explains run on ${node.name}.`;
  const { origin, at: onsetAt } = first.shift.series;
  return [
    findingOf({ node: node.node, kind: "network.delay", weight: likely, says, origin, onsetAt }),
  ];
}

const hostsOf = (workload: Workload | undefined): readonly string[] =>
  (workload?.pods ?? []).map(({ spec }) => textAt(spec, "nodeName")).filter((name) => name !== "");
