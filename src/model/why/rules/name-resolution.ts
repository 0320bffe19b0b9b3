/** Names that are not resolved: https://kubernetes.io/docs/concepts/services-networking/dns-pod-service/ */
import { type NodeId, nodeId } from "../../graph-words.ts";
import type { Finding } from "../finding.ts";
import { type Cluster, healthOf, type KubernetesObject, type Workload } from "./cluster.ts";
import { certain, findingOf, likely, strong } from "./finding-of.ts";
import { at, objectAt, objectsAt, textAt, textsAt } from "./json-path.ts";
import { selects } from "./selectors.ts";
import { excerpt } from "./store-words.ts";

const unresolved =
  /no such host|name or service not known|temporary failure in name resolution|unknownhostexception|ENOTFOUND|EAI_AGAIN|name does not resolve|nodename nor servname|could not resolve host|server misbehaving|failed to resolve|DNS resolution failed|dns lookup/i;

export function nameResolution(cluster: Cluster): readonly Finding[] {
  const complaints = cluster.workloads.flatMap((workload) => {
    const isReady = healthOf(cluster, workload).isReady;
    const lines = cluster
      .logs(workload)
      .filter(({ example }) => unresolved.test(example) && !(isReady && isOver(cluster, example)));
    return lines.map((line) => ({ workload, line }));
  });
  const complaining = new Set(complaints.map(({ workload }) => workload.node));
  const isShared = (workload: Workload): boolean =>
    complaining.size > 1 && healthOf(cluster, workload).isReady;
  return cluster.workloads.flatMap((workload) => {
    const broken = ownResolver(cluster, workload);
    const line = complaints.find((each) => each.workload === workload)?.line;
    if (broken === undefined && (line === undefined || isShared(workload))) return [];
    const said = line === undefined ? "" : `; its log has "${excerpt(line, unresolved)}"`;
    const because = broken === undefined ? "" : `: ${broken}`;
    const unsaid = line === undefined ? strong : certain;
    return [
      findingOf({
        node: blamedFor(cluster, workload, line?.example, broken),
        kind: "network.dns",
        weight: broken === undefined ? likely : unsaid,
        says: `${workload.name} does not resolve names${because}${said}. Mend its resolver.`,
        origin: line?.origin ?? workload.origin,
      }),
    ];
  });
}

/** The name that was looked up is a service's that others reach: as after everything was deployed at once. */
function isOver(cluster: Cluster, example: string): boolean {
  const name = /lookup ([\w-]+)|unknownhostexception: ([\w-]+)|ENOTFOUND ([\w-]+)/i.exec(example);
  const service = name?.[1] ?? name?.[2] ?? name?.[3] ?? "";
  return cluster
    .conditions(nodeId("service", service))
    .some((condition) => condition.name === "Reachable" && condition.status === "true");
}

/** What in the workload's own spec, or in a policy on it, keeps it from the cluster's DNS. */
function ownResolver(cluster: Cluster, workload: Workload): string | undefined {
  const policy = textAt(workload.template, "dnsPolicy");
  const servers = textsAt(workload.template, "dnsConfig", "nameservers");
  const peers = cluster.workloads.filter((each) => each !== workload);
  const isOdd = peers.some(({ template }) => textAt(template, "dnsPolicy") !== policy);
  if ((policy === "None" || policy === "Default") && isOdd)
    return `spec.template.spec.dnsPolicy is ${policy}, with nameservers [${servers.join(", ")}]`;
  const addresses = cluster
    .objects("Service")
    .filter(({ name }) => /dns/i.test(name))
    .map(({ spec }) => textAt(spec, "clusterIP"));
  const foreign = servers.filter((server) => !addresses.includes(server));
  if (foreign.length > 0 && isOddServer(peers, foreign))
    return `spec.template.spec.dnsConfig.nameservers is [${servers.join(", ")}]`;
  const blocking = cluster
    .objects("NetworkPolicy")
    .find((object) => object.namespace === workload.namespace && blocksDns(object, workload));
  return blocking === undefined ? undefined : `NetworkPolicy ${blocking.name} lets no DNS out`;
}

const isOddServer = (peers: readonly Workload[], servers: readonly string[]): boolean =>
  !peers.some(({ template }) =>
    textsAt(template, "dnsConfig", "nameservers").some((each) => servers.includes(each)),
  );

/** https://kubernetes.io/docs/concepts/services-networking/network-policies/ */
function blocksDns(policy: KubernetesObject, workload: Workload): boolean {
  if (!textsAt(policy.spec, "policyTypes").includes("Egress")) return false;
  if (!selects(objectAt(policy.spec, "podSelector"), workload.templateLabels)) return false;
  return !objectsAt(policy.spec, "egress").some((rule) => {
    const ports = objectsAt(rule, "ports");
    return ports.length === 0 || ports.some((port) => textAt(port, "port") === "53");
  });
}

/** Where one workload alone cannot resolve one name whose service leads outside, the fault is with that service. */
function blamedFor(
  cluster: Cluster,
  workload: Workload,
  example: string | undefined,
  broken: string | undefined,
): NodeId {
  if (broken !== undefined || example === undefined) return workload.node;
  const external = cluster
    .objects("Service")
    .filter(({ spec }) => at(spec, "externalName") !== undefined)
    .find(({ name }) => example.includes(name));
  const owner = cluster.workloads.find(({ name }) => name === external?.name);
  return owner?.node ?? workload.node;
}
