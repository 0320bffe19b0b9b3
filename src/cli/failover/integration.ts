/** `holdfast failover config`: what stands before a site, so that it follows the site's gate. Text only; nothing is written. */
import { bindConfiguration } from "../../adapters/dns/index.ts";
import { envoyConfiguration } from "../../adapters/envoy/index.ts";
import { type HaproxySite, haproxyConfiguration } from "../../adapters/haproxy/index.ts";
import { kubernetesManifests } from "../../adapters/kubernetes/index.ts";
import { nginxConfiguration } from "../../adapters/nginx/index.ts";
import { patroniConfiguration } from "../../adapters/patroni/index.ts";
import { candidates, type Manifest, type Site } from "../../failover/index.ts";
import { err, ok, type Result } from "../../kernel/index.ts";

export const integrationKinds = [
  "haproxy",
  "patroni",
  "dns",
  "kubernetes",
  "envoy",
  "nginx",
] as const;

export interface IntegrationOptions {
  /** Which site; not asked for by what stands before all of them. */
  readonly site?: string;
  readonly listen?: string;
  /** How `holdfast` is called on a node of the database. */
  readonly command?: string;
  /** `holdfast.yaml` there. */
  readonly config?: string;
  readonly budget?: string;
  readonly ttl?: string;
  readonly namespace?: string;
}

type Text = Result<string, string>;

/** The error is a sentence that says what the manifest lacks. `now`: RFC 3339. */
export function integrationText(
  kind: (typeof integrationKinds)[number],
  manifest: Manifest,
  options: IntegrationOptions,
  now: string,
): Text {
  if (kind === "haproxy") return haproxy(manifest, options, now);
  if (kind === "kubernetes") return kubernetes(manifest, options);
  const site = manifest.sites.find(({ id }) => id === options.site);
  if (site === undefined) {
    const known = manifest.sites.map(({ id }) => id).join(", ");
    return err(
      options.site === undefined
        ? `say for which site: --site, one of ${known}`
        : `the manifest has no site ${options.site}; it has ${known}`,
    );
  }
  if (kind === "patroni") return patroni(manifest, site, options);
  if (kind === "dns") return dns(site);
  const gate = gateOf(site);
  const server = addressOf(site, "gateway");
  if (!gate.ok) return gate;
  if (!server.ok) return server;
  const at = { site: site.id, gate: gate.value, server: server.value };
  return ok(
    kind === "envoy"
      ? envoyConfiguration(at)
      : nginxConfiguration({ ...at, listen: options.listen ?? "8080" }),
  );
}

/** Sites that residency lets act, in the order in which they are tried: no other gets into the file. */
function haproxy(manifest: Manifest, { listen }: IntegrationOptions, now: string): Text {
  const sites: HaproxySite[] = [];
  const databases: HaproxySite[] = [];
  for (const site of candidates(manifest, now)) {
    const [gate, agent] = [gateOf(site), addressOf(site, "agent_check")];
    const server = addressOf(site, "gateway");
    for (const each of [gate, agent, server]) if (!each.ok) return each;
    if (!gate.ok || !agent.ok || !server.ok) continue;
    const guard = { id: site.id, gate: gate.value, agent: agent.value };
    sites.push({ ...guard, server: server.value });
    const { postgres, patroni } = site.variables;
    if (postgres !== undefined && patroni !== undefined)
      databases.push({ ...guard, server: hostPort(postgres), patroni: hostPort(patroni) });
  }
  const agents = { name: "agents", bind: listen ?? ":8080", sites };
  const database = { name: "database", bind: ":5432", sites: databases };
  return haproxyConfiguration(databases.length === 0 ? [agents] : [agents, database]);
}

function patroni(manifest: Manifest, site: Site, options: IntegrationOptions): Text {
  return patroniConfiguration({
    site: site.id,
    command: options.command ?? "/usr/bin/holdfast",
    config: options.config ?? "/etc/holdfast/holdfast.yaml",
    ...{ budgetSeconds: Number(options.budget ?? 12), ttlSeconds: Number(options.ttl ?? 30) },
    slots: manifest.components.flatMap(({ verify }) =>
      verify.kind === "postgres" && "slot" in verify.check
        ? [{ name: verify.check.slot, database: "postgres", plugin: "wal2json" }]
        : [],
    ),
  });
}

function dns(site: Site): Text {
  const { dns_zone: zone, dns_name: name, dns_key: keyName = "holdfast" } = site.variables;
  if (zone === undefined || name === undefined)
    return err(
      `site ${site.id} needs the variables dns_zone and dns_name: which zone, and which name in it agents use`,
    );
  return ok(bindConfiguration({ zone, name, keyName }));
}

function kubernetes(manifest: Manifest, { namespace }: IntegrationOptions): Text {
  const gatewayImages = manifest.components.flatMap((component) =>
    component.class === "enforcement" && component.verify.kind === "kubernetes"
      ? (component.verify.images ?? [])
      : [],
  );
  if (gatewayImages.length === 0)
    return err(
      "no component of class enforcement is verified by kubernetes with images, so that the manifest does not say which gateway a pod must have",
    );
  return ok(kubernetesManifests({ namespace: namespace ?? "agents", gatewayImages }));
}

/** The variable `gate`, or the guard's address where that is plain HTTP: checks of load balancers speak that. */
function gateOf(site: Site): Text {
  if (site.variables["gate"] !== undefined) return ok(hostPort(site.variables["gate"]));
  const url = new URL(site.guard_url);
  if (url.protocol === "http:") return ok(hostPort(site.guard_url));
  return err(
    `site ${site.id} needs the variable gate: where its guard answers plain HTTP beside the load balancer (host:port), because guard_url is ${url.protocol}//`,
  );
}

function addressOf({ id, variables }: Site, name: string): Text {
  const given = variables[name];
  return given === undefined
    ? err(`site ${id} needs the variable ${name}: its host:port`)
    : ok(hostPort(given));
}

/** Of a URL, or as it is. */
function hostPort(given: string): string {
  if (!/^https?:\/\//.test(given) || !URL.canParse(given)) return given;
  const { protocol, hostname, port } = new URL(given);
  return `${hostname}:${port === "" ? (protocol === "https:" ? 443 : 80) : port}`;
}
