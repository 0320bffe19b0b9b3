/**
 * Backstage's catalogue (`catalog-info.yaml`, backstage.io/docs/features/software-catalog/descriptor-format): what is
 * declared to depend on what. A component that consumes an API is declared to call whoever provides it.
 */
import { err, type JsonObject, ok, type Result } from "../../kernel/index.ts";
import type { NodeId, NodeKind } from "../../model/index.ts";
import { objectAt, textAt, textsAt } from "./members.ts";
import {
  named,
  nameOf,
  type Source,
  type SourceDocument,
  type SourceFault,
  Teller,
  type Told,
} from "./source.ts";

const entityName = /^[a-zA-Z0-9](?:[-_.a-zA-Z0-9]{0,61}[a-zA-Z0-9])?$/;

export const backstage: Source = {
  name: "backstage",
  version: 1,
  gathers: true,
  reads: ({ value }) => (textAt(value, "apiVersion") ?? "").startsWith("backstage.io/"),
  tell: (documents): Result<Told, SourceFault> => {
    const teller = new Teller("backstage");
    const known = { providers: providersOf(documents), nodes: nodesOf(documents) };
    for (const document of documents) {
      const fault = tellEntity(teller, document, known);
      if (fault !== undefined) return err({ reference: document.reference, ...fault });
    }
    return ok(teller.told);
  },
};

/** By full name: the components that provide an API, and what an entity is. */
interface Known {
  readonly providers: ReadonlyMap<string, readonly NodeId[]>;
  readonly nodes: ReadonlyMap<string, NodeId>;
}

function nodesOf(documents: readonly SourceDocument[]): Known["nodes"] {
  return new Map(
    documents.flatMap(({ value }) => {
      const node = nodeOf(value);
      const name = textAt(value, "metadata", "name") ?? "";
      const kind = textAt(value, "kind") ?? "";
      return node === undefined ? [] : [[fullName(name, kind, value), node] as const];
    }),
  );
}

function providersOf(documents: readonly SourceDocument[]): Known["providers"] {
  const providers = new Map<string, NodeId[]>();
  for (const { value } of documents) {
    const component = nodeOf(value);
    if (component === undefined) continue;
    for (const reference of textsAt(value, "spec", "providesApis")) {
      const name = fullName(reference, "api", value);
      providers.set(name, [...(providers.get(name) ?? []), component]);
    }
  }
  return providers;
}

function tellEntity(
  teller: Teller,
  { value, reference, receivedAt }: SourceDocument,
  { providers, nodes }: Known,
): Pick<SourceFault, "path" | "message"> | undefined {
  const kind = textAt(value, "kind");
  const name = textAt(value, "metadata", "name");
  if (kind === undefined) return { path: "kind", message: "an entity has a kind" };
  if (name === undefined || !entityName.test(name))
    return {
      path: "metadata.name",
      message: "an entity has a name of letters, digits, -, _ and ., 63 at most",
    };
  const node = nodeOf(value);
  if (node === undefined) return undefined;
  const where = `${reference} ${kind} ${name}`;
  teller.tell(where, receivedAt, {
    ...{ type: "node", at: receivedAt, node, aspect: "contract" },
    value: {
      kind,
      ...objectAt(value, "spec"),
      annotations: objectAt(value, "metadata", "annotations"),
      tags: textsAt(value, "metadata", "tags"),
    },
  });
  const declare = (to: NodeId, edge: "calls" | "depends_on"): void =>
    teller.tell(where, receivedAt, {
      ...{ type: "edge", at: receivedAt, from: node, to, kind: edge, basis: "declared" },
    });
  for (const api of textsAt(value, "spec", "consumesApis")) {
    const called = providers.get(fullName(api, "api", value)) ?? [];
    for (const provider of called) if (provider !== node) declare(provider, "calls");
    if (called.length === 0)
      teller.note(where, `nobody here provides the API ${nameOf(api)}; who is called is not known`);
  }
  for (const other of textsAt(value, "spec", "dependsOn"))
    declare(
      nodes.get(fullName(other, "component", value)) ?? referredTo(other, value),
      "depends_on",
    );
  return undefined;
}

const kinds: Readonly<Record<string, NodeKind>> = { component: "service", resource: "object" };
const resources: Readonly<Record<string, NodeKind>> = {
  database: "database",
  queue: "queue",
  topic: "queue",
  "message-queue": "queue",
  configuration: "config",
  "feature-flag": "flag",
  provider: "external",
};

/** Components and resources are in production; systems, groups and APIs are only talk of it. */
function nodeOf(value: JsonObject): NodeId | undefined {
  const name = textAt(value, "metadata", "name") ?? "";
  const kind = (textAt(value, "kind") ?? "").toLowerCase();
  if (kind === "resource")
    return named(resources[textAt(value, "spec", "type") ?? ""] ?? "object", name);
  return kinds[kind] === undefined ? undefined : named(kinds[kind], name);
}

/** `[kind:][namespace/]name`, the rest as where it stands; namespaces only tell entities of one name apart. */
function fullName(reference: string, kind: string, where: JsonObject): string {
  const [, ofKind = kind, namespace, name = reference] =
    /^(?:([^:/]+):)?(?:([^:/]+)\/)?([^:/]+)$/.exec(reference) ?? [];
  const own = textAt(where, "metadata", "namespace") ?? "default";
  return `${ofKind}:${namespace ?? own}/${name}`.toLowerCase();
}

function referredTo(reference: string, where: JsonObject): NodeId {
  const [kind = "", path = ""] = fullName(reference, "component", where).split(":");
  const name = reference.split(/[:/]/).at(-1) ?? path;
  return named(kinds[kind] ?? "service", name);
}
