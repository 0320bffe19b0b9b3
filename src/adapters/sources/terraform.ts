/**
 * `terraform show -json` of a plan or a state (developer.hashicorp.com/terraform/internals/json-format): resources, what they
 * depend on, and what a plan changes. What Terraform marks as sensitive is never told.
 */
import { isJsonArray, isJsonObject, type JsonObject, type JsonValue } from "../../kernel/index.ts";
import type { DiffPart, NodeId, NodeKind } from "../../model/index.ts";
import { at, listAt, objectAt, textAt, textsAt, timeAt } from "./members.ts";
import {
  named,
  nameOf,
  type Source,
  type SourceDocument,
  type SourceFault,
  type Teller,
  tellEach,
  textOf,
} from "./source.ts";

const partsMax = 200;
const hidden = "(sensitive)";
const unknown = "(known after apply)";

/** What a type of resource is in production; the first that fits. */
const kinds: readonly (readonly [RegExp, NodeKind])[] = [
  [
    /_(?:db_instance|rds_cluster|sql_database(?:_instance)?|dynamodb_table|elasticache_\w+|redis_\w+|postgresql_\w+|mysql_\w+|spanner_\w+|cosmosdb_\w+)$/,
    "database",
  ],
  [
    /_(?:sqs_queue|sns_topic|mq_broker|msk_cluster|kinesis_stream|pubsub_\w+|servicebus_\w+|eventhub\w*)$/,
    "queue",
  ],
  [/_(?:instance|virtual_machine|compute_instance)$/, "host"],
  [
    /_(?:lambda_function|ecs_service|cloud_run_service|cloudfunctions\w*|app_service|container_app)$/,
    "service",
  ],
];

export const terraform: Source = {
  name: "terraform",
  version: 2,
  reads: ({ value }) =>
    at(value, "format_version") !== undefined &&
    ["resource_changes", "planned_values", "values"].some((name) => at(value, name) !== undefined),
  tell: tellEach("terraform", tellDocument),
};

function tellDocument(
  teller: Teller,
  document: SourceDocument,
): Pick<SourceFault, "path" | "message"> | undefined {
  const { value, reference, receivedAt } = document;
  if (!/^[01]\./.test(textAt(value, "format_version") ?? ""))
    return {
      path: "format_version",
      message: "only versions 0.x and 1.x of Terraform's JSON are known",
    };
  const when = timeAt(value, "timestamp") ?? receivedAt;
  const isPlan = at(value, "resource_changes") !== undefined;
  // A plan says what will be; only a state says what is.
  const root = isPlan
    ? objectAt(value, "prior_state", "values", "root_module")
    : objectAt(value, "values", "root_module");
  const resources = resourcesOf(root);
  const instances = instancesOf(resources);
  for (const resource of resources) tellResource(teller, reference, when, { resource, instances });
  for (const [index, change] of listAt(value, "resource_changes").entries()) {
    if (textAt(change, "address") === undefined)
      return { path: `resource_changes[${index}].address`, message: "a change has an address" };
    tellChange(teller, reference, when, change);
  }
  return undefined;
}

function resourcesOf(module: JsonObject): readonly JsonObject[] {
  const within = textAt(module, "address") ?? "";
  const own = listAt(module, "resources").map((resource) => ({
    ...objectAt(resource),
    address: wholeAddress(resource, within),
  }));
  const below = listAt(module, "child_modules").flatMap((child) => resourcesOf(objectAt(child)));
  return [...own, ...below];
}

/** Terraform 0.12 leaves the module and the index out of addresses in a state. */
function wholeAddress(resource: JsonValue, module: string): string {
  const address = textAt(resource, "address") ?? "";
  const index = at(resource, "index");
  const isNamed = index === undefined || /\]$/.test(address);
  const instance = isNamed ? address : `${address}[${JSON.stringify(index)}]`;
  const isWithin = module === "" || address === "" || address.startsWith(`${module}.`);
  return isWithin ? instance : `${module}.${instance}`;
}

type Instances = ReadonlyMap<string, readonly NodeId[]>;

/** By the address of their configuration, which dependencies name: all that came of one `count` or `for_each`. */
function instancesOf(resources: readonly JsonValue[]): Instances {
  const found = new Map<string, NodeId[]>();
  for (const resource of resources) {
    const address = textAt(resource, "address") ?? "";
    if (textAt(resource, "mode") === "data" || address === "") continue;
    const key = withoutIndexes(address);
    const node = nodeOf(textAt(resource, "type") ?? "", address);
    found.set(key, [...(found.get(key) ?? []), node]);
  }
  return found;
}

