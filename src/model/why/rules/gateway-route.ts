/** Routes of a gateway that lead to another service than their path spells. */
import type { JsonObject } from "../../../kernel/index.ts";
import { isJsonObject } from "../../../kernel/index.ts";
import type { Origin } from "../../event.ts";
import type { Finding } from "../finding.ts";
import { editDistance } from "./address.ts";
import type { Cluster, KubernetesObject, Workload } from "./cluster.ts";
import { certain, findingOf, likely, strong, weak } from "./finding-of.ts";
import { objectsAt, textAt } from "./json-path.ts";

interface Route {
  readonly path: string;
  readonly target: string;
}

interface Table {
  readonly name: string;
  readonly namespace: string;
  readonly origin: Origin;
  readonly routes: readonly Route[];
}

/** Where most routes of a table spell their service, one that spells another is wrong. */
const spelledShareMin = 0.5;
const routesMin = 3;

export function gatewayRoute(cluster: Cluster): readonly Finding[] {
  return tables(cluster).flatMap((table) => {
    const judged = table.routes.map((route) => ({
      route,
      meant: spelled(cluster, table.namespace, route.path),
    }));
    const known = judged.filter(({ meant }) => meant !== undefined);
    const right = known.filter(({ route, meant }) => meant?.name === route.target);
    if (known.length < routesMin || right.length < known.length * spelledShareMin) return [];
    const unspelled = judged.filter(({ meant }) => meant === undefined);
    return [
      ...known.flatMap(({ route, meant }) =>
        meant === undefined || meant.name === route.target
          ? []
          : wrong(cluster, table, route, meant),
      ),
      ...unspelled.flatMap(({ route }) => misspelt(cluster, table, route)),
    ];
  });
}

