/** Processes that do not live: killed for memory, kept from their port, never started. */
import type { JsonObject } from "../../../kernel/index.ts";
import type { Finding } from "../finding.ts";
import { type Cluster, containersOf, healthOf, type Workload } from "./cluster.ts";
import { isComplainedAbout } from "./complaint.ts";
import { certain, findingOf, likely, strong } from "./finding-of.ts";
import { at, numberAt, objectsAt, textAt } from "./json-path.ts";
import { excerpt } from "./store-words.ts";

export function outOfMemory(cluster: Cluster): readonly Finding[] {
  return cluster.workloads.flatMap((workload) => {
    const health = healthOf(cluster, workload);
    if (health.isReady && health.restarts === 0) return [];
    const killed = workload.pods
      .flatMap(({ status }) => objectsAt(status, "containerStatuses"))
      .find((status) =>
        [at(status, "lastState"), at(status, "state")].some(
          (state) => textAt(state, "terminated", "reason") === "OOMKilled",
        ),
      );
    const report = cluster
      .warnings(workload)
      .findLast(
        ({ name, message }) => /OOM/i.test(name) || /OOM-?killed|out of memory/i.test(message),
      );
    if (killed === undefined && report === undefined) return [];
    const limits = containersOf(workload.template)
      .map((container) => textAt(container, "resources", "limits", "memory"))
      .filter((limit) => limit !== "");
    const seen = report?.message ?? `container ${textAt(killed, "name")} ended as OOMKilled`;
    return [
      findingOf({
        node: workload.node,
        kind: "compute.memory",
        weight: certain,
        says: `${workload.name} is killed for memory: ${seen}; spec.template.spec.containers[].resources.limits.memory is ${limits.join(", ") || "not set"}. Raise the limit, or look for a leak.`,
        origin: report?.origin ?? workload.origin,
        ...(report === undefined ? {} : { onsetAt: report.at }),
      }),
    ];
  });
}

const inUse =
  /address (?:is )?already in use|port \d+ (?:is|was) already in use|EADDRINUSE|bind\(\) to \S+ failed/i;

/** Containers of a pod share its addresses: https://kubernetes.io/docs/concepts/workloads/pods/#pod-networking */
export function portConflict(cluster: Cluster): readonly Finding[] {
  return cluster.workloads.flatMap((workload) => {
    if (healthOf(cluster, workload).isReady) return [];
    const claimed = claimedTwice(workload);
    const line = cluster.logs(workload).find(({ example }) => inUse.test(example));
    if (claimed === undefined && line === undefined) return [];
    const written = claimed === undefined ? "" : `; ${claimed}`;
    const said = line === undefined ? "" : `: "${excerpt(line, inUse)}"`;
    const unsaid = line === undefined ? likely : strong;
    return [
      findingOf({
        node: workload.node,
        kind: "network.port_conflict",
        weight: claimed !== undefined && line !== undefined ? certain : unsaid,
        says: `two processes in a pod of ${workload.name} want one port${said}${written}. Move one of them.`,
        origin: line?.origin ?? workload.origin,
      }),
    ];
  });
}

/** A port that two containers list, or that an annotation gives to a sidecar and a container lists. */
function claimedTwice(workload: Workload): string | undefined {
  const pods = [workload.template, ...workload.pods.map(({ spec }) => spec)];
  for (const spec of pods) {
    const seen = new Map<string, string>();
    for (const container of objectsAt(spec, "containers"))
      for (const port of portsOf(container)) {
        const other = seen.get(port);
        const name = textAt(container, "name");
        if (other !== undefined && other !== name)
          return `containers ${other} and ${name} both list port ${port}`;
        seen.set(port, name);
      }
  }
  return annotated(workload);
}

const portsOf = (container: JsonObject): readonly string[] =>
  objectsAt(container, "ports").map((port) => textAt(port, "containerPort"));

function annotated({ template, spec, pods }: Workload): string | undefined {
  const ports = new Set(containersOf(template).flatMap(portsOf));
  const annotations = [spec, ...pods.map(({ metadata }) => metadata)].flatMap((each) =>
    Object.entries(
      (at(each, "template", "metadata", "annotations") ??
        at(each, "annotations") ??
        {}) as JsonObject,
    ),
  );
  for (const [key, value] of annotations) {
    const port = /"?\w*[pP]ort"?\s*:\s*"?(\d+)/.exec(String(value))?.[1];
    if (port !== undefined && ports.has(port))
      return `annotation ${key} gives port ${port} to the sidecar`;
  }
  return undefined;
}

/** Scaled to nothing while somebody depends on it. What nobody calls may rest. */
export function scaledToNothing(cluster: Cluster): readonly Finding[] {
  return cluster.workloads.flatMap((workload) => {
    if (numberAt(workload.spec, "replicas") !== 0) return [];
    const service = cluster.serviceOf(workload);
    const isNeeded =
      isComplainedAbout(cluster, service) ||
      healthOf(cluster, workload).reachable === false ||
      cluster.callers(service).length > 0;
    const peers = cluster.workloads.filter(({ spec }) => numberAt(spec, "replicas") !== 0);
    if (!isNeeded || peers.length === 0) return [];
    const says = `spec.replicas of ${workload.name} is 0, and others call it. Scale it up.`;
    return [
      findingOf({
        node: workload.node,
        kind: "schedule.replicas_zero",
        weight: certain,
        says,
        origin: workload.origin,
      }),
    ];
  });
}
