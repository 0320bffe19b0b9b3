/** Addresses of others in a workload's environment that are nobody's. */
import type { JsonObject } from "../../../kernel/index.ts";
import type { Origin } from "../../event.ts";
import { nodeId, splitNodeId } from "../../graph-words.ts";
import type { Finding } from "../finding.ts";
import { type Cluster, containersOf, type KubernetesObject, type Workload } from "./cluster.ts";
import { isComplainedAbout } from "./complaint.ts";
import { type Variable, variables } from "./connection-settings.ts";
import { certain, findingOf, strong } from "./finding-of.ts";
import { objectsAt, textAt } from "./json-path.ts";
import { behind } from "./store.ts";

interface Address {
  readonly path: string;
  readonly value: string;
  readonly host: string;
  /** "" where none is written: the scheme's own. */
  readonly port: string;
  readonly origin: Origin;
}

const host = "[a-z](?:[a-z0-9-]*[a-z0-9])?(?:\\.[a-z0-9-]+)*";
/** `host:port`, with schemes, a user or a path around it or not; a scheme makes the port unnecessary. */
const patterns = [
  new RegExp(
    `^(?:[a-z][a-z0-9+.-]*:)*(?://)?(?:[^@/\\s]*@)?(${host}):(\\d{1,5})(?:[/?;,].*)?$`,
    "i",
  ),
  new RegExp(`^(?:[a-z][a-z0-9+.-]*:)+//(?:[^@/\\s]*@)?(${host})()(?:[/?;].*)?$`, "i"),
];

interface Use {
  readonly workload: Workload;
  readonly address: Address;
}

export function address(cluster: Cluster): readonly Finding[] {
  const uses = cluster.workloads.flatMap((workload) =>
    variables(cluster, workload)
      .flatMap(addressOf)
      .map((each): Use => ({ workload, address: each })),
  );
  return uses.flatMap((use) => wrong(cluster, use, uses));
}

function addressOf({ path, value, origin }: Variable): readonly Address[] {
  const match = patterns.map((each) => each.exec(value)).find((each) => each !== null);
  if (match === undefined || match === null) return [];
  const [, name = "", port = ""] = match;
  return [{ path, value, host: name, port, origin }];
}

function wrong(cluster: Cluster, use: Use, uses: readonly Use[]): readonly Finding[] {
  const { workload, address: found } = use;
  const service = serviceNamed(cluster, workload.namespace, found.host);
  const [name = ""] = found.host.split(".");
  const isOurs =
    isLocal(found.host) && cluster.object("Service", workload.namespace, name) !== undefined;
  const isElsewhere =
    found.host.includes(".") && service === undefined && !isLocalName(found.host) && !isOurs;
  const ports = service === undefined ? [] : objectsAt(service.spec, "ports").map(portText);
  const isServed = ports.includes(found.port) || (found.port === "" && service !== undefined);
  if (isElsewhere || isServed) return [];
  // What is deployed and has no service is not looked for under a wrong name.
  if (service === undefined && !isOurs && isDeployed(cluster, workload, found.host)) return [];
  if (service !== undefined && isServiceWrong(cluster, found, service, uses))
    return misplaced(cluster, found, service, ports);
  const weight = weightOf(cluster, workload, found, service);
  if (weight === undefined) return [];
  const because =
    service === undefined
      ? `there is no service ${found.host}${nearest(cluster, workload, found.host)}`
      : `service ${service.name} has port ${ports.join(", ")}`;
  const says = `${found.path} of ${workload.name} is ${found.value}, and ${because}. Correct the address.`;
  return [
    findingOf({
      node: workload.node,
      kind: "routing.address",
      weight,
      says,
      origin: found.origin,
    }),
  ];
}

const isDeployed = (cluster: Cluster, { namespace }: Workload, name: string): boolean =>
  cluster.workloads.some((each) => each.namespace === namespace && each.name === name);

