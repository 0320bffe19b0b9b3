/** Traps in an Envoy configuration (v3 API), YAML or JSON. */
import {
  type Diagnostic,
  type Position,
  parseForeignYaml,
  type SourceNode,
} from "../../policy/index.ts";
import { at, type Entry, entriesAt, itemsAt, textAt } from "../source-tree/index.ts";
import { found, type TrapName } from "./traps.ts";

export function lintEnvoy(file: string, text: string): readonly Diagnostic[] {
  const { roots, diagnostics } = parseForeignYaml(file, text);
  const traps: Diagnostic[] = [];
  const deciding = new Set<string>();
  for (const root of roots)
    visit(root, (node) => {
      for (const name of decidersOf(node)) deciding.add(name);
    });
  for (const root of roots)
    visit(root, (node, entry) => {
      const report: Report = (name, about, at = entry?.keyAt ?? node.at) => {
        traps.push(found(file, at, name, about));
      };
      lintNode(node, entry, deciding, report);
    });
  return [...diagnostics, ...traps];
}

type Report = (name: TrapName, about: string, at?: Position) => void;

function visit(
  node: SourceNode,
  look: (node: SourceNode, entry: Entry | undefined) => void,
  entry?: Entry,
): void {
  look(node, entry);
  if (node.kind === "list") for (const item of node.items) visit(item, look);
  if (node.kind === "map") for (const each of node.entries) visit(each.value, look, each);
}

/** Clusters that ext_authz asks: when they do not answer, requests are denied, so nobody has to watch them. */
function decidersOf(node: SourceNode): readonly string[] {
  if (textAt(node, "@type")?.endsWith("ext_authz.v3.ExtAuthz") !== true) return [];
  const names = [
    textAt(node, "http_service", "server_uri", "cluster"),
    textAt(node, "grpc_service", "envoy_grpc", "cluster_name"),
  ];
  return names.flatMap((name) => name ?? []);
}

function lintNode(
  node: SourceNode,
  entry: Entry | undefined,
  deciding: ReadonlySet<string>,
  report: Report,
): void {
  const key = entry?.key;
  if (key === "failure_mode_allow" && textAt(node) === "true")
    report("envoy-failure-allowed", "failure_mode_allow");
  if (key === "http_filters" && node.kind === "list") lintFilters(node.items, report);
  if (key === "filter_enabled" && isPartial(node)) report("envoy-ext-authz-off", "filter_enabled");
  if (textAt(node, "@type")?.endsWith("ExtAuthzPerRoute") && textAt(node, "disabled") === "true")
    report("envoy-ext-authz-off", "ExtAuthzPerRoute");
  if (key === "clusters")
    for (const one of itemsAt(node).filter((each) => !deciding.has(textAt(each, "name") ?? "")))
      lintCluster(one, report);
}

/** Authorization stands before the router, or nobody is asked. */
function lintFilters(filters: readonly SourceNode[], report: Report): void {
  const is = (filter: SourceNode, what: string): boolean =>
    `${textAt(filter, "name")} ${textAt(filter, "typed_config", "@type")}`.includes(what);
  const asking = filters.findIndex(
    (filter) => is(filter, "ext_authz") && textAt(filter, "disabled") !== "true",
  );
  const router = filters.findIndex((filter) => is(filter, "router"));
  if (asking < 0 || (router >= 0 && asking > router)) report("envoy-no-ext-authz", "http_filters");
}

function isPartial(node: SourceNode): boolean {
  const share = Number(textAt(node, "default_value", "numerator") ?? 100);
  const of = textAt(node, "default_value", "denominator") ?? "HUNDRED";
  const whole = { HUNDRED: 100, TEN_THOUSAND: 10_000, MILLION: 1_000_000 }[of] ?? 100;
  return share < whole;
}

function lintCluster(cluster: SourceNode, report: Report): void {
  const name = `cluster ${textAt(cluster, "name") ?? ""}`;
  const threshold = textAt(cluster, "common_lb_config", "healthy_panic_threshold", "value");
  const checks = itemsAt(cluster, "health_checks");
  const asks = checks.some((check) => isGate(textAt(check, "http_health_check", "path")));
  const byGrpc = checks.some((check) => at(check, "grpc_health_check") !== undefined);
  if (checks.length === 0) report("envoy-no-health-check", name, cluster.at);
  else if (!asks && !byGrpc) report("envoy-gate-not-asked", name, cluster.at);
  if (threshold === undefined || Number(threshold) !== 0) report("envoy-panic", name, cluster.at);
}

function isGate(path: string | undefined): boolean {
  return /^\/gate(?:\/|$|\?)/.test(path ?? "");
}

/** Whether a YAML file is Envoy's, or a part of one. */
export function isEnvoy(root: SourceNode | undefined): boolean {
  const whole = ["static_resources", "dynamic_resources", "http_filters"];
  if (entriesAt(root).some(({ key }) => whole.includes(key))) return true;
  return itemsAt(root, "clusters").some((cluster) => at(cluster, "load_assignment") !== undefined);
}
