/** A manifest put together from what files say and what people add: pure, and the same whatever the order of the files. */
import type {
  DraftComponent,
  FoundInfrastructure,
  FoundPart,
} from "../../adapters/infrastructure/index.ts";
import { componentClasses } from "../../failover/index.ts";
import {
  digestOf,
  isJsonArray,
  isJsonObject,
  type JsonObject,
  type JsonValue,
} from "../../kernel/index.ts";
import { type Diagnostic, diagnosticAt } from "../../policy/index.ts";

export interface Assembled {
  /** A manifest as far as it is known; members in their usual order. */
  readonly value: JsonObject;
  /** The parts that made each component. */
  readonly partsOf: ReadonlyMap<string, readonly FoundPart[]>;
  /** What the files alone say of each site. */
  readonly siteSays: ReadonlyMap<string, JsonObject>;
  readonly diagnostics: readonly Diagnostic[];
}

export interface Origin {
  readonly kind: string;
  readonly path: string;
  readonly digest: string;
}

/** `base` is a manifest that may leave out what the files say; what it says wins. */
export function assemble(
  found: readonly FoundInfrastructure[],
  base: JsonObject,
  origins: readonly Origin[],
): Assembled {
  const diagnostics: Diagnostic[] = [];
  const sites = sitesOf(found, base);
  const partsOf = new Map<string, FoundPart[]>();
  for (const part of found.flatMap(({ parts }) => parts)) {
    if (part.component === undefined) continue;
    const { name } = part.component;
    partsOf.set(name, [...(partsOf.get(name) ?? []), part]);
  }
  const supplements = new Map(
    itemsOf(base, "components").map((item) => [String(item["name"]), item]),
  );
  const names = [...new Set([...partsOf.keys(), ...supplements.keys()])];
  const components = names.map((name) => {
    const parts = partsOf.get(name) ?? [];
    const draft = merged(parts, sites.idOf, diagnostics);
    const { secret_version: version, ...known } = draft;
    const component = { ...known, ...supplements.get(name), name } as JsonObject;
    return version === undefined ? component : versioned(component, version, parts[0], diagnostics);
  });
  const { deployment: said, ...rest } = base;
  const deployment = said ?? found.flatMap((each) => each.deployment ?? [])[0];
  const value = {
    format: "holdfast.manifest/v1",
    ...(deployment !== undefined && { deployment }),
    version: 1,
    ...rest,
    sites: sites.sites,
    components: components.sort(byClassThenName),
    generated_from: [...origins].sort((a, b) => (a.path < b.path ? -1 : 1)) as unknown as JsonValue,
  };
  return { value: ordered(value as JsonObject), partsOf, siteSays: sites.said, diagnostics };
}

/** A verification of a secret's version takes the version that the files say; the base must not say another. */
function versioned(
  component: JsonObject,
  version: JsonValue,
  part: FoundPart | undefined,
  diagnostics: Diagnostic[],
): JsonObject {
  const { verify, name } = component;
  if (!isJsonObject(verify) || verify["kind"] !== "secret_version") return component;
  if (verify["version"] === undefined) return { ...component, verify: { ...verify, version } };
  if (part !== undefined && verify["version"] !== version) {
    const message = `${String(name)} is version ${String(version)} here and version ${String(verify["version"])} in the base`;
    diagnostics.push(diagnosticAt(part.place.file, part.place, { code: "differs", message }));
  }
  return component;
}

export function itemsOf(value: JsonObject, key: string): readonly JsonObject[] {
  const items = value[key];
  return isJsonArray(items) ? items.filter(isJsonObject) : [];
}

