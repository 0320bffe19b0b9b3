/** Databases that refuse, and workloads that look for them wrongly. */
import type { CauseKind } from "../../cause-kind.ts";
import type { LogTemplate } from "../../event.ts";
import type { Finding } from "../finding.ts";
import { type Cluster, healthOf, matchesLabels, type Workload } from "./cluster.ts";
import { type Connection, connections, type Setting } from "./connection-settings.ts";
import { certain, findingOf, likely, strong, weak } from "./finding-of.ts";
import { objectAt, objectsAt, textAt } from "./json-path.ts";

/** In the words of MySQL, PostgreSQL, MongoDB, Redis and SQL Server. */
const says = {
  refused:
    /access denied for user|password authentication failed|authentication failed|invalid password|WRONGPASS|NOAUTH|login failed for user|auth(?:entication)? error/i,
  unreachable:
    /communications link failure|connection refused|could not connect to server|connect timed out|connection attempt failed|no route to host|can't connect to mysql/i,
  full: /too many connections|too many clients|remaining connection slots|max(?:imum)? number of clients|connection limit exceeded|max_connections/i,
  readOnly:
    /read-only (?:option|mode|transaction|replica)|super-read-only|in a read-only|database is read.?only|READONLY You can't write|server is running with the --read-only|not (?:primary|master)|\b1290\b.*read.?only/i,
} as const;

export function database(cluster: Cluster): readonly Finding[] {
  const all = connections(cluster);
  return [
    ...all.flatMap((connection) => misconfigured(cluster, all, connection)),
    ...cluster.workloads.flatMap((workload) => refusedBare(cluster, all, workload)),
    ...troubled(cluster, all, "database.connections", says.full, "has no connection left"),
    ...troubled(cluster, all, "database.read_only", says.readOnly, "takes no writes"),
  ];
}

const linesOf = (cluster: Cluster, workload: Workload, pattern: RegExp): readonly LogTemplate[] =>
  cluster.logs(workload).filter(({ example }) => pattern.test(example));

/** A workload in trouble whose settings differ from those of all who use the same database. */
function misconfigured(
  cluster: Cluster,
  all: readonly Connection[],
  { workload, settings }: Connection,
): readonly Finding[] {
  if (healthOf(cluster, workload).isReady) return [];
  const peers = all.filter(
    (peer) => peer.workload !== workload && peer.settings.host?.value === settings.host?.value,
  );
  const odd = (setting: Setting | undefined): string | undefined =>
    setting === undefined ? undefined : oddAgainst(setting, peers, cluster, workload);
  const refusal = linesOf(cluster, workload, says.refused)[0];
  const failure = linesOf(cluster, workload, says.unreachable)[0];
  const secretive = [settings.password, settings.user].find((each) => odd(each) !== undefined);
  const port = odd(settings.port);
  const found: Finding[] = [];
  if (secretive !== undefined)
    found.push(
      told(
        workload,
        "database.credentials",
        refusal === undefined ? strong : certain,
        secretive,
        `is not what its ${peers.length} peers use`,
        refusal,
      ),
    );
  if (settings.port !== undefined && port !== undefined)
    found.push(
      told(
        workload,
        "database.port",
        failure === undefined ? strong : certain,
        settings.port,
        port,
        failure,
      ),
    );
  return found;
}

function told(
  workload: Workload,
  kind: CauseKind,
  weight: number,
  setting: Setting,
  because: string,
  line: LogTemplate | undefined,
): Finding {
  const shown = setting.part === "password" ? "" : ` (${setting.value})`;
  const log =
    line === undefined
      ? ""
      : `; its log has "${excerpt(line, /denied|failed|failure|refused|timed out/i)}"`;
  return findingOf({
    node: workload.node,
    kind,
    weight,
    says: `${setting.path}${shown} of ${workload.name} ${because}${log}. Correct it.`,
    origin: setting.origin,
  });
}