/** Whoever uses a service agrees on a port that it does not have: with each other, or with what its pods listen on. */
function isServiceWrong(
  cluster: Cluster,
  { host: name, port }: Address,
  service: KubernetesObject,
  uses: readonly Use[],
): boolean {
  const others = uses.filter(
    ({ workload, address: each }) =>
      serviceNamed(cluster, workload.namespace, each.host) === service && each.port !== "",
  );
  if (others.some((each) => each.address.port !== port)) return false;
  const owner = behind(cluster, service.namespace, name);
  const listens = owner === undefined ? [] : containersOf(owner.template).flatMap(listenedOn);
  return new Set(others.map(({ workload }) => workload)).size > 1 || listens.includes(port);
}

const listenedOn = (container: JsonObject): readonly string[] =>
  objectsAt(container, "ports").map((port) => textAt(port, "containerPort"));

function misplaced(
  cluster: Cluster,
  { host: name, port }: Address,
  service: KubernetesObject,
  ports: readonly string[],
): readonly Finding[] {
  const owner = behind(cluster, service.namespace, name);
  if (owner === undefined) return [];
  const isFailing = cluster
    .conditions(cluster.serviceOf(owner) ?? owner.node)
    .some(({ name: probe, status }) => probe === "Reachable" && status === "false");
  const isHit = isFailing || isComplainedAbout(cluster, cluster.serviceOf(owner));
  const says = `service ${service.name}: spec.ports[].port is ${ports.join(", ")}, and all who use it look for it at ${port}. Give it that port.`;
  const { origin } = service;
  return [
    findingOf({
      node: owner.node,
      kind: "routing.port",
      weight: isHit ? certain : strong,
      says,
      origin,
    }),
  ];
}

const portText = (port: JsonObject): string => textAt(port, "port");
const isLocalName = (host: string): boolean => /\.svc(?:\.|$)/.test(host);

/** `name`, `name.namespace` or `name.namespace.svc…`: what stands behind the first dot of a local name is a namespace. */
function serviceNamed(
  cluster: Cluster,
  namespace: string,
  host: string,
): KubernetesObject | undefined {
  const [name = "", other = namespace] = host.split(".");
  const there = cluster.object("Service", other, name);
  return there ?? (isLocal(host) ? undefined : cluster.object("Service", namespace, name));
}

const isLocal = (host: string): boolean => host.split(".").length === 2 || isLocalName(host);

/**
 * An address that nobody uses may always have been wrong. That its log names it, or that it is known to call what stands
 * there (or something of nearly that name), shows that it is used.
 */
function weightOf(
  cluster: Cluster,
  workload: Workload,
  { host: name, port }: Address,
  service: KubernetesObject | undefined,
): number | undefined {
  const logs = cluster.logs(workload);
  if (logs.some(({ example }) => port !== "" && example.includes(`${name}:${port}`)))
    return certain;
  const callees = cluster
    .callees(cluster.serviceOf(workload))
    .map((callee) => splitNodeId(callee)?.name ?? "");
  const close = service?.name ?? closest(name.split(".")[0] ?? "", callees);
  if (close === undefined || !callees.includes(close)) {
    const mentions = logs.some(({ example }) => example.includes(name));
    return mentions ? strong : undefined;
  }
  const isFailing = cluster
    .conditions(nodeId("service", close))
    .some(({ name, status }) => name === "Reachable" && status === "false");
  return isFailing ? strong - 1 : strong;
}

function nearest(cluster: Cluster, workload: Workload, host: string): string {
  const names = cluster
    .objects("Service")
    .filter(({ namespace }) => namespace === workload.namespace)
    .map(({ name }) => name);
  const name = closest(host.split(".")[0] ?? "", names);
  return name === undefined ? "" : ` (but ${name})`;
}

/** The name at most a third of whose letters would have to change. */
function closest(text: string, names: readonly string[]): string | undefined {
  const ranked = names
    .map((name) => ({ name, distance: editDistance(text, name) }))
    .sort((a, b) => a.distance - b.distance || (a.name < b.name ? -1 : 1));
  const [best] = ranked;
  return best !== undefined && best.distance <= text.length / 3 ? best.name : undefined;
}

/** Levenshtein's distance. */
export function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const change = (row[j - 1] ?? 0) + Number(a[i - 1] !== b[j - 1]);
      next.push(Math.min(change, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
