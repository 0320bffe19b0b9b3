/** Names that are not resolved: https://kubernetes.io/docs/concepts/services-networking/dns-pod-service/ */
import type { LogTemplate } from "../../event.ts";
import { type NodeId, nodeId } from "../../graph-words.ts";
import type { Finding } from "../finding.ts";
import { type Cluster, healthOf, type KubernetesObject, type Workload } from "./cluster.ts";
import { isComplainedAbout } from "./complaint.ts";
import { variables } from "./connection-settings.ts";
import { certain, findingOf, likely, strong, weak } from "./finding-of.ts";
import { at, objectAt, objectsAt, textAt, textsAt } from "./json-path.ts";
import { selects } from "./selectors.ts";
import { excerpt } from "./store-words.ts";

/** getaddrinfo's words in C, Go, Java, Node, Python and .NET, and those of gRPC (c-ares) and curl. */
const unresolved =
  /no such host|lookup \S+ on \S+:53:|name or service not known|name resolution|unknownhostexception|ENOTFOUND|EAI_AGAIN|name does not resolve|nodename nor servname|could not (?:be )?resolved?|couldn't resolve|server misbehaving|failed to resolve|DNS resolution failed|dns lookup|NXDOMAIN|SERVFAIL|could not translate host name|no address associated/i;
/** No answer at all: unlike "there is no such name", that is not said of what was not there yet. */
const unanswered =
  /EAI_AGAIN|temporary failure|time(?:d )?-?out|server misbehaving|SERVFAIL|contacting DNS|ETIMEDOUT|i\/o timeout|refused/i;
