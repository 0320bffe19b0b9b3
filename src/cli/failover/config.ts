/** `holdfast failover config <kind>`: prints what stands before a site needs. */
import type { Command } from "commander";
import type { CommandOutput } from "../policy-knowledge.ts";
import { type IntegrationOptions, integrationKinds, integrationText } from "./integration.ts";
import { nowText, openManifest } from "./open-manifest.ts";

interface ConfigOptions extends IntegrationOptions {
  readonly manifest: string;
}

export function registerConfigCommand(
  failover: Command,
  io: CommandOutput,
  exit: (code: number) => void,
): void {
  const config = failover
    .command("config")
    .description(
      "print the configuration of what stands before a site, closed unless its gate opens it",
    );
  for (const kind of integrationKinds) {
    const { description, options } = offered[kind];
    const command = config
      .command(kind)
      .description(description)
      .requiredOption("--manifest <file>", "the manifest, signed or not");
    for (const [flags, meaning] of options) command.option(flags, meaning);
    command.action(async (given: ConfigOptions) => exit(await printConfig(kind, given, io)));
  }
}

/** 0 printed, 1 the manifest is no usable one or lacks what is asked for. */
async function printConfig(
  kind: (typeof integrationKinds)[number],
  options: ConfigOptions,
  io: CommandOutput,
): Promise<number> {
  const opened = await openManifest(options.manifest, io);
  if (opened === undefined) return 1;
  const text = integrationText(kind, opened.manifest, options, nowText());
  if (text.ok) io.out(text.value.trimEnd());
  else io.err(`${options.manifest}: ${text.error}`);
  return text.ok ? 0 : 1;
}

const site = ["--site <id>", "for which site"] as const;

const offered: Readonly<Record<(typeof integrationKinds)[number], Offered>> = {
  haproxy: {
    description: "haproxy.cfg before all sites that residency lets act",
    options: [["--listen <address>", "where it takes the traffic of agents (:8080)"]],
  },
  patroni: {
    description: "pre_promote, callbacks, tags and slots of the nodes of a site",
    options: [
      site,
      ["--command <words>", "how holdfast is called there (/usr/bin/holdfast)"],
      ["--config <file>", "its configuration there (/etc/holdfast/holdfast.yaml)"],
      ["--budget <seconds>", "how long a promotion may wait (12)"],
      ["--ttl <seconds>", "Patroni's own ttl (30)"],
    ],
  },
  dns: { description: "the zone of BIND in which the guard steers one name", options: [site] },
  kubernetes: {
    description: "the admission policy for pods of agents, and the rights of the guard",
    options: [["--namespace <name>", "where agents run (agents)"]],
  },
  envoy: { description: "ext_authz and health checks of a site", options: [site] },
  nginx: {
    description: "auth_request of a site",
    options: [site, ["--listen <address>", "where it takes the traffic of agents (8080)"]],
  },
};

interface Offered {
  readonly description: string;
  readonly options: readonly (readonly [string, string])[];
}