/** `module.a["x"].aws_subnet.main[0]` is one of `module.a.aws_subnet.main`. */
function withoutIndexes(address: string): string {
  return address.replace(/\[(?:\d+|"(?:[^"\\]|\\.)*")\]/g, "");
}

function nodeOf(type: string, address: string): NodeId {
  const kind = kinds.find(([pattern]) => pattern.test(type))?.[1] ?? "object";
  return named(kind, kind === "object" ? `terraform/${address}` : address);
}

function tellResource(
  teller: Teller,
  reference: string,
  when: number,
  { resource, instances }: { readonly resource: JsonValue; readonly instances: Instances },
): void {
  const address = textAt(resource, "address") ?? "";
  if (textAt(resource, "mode") === "data" || address === "") return;
  const type = textAt(resource, "type") ?? "";
  const node = nodeOf(type, address);
  const where = `${reference} ${address}`;
  const shown = withoutSensitive(at(resource, "values") ?? {}, at(resource, "sensitive_values"));
  teller.tell(where, when, {
    ...{ type: "node", at: when, node, aspect: "spec" },
    value: { type, ...(isJsonObject(shown) && { values: shown }) },
  });
  // What is only looked up (`data.…`) is no part of production.
  for (const other of textsAt(resource, "depends_on"))
    for (const to of instances.get(withoutIndexes(other)) ?? [])
      teller.tell(where, when, {
        ...{ type: "edge", at: when, from: node, to, kind: "depends_on", basis: "declared" },
      });
}

/** `module.a.aws_db_instance.main[0]`: what is before the last name. */
function typeIn(address: string): string {
  return (
    address
      .replace(/\[[^\]]*\]$/, "")
      .split(".")
      .at(-2) ?? ""
  );
}

function tellChange(teller: Teller, reference: string, when: number, change: JsonValue): void {
  const actions = textsAt(change, "change", "actions");
  if (actions.length === 0 || actions.every((action) => action === "no-op" || action === "read"))
    return;
  const address = textAt(change, "address") ?? "";
  const before = withoutSensitive(
    at(change, "change", "before") ?? null,
    at(change, "change", "before_sensitive"),
  );
  const after = withUnknown(
    withoutSensitive(
      at(change, "change", "after") ?? null,
      at(change, "change", "after_sensitive"),
    ),
    at(change, "change", "after_unknown"),
  );
  teller.tell(`${reference} ${address}`, when, {
    ...{ type: "change", at: when, kind: "infrastructure" },
    change: named("deploy", `terraform/${when}/${address}`),
    targets: [nodeOf(textAt(change, "type") ?? typeIn(address), address)],
    title: textOf(`${actions.join(" and ")} ${address}`),
    diff: differences(before, after, "").slice(0, partsMax),
  });
}

/** `sensitive` has the shape of `value`, with true where nothing may be shown. */
function withoutSensitive(value: JsonValue, sensitive: JsonValue | undefined): JsonValue {
  if (sensitive === true) return hidden;
  if (sensitive === undefined || sensitive === false) return value;
  if (isJsonArray(value))
    return value.map((item, index) =>
      withoutSensitive(item, isJsonArray(sensitive) ? sensitive[index] : undefined),
    );
  if (!isJsonObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => [
      name,
      withoutSensitive(member, at(sensitive, name)),
    ]),
  );
}

function withUnknown(value: JsonValue, unknowns: JsonValue | undefined): JsonValue {
  if (!isJsonObject(value) || unknowns === undefined || !isJsonObject(unknowns)) return value;
  const later = Object.entries(unknowns).filter(([, is]) => is === true);
  return { ...value, ...Object.fromEntries(later.map(([name]) => [name, unknown])) };
}

/** Each member that differs, by its path. */
function differences(before: JsonValue, after: JsonValue, path: string): readonly DiffPart[] {
  if (JSON.stringify(before) === JSON.stringify(after)) return [];
  if (isJsonObject(before) && isJsonObject(after)) {
    const names = [...new Set([...Object.keys(before), ...Object.keys(after)])].sort();
    return names.flatMap((name) =>
      differences(
        before[name] ?? null,
        after[name] ?? null,
        path === "" ? name : `${path}.${name}`,
      ),
    );
  }
  const shown = (value: JsonValue): readonly string[] =>
    value === null ? [] : [textOf(typeof value === "string" ? value : JSON.stringify(value))];
  return [{ path: nameOf(path), removed: shown(before), added: shown(after) }];
}
