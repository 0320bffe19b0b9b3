/** Addresses of others in a workload's environment that are nobody's. */
import type { JsonObject } from "../../../kernel/index.ts";
import { nodeId, splitNodeId } from "../../graph-words.ts";
import type { Finding } from "../finding.ts";
import { type Cluster, containersOf, type KubernetesObject, type Workload } from "./cluster.ts";
import { certain, findingOf, strong } from "./finding-of.ts";
import { objectsAt, textAt } from "./json-path.ts";

interface Address {
  readonly variable: string;
  readonly value: string;
  readonly host: string;
  readonly port: string;
}

/** `host:port`, with a scheme, a user or a path around it or not. */
const pattern =
  /^(?:[a-z][a-z0-9+.-]*:\/\/)?(?:[^@/\s]*@)?([a-z](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9-]+)*):(\d{1,5})(?:[/?].*)?$/i;

export function address(cluster: Cluster): readonly Finding[] {
  return cluster.workloads.flatMap((workload) =>
    containersOf(workload.template)
      .flatMap((container) => objectsAt(container, "env"))
      .flatMap(addressOf)
      .flatMap((each) => wrong(cluster, workload, each)),
  );
}

function addressOf(variable: JsonObject): readonly Address[] {
  const value = textAt(variable, "value");
  const match = pattern.exec(value);
  if (match === null) return [];
  const [, host = "", port = ""] = match;
  return [{ variable: textAt(variable, "name"), value, host, port }];
}

function wrong(cluster: Cluster, workload: Workload, found: Address): readonly Finding[] {
  const service = serviceNamed(cluster, workload.namespace, found.host);
  const isElsewhere = found.host.includes(".") && service === undefined && !isLocalName(found.host);
  const ports = service === undefined ? [] : objectsAt(service.spec, "ports").map(portText);
  if (isElsewhere || ports.includes(found.port)) return [];
  const weight = weightOf(cluster, workload, found, service);
  if (weight === undefined) return [];
  const because =
    service === undefined
      ? `there is no service ${found.host}${nearest(cluster, workload, found.host)}`
      : `service ${service.name} has port ${ports.join(", ")}`;
  const says = `env ${found.variable} of ${workload.name} is ${found.value}, and ${because}. Correct the address.`;
  return [
    findingOf({
      node: workload.node,
      kind: "routing.address",
      weight,
      says,
      origin: workload.origin,
    }),
  ];
}

const portText = (port: JsonObject): string => textAt(port, "port");
const isLocalName = (host: string): boolean => /\.svc(?:\.|$)/.test(host);

function serviceNamed(
  cluster: Cluster,
  namespace: string,
  host: string,
): KubernetesObject | undefined {
  const [name = "", other = namespace] = host.split(".");
  return cluster.object("Service", other, name) ?? cluster.object("Service", namespace, name);
}

/**
 * An address that nobody uses may always have been wrong. That its log names it, or that it is known to call what stands
 * there (or something of nearly that name), shows that it is used.
 */
function weightOf(
  cluster: Cluster,
  workload: Workload,
  { host, port }: Address,
  service: KubernetesObject | undefined,
): number | undefined {
  const logs = cluster.logs(workload);
  if (logs.some(({ example }) => example.includes(`${host}:${port}`))) return certain;
  const callees = cluster
    .callees(cluster.serviceOf(workload))
    .map((callee) => splitNodeId(callee)?.name ?? "");
  const close = service?.name ?? closest(host, callees);
  if (close === undefined || !callees.includes(close)) {
    const mentions = logs.some(({ example }) => example.includes(host));
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
