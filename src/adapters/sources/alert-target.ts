/** What an alert of a monitoring system is about, as far as its labels say. */
import type { JsonObject } from "../../kernel/index.ts";
import { kubernetesNodeId, type NodeId, type Signal } from "../../model/index.ts";
import { textAt } from "./members.ts";
import { named, nameOf } from "./source.ts";

/** Labels that name a service, the most explicit first. */
const serviceLabels = ["service", "service_name", "app", "app_kubernetes_io_name", "component"];
const workloadLabels = [
  ["deployment", "Deployment"],
  ["statefulset", "StatefulSet"],
  ["daemonset", "DaemonSet"],
  ["pod", "Pod"],
] as const;
const hostLabels = ["node", "host", "instance"];

export function targetOf(labels: JsonObject): NodeId | undefined {
  for (const label of serviceLabels) {
    const name = textAt(labels, label);
    if (name !== undefined) return named("service", name);
  }
  const namespace = textAt(labels, "namespace") ?? "default";
  for (const [label, kind] of workloadLabels) {
    const name = textAt(labels, label);
    if (name !== undefined) return kubernetesNodeId(kind, nameOf(namespace), nameOf(name));
  }
  const host = hostLabels.map((label) => textAt(labels, label)).find(Boolean);
  if (host !== undefined) return named("host", host.replace(/:\d+$/, ""));
  const job = textAt(labels, "job");
  return job === undefined ? undefined : named("service", job.split("/").at(-1) ?? job);
}

const words: readonly (readonly [RegExp, Signal])[] = [
  [/latenc|slow|duration|response.?time|p9\d/i, "latency"],
  [/error|5xx|fail|exception/i, "errors"],
  [/availab|down|unreachable|absent|target|up\b|probe/i, "availability"],
  [/restart|crash|oomkill/i, "restarts"],
  [/cpu|throttl|load/i, "cpu"],
  [/memory|oom|heap/i, "memory"],
  [/disk|filesystem|volume|storage|inode/i, "disk"],
  [/lag|queue|backlog|delay/i, "lag"],
  [/traffic|requests?.?rate|rps|qps/i, "requests"],
];

export function signalOf(text: string): Signal {
  return words.find(([word]) => word.test(text))?.[1] ?? "other";
}