/** Why a value is odd: most peers agree on another, or the service of that name has no such port. */
function oddAgainst(
  { part, value }: Setting,
  peers: readonly Connection[],
  cluster: Cluster,
  workload: Workload,
): string | undefined {
  const host = peers.length === 0 ? undefined : peers[0]?.settings.host?.value;
  const values = peers.flatMap(({ settings }) => settings[part]?.value ?? []);
  const other = values.filter((each) => each === mode(values)).length;
  const agreed = mode(values);
  if (agreed !== undefined && agreed !== value && other * 2 > values.length && values.length > 1)
    return part === "port"
      ? `is not ${agreed}, as ${other} peers have it for ${host}`
      : `differs from that of ${other} peers`;
  if (part !== "port") return undefined;
  const service = cluster.object("Service", workload.namespace, host ?? "");
  const ports = service === undefined ? [] : objectsAt(service.spec, "ports");
  const has = ports.map((each) => textAt(each, "port"));
  return has.length > 0 && !has.includes(value) ? `is no port of service ${host}` : undefined;
}

function mode(values: readonly string[]): string | undefined {
  const counts = new Map<string, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return [...counts].sort(([a, x], [b, y]) => y - x || (a < b ? -1 : 1))[0]?.[0];
}

/** Refused by a database, without a setting to compare: its own log says so, and it does not run. */
function refusedBare(
  cluster: Cluster,
  all: readonly Connection[],
  workload: Workload,
): readonly Finding[] {
  if (healthOf(cluster, workload).isReady || databases(cluster, all).has(workload)) return [];
  const [line] = linesOf(cluster, workload, says.refused);
  if (line === undefined) return [];
  const text = `${workload.name} does not run, and its log has "${excerpt(line, says.refused)}". Give it the database's credentials.`;
  return [
    findingOf({
      node: workload.node,
      kind: "database.credentials",
      weight: likely,
      says: text,
      origin: line.origin,
    }),
  ];
}

/** What several clients say of one database is true of the database. */
function troubled(
  cluster: Cluster,
  all: readonly Connection[],
  kind: CauseKind,
  pattern: RegExp,
  what: string,
): readonly Finding[] {
  const known = databases(cluster, all);
  const complaints = cluster.workloads.flatMap((workload) => {
    const [line] = linesOf(cluster, workload, pattern);
    return line === undefined ? [] : [{ workload, line }];
  });
  const clients = complaints.filter(({ workload }) => !known.has(workload));
  const own = complaints.filter(({ workload }) => known.has(workload));
  const accused =
    blamed(
      cluster,
      all,
      clients.map(({ workload }) => workload),
    ) ?? own[0]?.workload;
  const [first] = [...clients, ...own];
  if (accused === undefined || first === undefined) return [];
  const unready = clients.filter(({ workload }) => !healthOf(cluster, workload).isReady).length;
  const weight = unready >= 2 ? certain : unready === 1 || clients.length >= 2 ? strong : weak;
  const names = clients
    .map(({ workload }) => workload.name)
    .slice(0, 5)
    .join(", ");
  const text = `${accused.name} ${what}: ${clients.length} clients say so (${names}): "${excerpt(first.line, pattern)}".`;
  return [findingOf({ node: accused.node, kind, weight, says: text, origin: first.line.origin })];
}

/** The database that most of the complaining clients use; where none is known, the one that looks like one. */
function blamed(
  cluster: Cluster,
  all: readonly Connection[],
  clients: readonly Workload[],
): Workload | undefined {
  const used = all
    .filter(({ workload }) => clients.includes(workload))
    .flatMap((connection) => databaseOf(cluster, connection) ?? []);
  const name = mode(used.map(({ name: each }) => each));
  return used.find((each) => each.name === name);
}

function databases(cluster: Cluster, all: readonly Connection[]): ReadonlySet<Workload> {
  return new Set(all.flatMap((connection) => databaseOf(cluster, connection) ?? []));
}

/** The workload behind the host: by the service of that name, or by its own name. */
function databaseOf(cluster: Cluster, { workload, settings }: Connection): Workload | undefined {
  const host = (settings.host?.value ?? "").split(".")[0] ?? "";
  const service = cluster.object("Service", workload.namespace, host);
  const selector = objectAt(service?.spec, "selector");
  return cluster.workloads.find(
    (each) =>
      each.namespace === workload.namespace &&
      (each.name === host ||
        matchesLabels(selector, each.templateLabels) ||
        each.pods.some((pod) => matchesLabels(selector, objectAt(pod.metadata, "labels")))),
  );
}

/** The words around a match. */
export function excerpt({ example }: LogTemplate, pattern: RegExp): string {
  const at = Math.max(0, example.search(pattern));
  return example
    .slice(Math.max(0, at - 40), at + 100)
    .replace(/\s+/g, " ")
    .trim();
}