const named =
  /lookup ([\w.-]+)|unknownhostexception:? ([\w.-]+)|(?:ENOTFOUND|EAI_AGAIN) ([\w.-]+)|(?:resolve|resolution failed for|translate host name|could not resolve host:?) ["']?([\w.-]+)|not known \(([\w.-]+):/i;

interface Complaint {
  readonly workload: Workload;
  readonly line: LogTemplate;
  /** What was looked up, without its domain; "" where the line does not say. */
  readonly name: string;
}

export function nameResolution(cluster: Cluster): readonly Finding[] {
  const all = cluster.workloads.flatMap((workload) => complaintsOf(cluster, workload));
  const own = cluster.workloads.flatMap((workload) => ownFault(cluster, workload, all));
  const blamed = new Set(own.map(({ node }) => node));
  const open = all.filter(({ workload }) => !blamed.has(workload.node));
  const missing = missingServices(cluster, open);
  const explained = new Set(missing.flatMap(({ name, by }) => [name, by]));
  const left = open.filter(
    ({ name, workload }) => !explained.has(name === "" ? workload.node : name),
  );
  const servers = downServers(cluster, left);
  return [
    ...own,
    ...missing.map(({ finding }) => finding),
    ...(servers.length > 0 ? servers : unexplained(cluster, left)),
  ];
}

function complaintsOf(cluster: Cluster, workload: Workload): readonly Complaint[] {
  const isReady = healthOf(cluster, workload).isReady;
  return cluster
    .logs(workload)
    .filter(({ example }) => unresolved.test(example))
    .map((line) => ({ workload, line, name: nameIn(line.example) }))
    .filter(
      ({ line, name }) =>
        !isReady || unanswered.test(excerpt(line, unresolved)) || !isOver(cluster, name),
    );
}

function nameIn(example: string): string {
  const found = named
    .exec(example)
    ?.slice(1)
    .find((each) => each !== undefined);
  return found?.split(".")[0] ?? "";
}

/** The name that was looked up is a service's that others reach: as after everything was deployed at once. */
const isOver = (cluster: Cluster, name: string): boolean =>
  cluster
    .conditions(nodeId("service", name))
    .some((condition) => condition.name === "Reachable" && condition.status === "true");

/** By its own spec, or a policy on it. That alone hurts nobody: who has always run so may need no names. */
function ownFault(
  cluster: Cluster,
  workload: Workload,
  all: readonly Complaint[],
): readonly Finding[] {
  const broken = ownResolver(cluster, workload);
  if (broken === undefined) return [];
  const line = cluster.logs(workload).find(({ example }) => unresolved.test(example));
  const isNamed = all.some(
    (each) => each.workload !== workload && each.line.example.includes(workload.name),
  );
  const isHit =
    isNamed ||
    !healthOf(cluster, workload).isReady ||
    isComplainedAbout(cluster, cluster.serviceOf(workload));
  return [
    findingOf({
      node: workload.node,
      kind: "network.dns",
      weight: line !== undefined ? certain : isHit ? strong : weak,
      says: `${workload.name} does not resolve names: ${broken}${quotedLine(line)}. Mend its resolver.`,
      origin: line?.origin ?? workload.origin,
    }),
  ];
}

const quotedLine = (line: LogTemplate | undefined): string =>
  line === undefined ? "" : `; its log has "${excerpt(line, unresolved)}"`;

interface MissingService {
  readonly name: string;
  /** Who looks for it. */
  readonly by: NodeId;
  readonly finding: Finding;
}

/** What is looked for under its name is deployed, and has no service of that name. */
function missingServices(cluster: Cluster, all: readonly Complaint[]): readonly MissingService[] {
  const found = new Map<string, MissingService>();
  for (const { workload, line, name } of all.flatMap((each) => namedBySettings(cluster, each))) {
    const owner = cluster.workloads.find(
      (each) => each.namespace === workload.namespace && each.name === name,
    );
    const service = cluster.object("Service", workload.namespace, name);
    const external = textAt(service?.spec, "externalName");
    if (owner === undefined || owner === workload) continue;
    if (service !== undefined && external === "") continue;
    const because =
      external === "" ? "there is no service of that name" : `service ${name} leads to ${external}`;
    const says = `${workload.name} looks for ${name}, which is deployed, and ${because}${quotedLine(line)}. Give it one.`;
    const { node } = owner;
    const finding = findingOf({
      node,
      kind: "network.dns",
      weight: strong,
      says,
      origin: line.origin,
    });
    found.set(name, { name, by: workload.node, finding });
  }
  const missing = [...found.values()];
  return missing.length < 2 ? missing : missing.map((each) => unmade(cluster, each));
}

/** Several at once were not made, or taken away: it is the namespace that has none of them. */
function unmade(cluster: Cluster, { name, by, finding }: MissingService): MissingService {
  const owner = cluster.workloads.find(({ node }) => node === finding.node);
  const node = nodeId("namespace", owner?.namespace ?? "");
  return { name, by, finding: { ...finding, node, weight: weak } };
}

/** A line that does not say what was looked up means what the workload is told to use, and leads outside. */
function namedBySettings(cluster: Cluster, each: Complaint): readonly Complaint[] {
  if (each.name !== "") return [each];
  const values = variables(cluster, each.workload).map(({ value }) => value);
  const outside = cluster
    .objects("Service")
    .filter(
      ({ namespace, spec }) =>
        namespace === each.workload.namespace && textAt(spec, "externalName") !== "",
    )
    .filter(({ name }) =>
      values.some((value) => new RegExp(`(?:^|[^\\w-])${name}(?:[^\\w-]|$)`).test(value)),
    );
  return outside.map(({ name }) => ({ ...each, name }));
}

const serverNames = /^(?:coredns|kube-dns|node-?local-?dns)/;

/** The cluster's own name servers, when they do not run. */
function downServers(cluster: Cluster, all: readonly Complaint[]): readonly Finding[] {
  const [first] = all;
  if (first === undefined) return [];
  return cluster.workloads
    .filter((each) => serverNames.test(each.name) && !healthOf(cluster, each).isReady)
    .map((server) => {
      const says = `${server.name} does not run, and ${new Set(all.map(({ workload }) => workload)).size} workloads resolve no names${quotedLine(first.line)}.`;
      const { node, origin } = server;
      return findingOf({ node, kind: "network.dns", weight: certain, says, origin });
    });
}

/**
 * Nothing that is known keeps it from its names. Who only passes on what its callee says is not meant; where several that
 * run complain of what is there, it is over.
 */
function unexplained(cluster: Cluster, all: readonly Complaint[]): readonly Finding[] {
  const complaining = new Set(all.map(({ workload }) => workload));
  const byWorkload = new Map(all.map((each) => [each.workload, each] as const).reverse());
  return [...byWorkload.values()].flatMap(({ workload, line, name }): readonly Finding[] => {
    const isReady = healthOf(cluster, workload).isReady;
    const callees = cluster.callees(cluster.serviceOf(workload));
    const isPassedOn = all.some(
      (each) =>
        each.name === name &&
        name !== "" &&
        callees.includes(cluster.serviceOf(each.workload) ?? ""),
    );
    const isShared = complaining.size > 1 && isReady && !unanswered.test(excerpt(line, unresolved));
    if (isPassedOn || isShared) return [];
    const says = `${workload.name} does not resolve ${name || "names"}${quotedLine(line)}. Mend its resolver, or the name.`;
    const by = { kind: "network.dns", says, origin: line.origin } as const;
    const owner = ownerOfOnlyName(cluster, all, { workload, line, name });
    return owner === undefined
      ? [findingOf({ ...by, node: workload.node, weight: likely })]
      : [
          findingOf({ ...by, node: owner.node, weight: likely }),
          findingOf({ ...by, node: workload.node, weight: weak }),
        ];
  });
}

/** Who runs, calls others and is told that one name does not exist has a resolver: it is the name that fails. */
function ownerOfOnlyName(
  cluster: Cluster,
  all: readonly Complaint[],
  { workload, line, name }: Complaint,
): Workload | undefined {
  const isOnly = all.every((each) => each.workload !== workload || each.name === name);
  const isDenied = !unanswered.test(excerpt(line, unresolved));
  const isRunning = healthOf(cluster, workload).isReady;
  const callees = cluster.callees(cluster.serviceOf(workload));
  if (!(isOnly && isDenied && isRunning) || callees.length < 2) return undefined;
  return cluster.workloads.find(
    (each) => each !== workload && each.namespace === workload.namespace && each.name === name,
  );
}

/** What in the workload's own spec, or in a policy on it, keeps it from the cluster's DNS. */
function ownResolver(cluster: Cluster, workload: Workload): string | undefined {
  const policy = textAt(workload.template, "dnsPolicy");
  const servers = textsAt(workload.template, "dnsConfig", "nameservers");
  const peers = cluster.workloads.filter((each) => each !== workload);
  const isOdd = peers.some(({ template }) => textAt(template, "dnsPolicy") !== policy);
  if ((policy === "None" || policy === "Default") && isOdd)
    return `spec.template.spec.dnsPolicy is ${policy}, with nameservers [${servers.join(", ")}]`;
  // https://kubernetes.io/docs/concepts/services-networking/dns-pod-service/#pod-s-dns-policy
  if (
    at(workload.template, "hostNetwork") === true &&
    /^(?:|ClusterFirst)$/.test(policy) &&
    servers.length === 0
  )
    return "spec.template.spec.hostNetwork is true, under which dnsPolicy ClusterFirst asks the resolver of the node";
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
