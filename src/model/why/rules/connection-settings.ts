/** What a workload is told of its database: `…HOST`, `…PORT`, `…USER`, `…PASSWORD`, in its environment or in a secret. */
import type { JsonObject } from "../../../kernel/index.ts";
import type { Origin } from "../../event.ts";
import { type Cluster, containersOf, type Workload } from "./cluster.ts";
import { at, objectAt, objectsAt, textAt } from "./json-path.ts";

type Part = "host" | "port" | "user" | "password";

export interface Setting {
  readonly part: Part;
  /** Where it is written, for people. */
  readonly path: string;
  readonly value: string;
  readonly origin: Origin;
}

export interface Connection {
  readonly workload: Workload;
  readonly settings: Readonly<Partial<Record<Part, Setting>>>;
}

const parts: readonly (readonly [Part, RegExp])[] = [
  ["host", /(?:^|_)HOST(?:NAME)?$/i],
  ["port", /(?:^|_)PORT$/i],
  ["user", /(?:^|_)USER(?:NAME)?$/i],
  ["password", /(?:^|_)(?:PASSWORD|PASSWD|PASS|PWD)$/i],
];

/** A host and a port or a password by names that differ in the end only belong to one connection. */
export function connections(cluster: Cluster): readonly Connection[] {
  return cluster.workloads.flatMap((workload) => {
    const byPrefix = new Map<string, Partial<Record<Part, Setting>>>();
    for (const { name, ...setting } of variables(cluster, workload))
      for (const [part, pattern] of parts) {
        if (!pattern.test(name)) continue;
        const prefix = name.replace(pattern, "");
        byPrefix.set(prefix, { ...byPrefix.get(prefix), [part]: { part, ...setting } });
      }
    return [...byPrefix.values()]
      .filter(({ host, port, password }) => host !== undefined && (port ?? password) !== undefined)
      .map((settings) => ({ workload, settings }));
  });
}

export interface Variable {
  readonly name: string;
  readonly path: string;
  readonly value: string;
  readonly origin: Origin;
}

/** Every variable of its containers whose value is known, also out of secrets and config maps. */
export function variables(cluster: Cluster, workload: Workload): readonly Variable[] {
  return containersOf(workload.template).flatMap((container) => [
    ...objectsAt(container, "envFrom").flatMap((source) => [
      ...dataOf(cluster, workload, "Secret", textAt(source, "secretRef", "name")),
      ...dataOf(cluster, workload, "ConfigMap", textAt(source, "configMapRef", "name")),
    ]),
    ...objectsAt(container, "env").flatMap((variable) => own(cluster, workload, variable)),
  ]);
}

const sources = [
  ["secretKeyRef", "Secret"],
  ["configMapKeyRef", "ConfigMap"],
] as const;

function own(cluster: Cluster, workload: Workload, variable: JsonObject): readonly Variable[] {
  const name = textAt(variable, "name");
  const value = textAt(variable, "value");
  if (value !== "") return [{ name, value, path: `env ${name}`, origin: workload.origin }];
  return sources.flatMap(([field, kind]) => {
    const reference = objectAt(variable, "valueFrom", field);
    const key = textAt(reference, "key");
    return dataOf(cluster, workload, kind, textAt(reference, "name"))
      .filter((each) => each.name === key)
      .map((each) => ({ ...each, name }));
  });
}

function dataOf(
  cluster: Cluster,
  { namespace }: Workload,
  kind: "Secret" | "ConfigMap",
  name: string,
): readonly Variable[] {
  const object = name === "" ? undefined : cluster.object(kind, namespace, name);
  if (object === undefined) return [];
  return Object.keys(object.data).map((key) => ({
    name: key,
    path: `${kind} ${name}, data.${key}`,
    value: String(at(object.data, key)),
    origin: object.origin,
  }));
}
