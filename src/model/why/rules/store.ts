/** Which workloads keep data, of which make they are, and who uses which. */
import { splitNodeId } from "../../graph-words.ts";
import { type Cluster, containersOf, matchesLabels, type Workload } from "./cluster.ts";
import { connections, variables } from "./connection-settings.ts";
import { objectAt, objectsAt, textAt } from "./json-path.ts";

export type Make = "mysql" | "postgres" | "redis" | "mongo" | "sqlserver" | "search" | "other";

interface Engine {
  readonly make: Make;
  /** The name of its image, or of what is built on it. */
  readonly image: RegExp;
  /** Its port, as registered with IANA. */
  readonly port: string;
}

const engines: readonly Engine[] = [
  { make: "mysql", image: /mysql|mariadb|percona|xenon|tidb/, port: "3306" },
  { make: "postgres", image: /postgres|pgbouncer|patroni|cockroach|timescale|spilo/, port: "5432" },
  { make: "redis", image: /redis|valkey|keydb|dragonfly/, port: "6379" },
  { make: "mongo", image: /mongo/, port: "27017" },
  { make: "sqlserver", image: /mssql|sqlserver|azure-sql/, port: "1433" },
  { make: "search", image: /elasticsearch|opensearch/, port: "9200" },
  { make: "other", image: /cassandra|scylla|oracle|influxdb|etcd|clickhouse/, port: "9042" },
];

/** Absent: it keeps no data, as far as its image and its ports tell. */
export function makeOf({ template }: Workload): Make | undefined {
  const containers = containersOf(template);
  const images = containers.map((each) => textAt(each, "image").split("/").at(-1) ?? "");
  const ports = containers
    .flatMap((each) => objectsAt(each, "ports"))
    .map((port) => textAt(port, "containerPort"));
  return (
    engines.find(({ image }) => images.some((name) => image.test(name) && !/export/.test(name))) ??
    engines.find(({ port }) => ports.includes(port))
  )?.make;
}

/** What is of a known make, and what others are given a host with a port or a password for. */
export function storesOf(cluster: Cluster): ReadonlySet<Workload> {
  const told = connections(cluster).flatMap(
    ({ workload, settings }) =>
      behind(cluster, workload.namespace, settings.host?.value ?? "") ?? [],
  );
  return new Set([...cluster.workloads.filter((each) => makeOf(each) !== undefined), ...told]);
}

/** The workload behind a host: by the service of that name, or by its own name. */
export function behind(cluster: Cluster, namespace: string, host: string): Workload | undefined {
  const [name = "", other = ""] = host.split(".");
  const spaces = [...new Set([other, namespace])];
  const service = spaces
    .map((space) => cluster.object("Service", space, name))
    .find((each) => each !== undefined);
  const home = service?.namespace ?? namespace;
  const selector = objectAt(service?.spec, "selector");
  const here = cluster.workloads.filter((each) => each.namespace === home);
  return (
    here.find(
      (each) =>
        matchesLabels(selector, each.templateLabels) ||
        each.pods.some((pod) => matchesLabels(selector, objectAt(pod.metadata, "labels"))),
    ) ?? here.find((each) => each.name === name)
  );
}

/** A host in a value: behind a scheme, a user or commas, before a port or a path, or the value itself. */
const hosts = /(?:^|[/@,=(])([a-z][a-z0-9-]*(?:\.[a-z0-9-]+)*)(?=$|[:/,;?)\s])/gi;

/** What a workload is told the address of, or is known to call. */
export function usedBy(cluster: Cluster, workload: Workload): readonly Workload[] {
  const told = variables(cluster, workload).flatMap(({ value }) =>
    [...value.matchAll(hosts)].map(([, host = ""]) => host),
  );
  const called = cluster
    .callees(cluster.serviceOf(workload))
    .map((callee) => splitNodeId(callee)?.name ?? "");
  const found = [...told, ...called].flatMap(
    (host) => behind(cluster, workload.namespace, host) ?? [],
  );
  return [...new Set(found)].filter((each) => each !== workload);
}
