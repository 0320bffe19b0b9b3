/**
 * `terraform show -json`, of a plan or of a state (format version 1). Of a resource only its address, type, tags, region and
 * versions are looked at; no other value is read, so none that is sensitive can be kept.
 */
import type { ComponentClass } from "../../failover/index.ts";
import { type Diagnostic, parseForeignYaml, type SourceNode } from "../../policy/index.ts";
import { at, entriesAt, itemsAt, jsonOf, textAt } from "../source-tree/index.ts";
import type { FoundInfrastructure, FoundPart, FoundSite, InfrastructureFile } from "./found.ts";
import { marksOf, readMarks } from "./marks.ts";
import { siteOfRegion } from "./regions.ts";

/** What some types are by nature; a tag says otherwise. */
const byNature: readonly (readonly [RegExp, ComponentClass])[] = [
  [/^(?:aws_kms_(?:replica_)?key|google_kms_crypto_key|azurerm_key_vault_key)$/, "encryption"],
  [
    /^(?:aws_secretsmanager_secret|google_secret_manager_secret|azurerm_key_vault_secret|vault_kv_secret_v2)$/,
    "secrets",
  ],
  [/^(?:aws_cloudtrail|google_logging_project_sink|azurerm_monitor_diagnostic_setting)$/, "audit"],
  [/^(?:aws_iam_openid_connect_provider|google_iam_workload_identity_pool)$/, "identity"],
  [/^(?:aws_networkfirewall_firewall|aws_wafv2_web_acl|aws_security_group)$/, "enforcement"],
  [/^(?:aws_sns_topic|pagerduty_service|opsgenie_team)$/, "escalation"],
];

/** What carries others and governs nothing by itself; named only when it is tagged. */
const plumbing =
  /(?:subnet|route(?:_table)?|gateway|eip|iam_(?:role|policy|instance_profile)|attachment|association|random_|null_|local_file|_alias|_version|key_ring|_policy$|resource_group)/;

export function readTerraform(file: InfrastructureFile): FoundInfrastructure {
  const { roots, diagnostics } = parseForeignYaml(file.path, file.text);
  const [root] = roots;
  const modules = [at(root, "planned_values", "root_module"), at(root, "values", "root_module")];
  const resources = modules.flatMap((module) => (module ? resourcesOf(module) : []));
  const home = providerRegion(root);
  const found = resources
    .filter((resource) => textAt(resource, "mode") !== "data")
    .map((resource) => readResource(file.path, resource, { home, resources }));
  return {
    parts: found.flatMap(({ part }) => part ?? []),
    sites: found.flatMap(({ site }) => site ?? []),
    diagnostics: [...diagnostics, ...found.flatMap(({ diagnostics: some }) => some)],
  };
}

function resourcesOf(module: SourceNode): readonly SourceNode[] {
  const below = itemsAt(module, "child_modules").flatMap(resourcesOf);
  return [...itemsAt(module, "resources"), ...below];
}

interface Around {
  /** The region of the provider. */
  readonly home: string | undefined;
  readonly resources: readonly SourceNode[];
}

function readResource(
  file: string,
  resource: SourceNode,
  { home, resources }: Around,
): { part?: FoundPart; site?: FoundSite; diagnostics: readonly Diagnostic[] } {
  const address = textAt(resource, "address") ?? "";
  const type = textAt(resource, "type") ?? "";
  const place = { file, ...resource.at };
  const labels = ["tags_all", "tags", "labels"].flatMap((members) =>
    entriesAt(resource, "values", members).map(({ key, keyAt, value }) => ({
      ...{ key, value: jsonOf(value), place: { file, ...keyAt } },
    })),
  );
  const marks = readMarks(marksOf(labels));
  const ofClass = marks.class ?? byNature.find(([pattern]) => pattern.test(type))?.[1];
  const { diagnostics, setAside } = marks;
  const base = { place, what: address, setAside, remarks: [] };
  if (setAside) return { part: base, diagnostics };
  if (ofClass === undefined)
    return plumbing.test(type) ? { diagnostics } : { part: base, diagnostics };
  const region = regionOf(resource) ?? home;
  const name = textAt(resource, "values", "name") ?? textAt(resource, "name") ?? address;
  const sites = region === undefined ? [] : [region];
  const component = marks.component({
    ...{ name, class: ofClass, sites },
    version: ofClass === "secrets" ? versionOf(resource, resources) : undefined,
  });
  return {
    part: { ...base, component },
    ...(region !== undefined && { site: { id: region, place, says: siteOfRegion(region) } }),
    diagnostics,
  };
}

/** Its own, or that of the resource that holds its newest version. */
function versionOf(secret: SourceNode, resources: readonly SourceNode[]): string | undefined {
  const own = textAt(secret, "values", "version");
  if (own !== undefined) return own;
  const names = ["arn", "id", "name"].flatMap((key) => textAt(secret, "values", key) ?? []);
  const version = resources.find(
    (one) =>
      textAt(one, "type")?.endsWith("_secret_version") === true &&
      names.includes(textAt(one, "values", "secret_id") ?? textAt(one, "values", "secret") ?? ""),
  );
  return textAt(version, "values", "version_id") ?? textAt(version, "values", "version");
}

/** Where a resource lies: its own word, or that of its name (ARN). */
function regionOf(resource: SourceNode): string | undefined {
  const said = textAt(resource, "values", "region") ?? textAt(resource, "values", "location");
  if (said !== undefined) return said.toLowerCase().replaceAll(" ", "");
  const arn = textAt(resource, "values", "arn");
  return arn?.split(":")[3] || undefined;
}

/** The one region of the providers of a plan, where there is one. */
function providerRegion(root: SourceNode | undefined): string | undefined {
  const regions = entriesAt(root, "configuration", "provider_config").flatMap(
    ({ value }) => textAt(value, "expressions", "region", "constant_value") ?? [],
  );
  return new Set(regions).size === 1 ? regions[0] : undefined;
}
