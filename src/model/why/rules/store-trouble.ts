/** What clients say of a database that is true of the database: that it has no connection left, that it takes no writes. */
import type { CauseKind } from "../../cause-kind.ts";
import type { LogTemplate } from "../../event.ts";
import type { Finding } from "../finding.ts";
import { type Cluster, containersOf, healthOf, type Workload } from "./cluster.ts";
import { variables } from "./connection-settings.ts";
import { certain, findingOf, likely, strong, weak } from "./finding-of.ts";
import { textAt, textsAt } from "./json-path.ts";
import { makeOf, storesOf, usedBy } from "./store.ts";
import { linesOf, makeSaid, quoted, type Refusal } from "./store-words.ts";

interface Trouble {
  readonly refusal: Refusal;
  readonly kind: CauseKind;
  readonly what: string;
  /** A setting that makes it so, in arguments, variables or files. */
  readonly setting: RegExp;
  /** What one client that runs is worth: no database says that it is read only by the way. */
  readonly leastNats: number;
}

const troubles: readonly Trouble[] = [
  {
    refusal: "full",
    kind: "database.connections",
    what: "has no connection left",
    setting: /max[-_](?:user[-_])?(?:connections|clients)\W+\d{1,2}\b/i,
    leastNats: weak,
  },
  {
    refusal: "read_only",
    kind: "database.read_only",
    what: "takes no writes",
    setting: /read[-_]only(?:\W+(?:1|on|true)\b|\s*$)|\breplicaof\W|\bslaveof\W/im,
    leastNats: strong,
  },
];

export function storeTrouble(cluster: Cluster): readonly Finding[] {
  return troubles.flatMap((trouble) => troubled(cluster, trouble));
}

interface Complaint {
  readonly workload: Workload;
  readonly line: LogTemplate;
}

function troubled(cluster: Cluster, trouble: Trouble): readonly Finding[] {
  const complaints = cluster.workloads.flatMap((workload): readonly Complaint[] => {
    const [line] = linesOf(cluster, workload, trouble.refusal);
    return line === undefined ? [] : [{ workload, line }];
  });
  const stores = storesOf(cluster);
  const own = complaints.filter(({ workload }) => stores.has(workload));
  const clients = complaints.filter((each) => !own.includes(each));
  const [first] = [...clients, ...own];
  if (first === undefined) return [];
  const accused = blamed(cluster, clients) ?? own[0]?.workload;
  const names = clients.map(({ workload }) => workload.name);
  const said = `"${quoted(first.line, trouble.refusal)}"`;
  const { kind, what } = trouble;
  const { origin } = first.line;
  if (accused === undefined)
    return [
      findingOf({
        node: first.workload.node,
        kind,
        weight: weak,
        says: `a database of ${names.join(", ")}, which is not known here, ${what}: ${said}.`,
        origin,
      }),
    ];
  const set = settingOf(cluster, accused, trouble.setting);
  const because = set === undefined ? "" : `; it is set so: ${set}`;
  return [
    findingOf({
      node: accused.node,
      kind,
      weight: set === undefined ? weightOf(cluster, clients, trouble) : certain,
      says: `${accused.name} ${what}: ${clients.length} clients say so (${names.slice(0, 5).join(", ")}): ${said}${because}.`,
      origin,
    }),
  ];
}

function weightOf(cluster: Cluster, clients: readonly Complaint[], { leastNats }: Trouble): number {
  const unready = clients.filter(({ workload }) => !healthOf(cluster, workload).isReady).length;
  if (unready >= 2) return certain;
  const several = unready === 1 || clients.length >= 2 ? strong : weak;
  return Math.max(several, leastNats);
}

/** What most of the complaining clients use, of the make that their words are of; what is used by fewest others, of several. */
function blamed(cluster: Cluster, clients: readonly Complaint[]): Workload | undefined {
  const votes = new Map<Workload, number>();
  const all = storesOf(cluster);
  for (const { workload, line } of clients) {
    const stores = usedBy(cluster, workload).filter((each) => all.has(each));
    const make = makeSaid(line.example);
    const same = stores.filter((each) => makeOf(each) === make);
    for (const store of same.length > 0 ? same : stores)
      votes.set(store, (votes.get(store) ?? 0) + 1);
  }
  return [...votes].sort(([a, x], [b, y]) => y - x || (a.name < b.name ? -1 : 1))[0]?.[0];
}

function settingOf(cluster: Cluster, store: Workload, pattern: RegExp): string | undefined {
  const texts = [
    ...containersOf(store.template).flatMap((container) =>
      [...textsAt(container, "command"), ...textsAt(container, "args")].map(
        (text) => [`arguments of ${textAt(container, "name")}`, text] as const,
      ),
    ),
    ...variables(cluster, store).map(
      ({ path, name, value }) => [path, `${name}=${value}`] as const,
    ),
  ];
  const [path, text] = texts.find(([, each]) => pattern.test(each)) ?? [];
  return text === undefined ? undefined : `${path} has "${pattern.exec(text)?.[0].trim()}"`;
}

/** Refused by a database, without a setting to compare: its own log says so, and it does not run. */
export function refusedBare(cluster: Cluster): readonly Finding[] {
  const stores = storesOf(cluster);
  return cluster.workloads.flatMap((workload) => {
    if (healthOf(cluster, workload).isReady || stores.has(workload)) return [];
    const [line] = linesOf(cluster, workload, "credentials");
    if (line === undefined) return [];
    const says = `${workload.name} does not run, and its log has "${quoted(line, "credentials")}". Give it the database's credentials.`;
    const { node } = workload;
    return [
      findingOf({ node, kind: "database.credentials", weight: likely, says, origin: line.origin }),
    ];
  });
}
