/** What Patroni's configuration needs for a node of a site (Patroni, YAML configuration settings). Pure. */
import { err, ok, type Result } from "../../kernel/index.ts";

export interface PatroniHooks {
  readonly site: string;
  /** How `holdfast` is called on the node; no shell reads it. */
  readonly command: string;
  /** `holdfast.yaml` of the site. */
  readonly config: string;
  /** How long a promotion may wait for the site to be validated. */
  readonly budgetSeconds: number;
  /** Patroni's own `ttl`. */
  readonly ttlSeconds: number;
  /** Logical slots that the audit pipeline reads. */
  readonly slots: readonly {
    readonly name: string;
    readonly database: string;
    readonly plugin: string;
  }[];
}

/** While a candidate waits it holds the leader key, and no other candidate is tried: this much of the ttl is left to others. */
const othersSeconds = 6;

/**
 * Two pieces of YAML in one text: the local configuration of a node, and the dynamic one of the cluster. The error is a
 * sentence.
 */
export function patroniConfiguration(hooks: PatroniHooks): Result<string, string> {
  const { site, command, config, budgetSeconds, ttlSeconds, slots } = hooks;
  if (!(budgetSeconds >= 1 && budgetSeconds <= ttlSeconds - othersSeconds))
    return err(
      `a promotion may wait from 1 to ${ttlSeconds - othersSeconds} s under a ttl of ${ttlSeconds} s, not ${budgetSeconds}: while it waits, no other candidate is tried`,
    );
  const calls = [command, config].find((each) => !/^[\w/.@:+ -]+$/.test(each));
  if (calls !== undefined)
    return err(
      `${JSON.stringify(calls)} holds characters that a command line would read in its own way`,
    );
  const local = [
    `# Of each node at ${site}: /etc/patroni/holdfast.yml, beside the node's own file in the folder that Patroni is started with.`,
    "postgresql:",
    "  # Asked after the leader key is had and before the promotion; anything but exit 0 gives the key back.",
    `  pre_promote: ${command} failover await --config ${config} --budget ${budgetSeconds} --begin patroni`,
    "  callbacks:",
    "    # Into the record of the failover, after the fact. Patroni adds <action> <role> <cluster>.",
    `    on_role_change: sh -c 'case "$2" in master|primary) exec ${command} failover app-ready --config ${config} --mechanism patroni;; esac' holdfast`,
    "tags:",
    "  # The guard writes true here while this node is not what the primary is.",
    "  nofailover: false",
  ];
  const dynamic = [
    "# Of the cluster: patronictl edit-config.",
    `ttl: ${ttlSeconds}`,
    "# Acknowledged is replicated: without this, a cut network loses what was acknowledged meanwhile.",
    "synchronous_mode: true",
    ...(slots.length === 0
      ? []
      : ["# Kept on every node, so that a promotion does not lose them.", "slots:"]),
    ...slots.map(
      ({ name, database, plugin }) =>
        `  ${name}: { type: logical, database: ${database}, plugin: ${plugin} }`,
    ),
  ];
  return ok(`${[...local, "---", ...dynamic].join("\n")}\n`);
}
