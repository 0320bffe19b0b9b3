/** Services that lead nowhere: https://kubernetes.io/docs/concepts/services-networking/service/ */
import type { JsonObject } from "../../../kernel/index.ts";
import type { CauseKind } from "../../cause-kind.ts";
import type { Finding } from "../finding.ts";
import {
  type Cluster,
  containersOf,
  type KubernetesObject,
  matchesLabels,
  type Workload,
} from "./cluster.ts";
import { isComplainedAbout } from "./complaint.ts";
import { certain, findingOf, likely, strong, weak } from "./finding-of.ts";
import { objectAt, objectsAt, textAt } from "./json-path.ts";

export function routing(cluster: Cluster): readonly Finding[] {
  return cluster.objects("Service").flatMap((service) => {
    if (Object.keys(objectAt(service.spec, "selector")).length === 0) return [];
    const selected = cluster.workloads.filter(
      (workload) =>
        workload.namespace === service.namespace &&
        [workload.templateLabels, ...workload.pods.map(podLabels)].some((labels) =>
          matchesLabels(objectAt(service.spec, "selector"), labels),
        ),
    );
    return selected.length === 0
      ? unselected(cluster, service)
      : selected.flatMap((workload) => misled(cluster, service, workload));
  });
}

const podLabels = (pod: KubernetesObject): JsonObject => objectAt(pod.metadata, "labels");

function said(
  cluster: Cluster,
  service: KubernetesObject,
  workload: Workload,
  kind: CauseKind,
  says: string,
): Finding {
  const weight = weightOf(cluster, service, workload);
  const text = `service ${service.name}: ${says}`;
  return findingOf({ node: workload.node, kind, weight, says: text, origin: service.origin });
}

/** A service that somebody can reach has led somewhere all along. */
function weightOf(cluster: Cluster, service: KubernetesObject, workload: Workload): number {
  const node = cluster.serviceOf(workload);
  const probes = (node === undefined ? [] : cluster.conditions(node)).filter(
    ({ name, message }) => name === "Reachable" && message.startsWith(`${service.name}:`),
  );
  if (probes.some(({ status }) => status === "false")) return certain;
  if (isComplainedAbout(cluster, node)) return strong;
  return probes.some(({ status }) => status === "true") ? weak : likely;
}

/** The workload that the service was meant for: of its name, or whose labels differ least from what it selects. */
function unselected(cluster: Cluster, service: KubernetesObject): readonly Finding[] {
  const peers = cluster.workloads.filter(({ namespace }) => namespace === service.namespace);
  const meant =
    peers.find(({ name }) => name === service.name) ??
    peers.find(({ templateLabels }) => sharesLabel(service, templateLabels));
  if (meant === undefined) return [];
  const selector = JSON.stringify(objectAt(service.spec, "selector"));
  const says = `spec.selector ${selector} selects no pod; the pods of ${meant.name} have ${JSON.stringify(meant.templateLabels)}. Make them agree.`;
  return [said(cluster, service, meant, "routing.selector", says)];
}

function sharesLabel(service: KubernetesObject, labels: JsonObject): boolean {
  const own = objectAt(service.metadata, "labels");
  return [own, objectAt(service.spec, "selector")].some((wanted) =>
    Object.entries(wanted).some(([key, value]) => labels[key] === value),
  );
}

function misled(
  cluster: Cluster,
  service: KubernetesObject,
  workload: Workload,
): readonly Finding[] {
  const ports = containersOf(workload.template).flatMap((each) => objectsAt(each, "ports"));
  if (ports.length === 0) return [];
  const meant = cluster.workloads.find(
    ({ name, namespace }) => name === service.name && namespace === service.namespace,
  );
  if (meant !== undefined && meant.node !== workload.node)
    return stolen(cluster, service, meant, workload);
  return objectsAt(service.spec, "ports").flatMap((port) => {
    const target = textAt(port, "targetPort") || textAt(port, "port");
    const isUnknownName =
      !/^\d+$/.test(target) && ports.every((each) => textAt(each, "name") === "");
    if (isUnknownName && weightOf(cluster, service, workload) < certain) return [];
    const listening = ports.filter((each) =>
      [textAt(each, "containerPort"), textAt(each, "name")].includes(target),
    );
    if (listening.length === 0) {
      const has = ports.map((each) => textAt(each, "containerPort")).join(", ");
      const says = `spec.ports[].targetPort is ${target}, and ${workload.name} listens on ${has}. Lead to that one.`;
      return [said(cluster, service, workload, "routing.port", says)];
    }
    const protocol = protocolOf(port);
    if (listening.some((each) => protocolOf(each) === protocol)) return [];
    const says = `spec.ports[].protocol is ${protocol}, and ${workload.name} listens by ${protocolOf(listening[0] ?? {})} on ${target}. Lead by that one.`;
    return [said(cluster, service, workload, "routing.protocol", says)];
  });
}

/** It bears one workload's name and selects only another's pods. */
function stolen(
  cluster: Cluster,
  service: KubernetesObject,
  meant: Workload,
  other: Workload,
): readonly Finding[] {
  const selector = objectAt(service.spec, "selector");
  if (matchesLabels(selector, meant.templateLabels)) return [];
  const says = `spec.selector ${JSON.stringify(selector)} selects the pods of ${other.name}, not of ${meant.name}. Select its pods.`;
  return [said(cluster, service, meant, "routing.selector", says)];
}

const protocolOf = (port: JsonObject): string => textAt(port, "protocol") || "TCP";
