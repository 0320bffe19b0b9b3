/** Databases that refuse, and workloads that look for them wrongly: their settings against those of their peers. */
import type { CauseKind } from "../../cause-kind.ts";
import type { LogTemplate } from "../../event.ts";
import type { Finding } from "../finding.ts";
import { type Cluster, healthOf, type Workload } from "./cluster.ts";
import { type Connection, connections, type Setting } from "./connection-settings.ts";
import { certain, findingOf, strong } from "./finding-of.ts";
import { objectsAt, textAt } from "./json-path.ts";
import { refusedBare, storeTrouble } from "./store-trouble.ts";
import { excerpt, linesOf, unreachable } from "./store-words.ts";

export function database(cluster: Cluster): readonly Finding[] {
  const all = connections(cluster);
  return [
    ...all.flatMap((connection) => misconfigured(cluster, all, connection)),
    ...refusedBare(cluster),
    ...storeTrouble(cluster),
  ];
}

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
  const refusal = linesOf(cluster, workload, "credentials")[0];
  const failure = cluster.logs(workload).find(({ example }) => unreachable.test(example));
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