/** The same component at several places is one, at all their sites; two that differ are named. */
function merged(
  parts: readonly FoundPart[],
  idOf: (region: string) => string,
  diagnostics: Diagnostic[],
): JsonObject {
  const [first, ...more] = parts;
  if (first?.component === undefined) return {};
  const bare = ({ sites: _, ...rest }: DraftComponent): JsonObject => rest as unknown as JsonObject;
  const own = bare(first.component);
  for (const other of more) {
    if (other.component === undefined || digestOf(bare(other.component)) === digestOf(own))
      continue;
    const { file, line } = first.place;
    const message = `${first.component.name} (${other.what}) is described differently at ${file}:${line}`;
    diagnostics.push(
      diagnosticAt(other.place.file, other.place, {
        ...{ code: "described-twice", message, hint: "give one of them another holdfast.dev/name" },
      }),
    );
  }
  // A component that one of its parts places everywhere is everywhere.
  const everywhere = parts.some(({ component }) => component?.sites.length === 0);
  const sites = everywhere ? [] : parts.flatMap(({ component }) => component?.sites ?? []);
  const ids = [...new Set(sites.map(idOf))].sort();
  const isEmpty = (value: JsonValue): boolean => isJsonArray(value) && value.length === 0;
  const said = Object.entries({ ...own, sites: ids }).filter(([, value]) => !isEmpty(value));
  return Object.fromEntries(said);
}

/** Sites of the base, filled up by what the files say; then those that only files know. */
function sitesOf(
  found: readonly FoundInfrastructure[],
  base: JsonObject,
): {
  readonly sites: readonly JsonObject[];
  readonly said: ReadonlyMap<string, JsonObject>;
  idOf(region: string): string;
} {
  const known = itemsOf(base, "sites");
  const regionOf = (site: JsonObject): JsonValue | undefined =>
    isJsonObject(site["variables"]) ? site["variables"]["region"] : undefined;
  const idOf = (region: string): string => {
    const site = known.find((one) => one["id"] === region || regionOf(one) === region);
    return site === undefined ? region : String(site["id"]);
  };
  const said = new Map<string, JsonObject>();
  for (const { id, says } of found.flatMap(({ sites }) => sites))
    said.set(idOf(id), { ...says, ...said.get(idOf(id)) });
  const own = known.map((site) => ({ ...said.get(String(site["id"])), ...site }));
  const others = [...said].filter(([id]) => !known.some((site) => site["id"] === id));
  const added = others
    .map(([id, says]) => ({ ...says, id }))
    .sort((a, b) => (a.id < b.id ? -1 : 1));
  return { sites: [...own, ...added], said, idOf };
}

function byClassThenName(a: JsonObject, b: JsonObject): number {
  const rank = ({ class: of }: JsonObject): number => {
    const at = (componentClasses as readonly unknown[]).indexOf(of);
    return at < 0 ? componentClasses.length : at;
  };
  return rank(a) - rank(b) || (String(a["name"]) < String(b["name"]) ? -1 : 1);
}

const order = [
  ...["format", "deployment", "tenant", "version", "mode", "profiles", "objectives", "sites"],
  ...["residency", "components", "not_applicable", "break_glass", "sinks", "generated_from"],
];
const componentOrder = [
  ...["name", "class", "verify", "config_digest", "latency_ms_max", "on_failure", "depends_on"],
  ...["remediation", "sites", "controls", "covers"],
];
const siteOrder = [
  "id",
  "role",
  "jurisdiction",
  "blocs",
  "failover_order",
  "guard_key",
  "guard_url",
];

function ordered(value: JsonObject): JsonObject {
  const inOrder = (object: JsonObject, keys: readonly string[]): JsonObject => {
    const rest = Object.keys(object).filter((key) => !keys.includes(key));
    const present = keys.filter((key) => object[key] !== undefined);
    return Object.fromEntries(
      [...present, ...rest.sort()].map((key) => [key, object[key] as JsonValue]),
    );
  };
  return inOrder(
    {
      ...value,
      sites: itemsOf(value, "sites").map((site) => inOrder(site, siteOrder)),
      components: itemsOf(value, "components").map((one) => inOrder(one, componentOrder)),
    },
    order,
  );
}