function wrong(cluster: Cluster, table: Table, route: Route, meant: Workload): readonly Finding[] {
  const leadsSomewhere = cluster.workloads.some(
    ({ name, namespace }) => name === route.target && namespace === table.namespace,
  );
  const prefix = route.path.replace(/[*{].*$/, "").replace(/\/$/, "");
  const isAlerting = cluster
    .alerts(cluster.serviceOf(meant))
    .some(({ operation }) => prefix !== "" && operation?.includes(prefix));
  const says = `${table.name}: path ${route.path} leads to ${route.target}; the other paths lead to the service that they spell, and this one spells ${meant.name}. Lead it there.`;
  return [
    findingOf({
      node: meant.node,
      kind: "routing.gateway",
      weight: isAlerting ? certain : leadsSomewhere ? strong : likely,
      says,
      origin: table.origin,
    }),
  ];
}

/** Of what all other paths spell, this one misses a letter or two: nobody asks for it. */
function misspelt(cluster: Cluster, table: Table, route: Route): readonly Finding[] {
  const target = cluster.workloads.find(
    ({ name, namespace }) => name === route.target && namespace === table.namespace,
  );
  if (target === undefined) return [];
  const parts = partsOf(route.path);
  const near = tailsOf(target.name)
    .slice(0, 2)
    .find((tail) => parts.some((part) => isMisspelt(part, tail)));
  if (near === undefined) return [];
  const says = `${table.name}: path ${route.path} leads to ${route.target}, and does not spell it as the other paths spell theirs. Correct the path.`;
  const { node } = target;
  return [
    findingOf({
      node,
      kind: "routing.gateway",
      weight: notFound(cluster, target) ? likely : weak,
      says,
      origin: table.origin,
    }),
  ];
}

/** Singular and plural are both in use. */
const isMisspelt = (part: string, tail: string): boolean =>
  part.replace(/s(?=service|$)/, "") !== tail.replace(/s(?=service|$)/, "") &&
  editDistance(part, tail) <= Math.min(2, tail.length / 4);

/** Somebody gets 404 for what is named like it. */
const notFound = (cluster: Cluster, { name }: Workload): boolean =>
  cluster.workloads
    .flatMap((each) => cluster.logs(each))
    .some(
      ({ example }) =>
        /\b404\b|not found/i.test(example) &&
        tailsOf(name)
          .slice(0, 2)
          .some((tail) => tail.length > 3 && squashed(example).includes(tail)),
    );

/** The workload of the namespace whose name, or its last words, one part of the path is. */
function spelled(cluster: Cluster, inNamespace: string, path: string): Workload | undefined {
  const parts = partsOf(path);
  const fits = cluster.workloads.filter(
    ({ name, namespace }) =>
      namespace === inNamespace && parts.some((part) => tailsOf(name).slice(0, 2).includes(part)),
  );
  return fits.length === 1 ? fits[0] : undefined;
}

const partsOf = (path: string): readonly string[] =>
  path
    .split("/")
    .map(squashed)
    .filter((part) => part.length > 2);

function tailsOf(name: string): readonly string[] {
  const words = name.split(/[^a-zA-Z0-9]+/);
  return words.map((_, i) => squashed(words.slice(i).join("")));
}

const squashed = (text: string): string => text.toLowerCase().replace(/[^a-z0-9]/g, "");

function tables(cluster: Cluster): readonly Table[] {
  const named = (object: KubernetesObject, routes: readonly Route[]): Table => ({
    name: `${object.kind} ${object.name}`,
    namespace: object.namespace,
    origin: object.origin,
    routes,
  });
  return [
    ...cluster.objects("ConfigMap").map((object) => named(object, writtenRoutes(object.data))),
    ...cluster.objects("Ingress").map((object) => named(object, ingressRoutes(object.spec))),
    ...cluster.objects("HTTPRoute").map((object) => named(object, httpRoutes(object.spec))),
    ...cluster.objects("VirtualService").map((object) => named(object, virtualRoutes(object.spec))),
  ].filter(({ routes }) => routes.length > 0);
}

/** Spring Cloud Gateway, nginx and Envoy write path and target near each other; which comes first differs. */
function writtenRoutes(data: JsonObject): readonly Route[] {
  return Object.values(data)
    .filter((value) => typeof value === "string")
    .flatMap((text) => [...springRoutes(text), ...nginxRoutes(text)]);
}

function springRoutes(text: string): readonly Route[] {
  return text
    .split(/^\s*- id:/m)
    .slice(1)
    .flatMap((item) => {
      const uri = /^\s*uri:\s*['"]?(?:lb|https?|wss?):(?:\w+:)?\/\/(\S+?)['"]?\s*$/m.exec(
        item,
      )?.[1];
      const path = /Path=([^\s,'"]+)/.exec(item)?.[1];
      return uri === undefined || path === undefined ? [] : [{ path, target: hostOf(uri) }];
    });
}

/** `${NAME:default}:port/…`: what stands behind the colon is used where nobody set the name. */
function hostOf(uri: string): string {
  const host = uri.replace(/\$\{[^:}]*:([^}]*)\}/g, "$1");
  return host.split(/[:/]/)[0]?.split(".")[0] ?? "";
}

function nginxRoutes(text: string): readonly Route[] {
  const blocks = text.matchAll(
    /location\s+(?:[~^=*]+\s+)?(\/\S*)\s*\{[^{}]*?proxy_pass\s+https?:\/\/([\w.-]+)/g,
  );
  return [...blocks].map(([, path = "", host = ""]) => ({ path, target: hostOf(host) }));
}

function ingressRoutes(spec: JsonObject): readonly Route[] {
  return objectsAt(spec, "rules")
    .flatMap((rule) => objectsAt(rule, "http", "paths"))
    .map((path) => ({
      path: textAt(path, "path"),
      target: textAt(path, "backend", "service", "name"),
    }));
}

function httpRoutes(spec: JsonObject): readonly Route[] {
  return objectsAt(spec, "rules").flatMap((rule) =>
    objectsAt(rule, "matches").map((match) => ({
      path: textAt(match, "path", "value"),
      target: textAt(objectsAt(rule, "backendRefs")[0] ?? {}, "name"),
    })),
  );
}

function virtualRoutes(spec: JsonObject): readonly Route[] {
  return objectsAt(spec, "http").flatMap((rule) =>
    objectsAt(rule, "match").map((match) => {
      const uri = match["uri"];
      const path = isJsonObject(uri) ? String(Object.values(uri)[0] ?? "") : "";
      const host = textAt(objectsAt(rule, "route")[0] ?? {}, "destination", "host");
      return { path, target: hostOf(host) };
    }),
  );
}
