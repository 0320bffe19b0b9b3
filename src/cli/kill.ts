/**
 * `holdfast kill`: stops calls now, on every gateway that shares the store. It needs the store and nothing else: no
 * gateway, no control plane. Exit codes: 0 in force; 1 stored, and not every gateway has said yet that it obeys; 2 wrong
 * usage, or the store cannot be reached, and nothing has changed.
 */
import { randomBytes } from "node:crypto";
import { hostname, userInfo } from "node:os";
import type { Command } from "commander";
import { systemClock } from "../adapters/clock/index.ts";
import { err, type Result } from "../kernel/index.ts";
import {
  type KillState,
  killKey,
  killStateJson,
  liftSwitches,
  readKillState,
  type Switch,
  type SwitchScope,
  scopeText,
  throwSwitch,
} from "../limits/index.ts";
import type { StoredValues } from "../ports.ts";
import type { SharedState, StateChange } from "../state/index.ts";
import type { Config } from "./config-types.ts";
import { killStatus, waitUntilObeyed } from "./kill-status.ts";
import type { CommandOutput } from "./policy-knowledge.ts";

interface ScopeOptions {
  readonly agent?: string;
  readonly tool?: string;
  readonly upstream?: string;
  readonly tenant?: string;
  readonly model?: string;
}

interface KillOptions extends ScopeOptions {
  readonly dryRun?: boolean;
  readonly reason: string;
  readonly json?: boolean;
}

/** What the commands need of the program they are part of. */
export interface KillCommandParts {
  readonly io: CommandOutput;
  /** Opens the state of the configuration named on the command line, or says why not. */
  readonly open: (
    command: Command,
  ) => Promise<Result<{ readonly state: SharedState; readonly config: Config }, string>>;
  readonly exit: (code: number) => void;
}

/**
 * Adds `kill`, `kill list` and `kill lift`. An option that both know goes to `kill`, so the two read the options of both.
 * `withStore` adds the options that say where the store is. */
export function registerKillCommands(
  program: Command,
  withStore: (command: Command) => Command,
  parts: KillCommandParts,
): void {
  const kill = withStore(program.command("kill"))
    .description("stop calls now: all of them, or those named; kill list, kill lift <id>")
    .option("--agent <id>", "only this agent, and whoever acts for it")
    .option("--tool <id>", "only this tool, server:tool")
    .option("--upstream <name>", "only this upstream")
    .option("--tenant <name>", "only this tenant")
    .option("--model <name>", "only agents with this model")
    .option("--dry-run", "decide and record as always, forward nothing")
    .option("--reason <text>", "why; agents, records and people are shown it", "no reason given")
    .option("--json", "print JSON")
    .action((options: KillOptions, command: Command) =>
      withState(parts, command, (state, config) => stop(state, config, options, parts.io)),
    );
  withStore(kill.command("list"))
    .description("what is stopped, by whom, and which gateways obey")
    .option("--json", "print JSON")
    .action((_: unknown, command: Command) =>
      withState(parts, command, (state) => killStatus(state, command.optsWithGlobals(), parts.io)),
    );
  withStore(kill.command("lift"))
    .description("let calls through again")
    .argument("[ids...]", "switches, as kill list names them")
    .option("--all", "every switch")
    .option("--json", "print JSON")
    .action((ids: string[], _: unknown, command: Command) =>
      withState(parts, command, (state) => lift(state, ids, command.optsWithGlobals(), parts.io)),
    );
}

async function withState(
  { open, io, exit }: KillCommandParts,
  command: Command,
  work: (state: SharedState, config: Config) => Promise<number>,
): Promise<void> {
  const opened = await open(command);
  if (!opened.ok) {
    io.err(`error: ${opened.error}`);
    return exit(2);
  }
  try {
    exit(await work(opened.value.state, opened.value.config));
  } finally {
    await opened.value.state.close();
  }
}

async function stop(
  state: SharedState,
  config: Config,
  options: KillOptions,
  io: CommandOutput,
): Promise<number> {
  const scope = scopeOf(options);
  warnOfUnknown(scope, config, io);
  const thrown: Switch = {
    id: `kill-${randomBytes(4).toString("hex")}`,
    mode: options.dryRun === true ? "dry_run" : "pause",
    scope,
    reason: options.reason,
    by: `${userInfo().username}@${hostname()}`,
    since: new Date(systemClock.wallMs()).toISOString(),
  };
  const done = await change(state, (before) => throwSwitch(before, thrown));
  if (!done.ok) return complain(io, done.error);
  const what = thrown.mode === "pause" ? "stopped" : "in dry run";
  if (options.json !== true) io.out(`${thrown.id}: ${scopeText(scope)} ${what}`);
  return await waitUntilObeyed(state, done.value, { ...options, switch: thrown.id }, io);
}

async function lift(
  state: SharedState,
  ids: readonly string[],
  options: { readonly all?: boolean; readonly json?: boolean },
  io: CommandOutput,
): Promise<number> {
  if ((ids.length === 0) === (options.all !== true))
    return complain(io, "name the switches to lift, or --all; holdfast kill list shows them");
  const wanted = options.all === true ? undefined : ids;
  const done = await change(state, (before) => liftSwitches(before, wanted));
  if (!done.ok) return complain(io, done.error);
  const { switches } = done.value;
  if (options.json !== true)
    io.out(
      switches.length === 0
        ? "nothing is stopped any more"
        : `still stopped: ${switches.map(({ id }) => id).join(", ")}`,
    );
  return await waitUntilObeyed(state, done.value, options, io);
}

/** One transaction from the present state to the next. Serials make a repeated answer harmless. */
async function change(
  state: SharedState,
  next: (before: KillState) => Result<KillState, string>,
): Promise<Result<KillState, string>> {
  const changed = await state.transact(
    [killKey],
    (values): StateChange<Result<KillState, string>> => {
      const before = present(values);
      const after = before.ok ? next(before.value) : before;
      if (!after.ok) return { writes: new Map(), result: after };
      return { writes: new Map([[killKey, killStateJson(after.value)]]), result: after };
    },
  );
  if (changed.ok) return changed.value;
  const { kind, detail } = changed.error;
  return err(
    kind === "unknown"
      ? `the store did not answer, so the change may or may not be there: ${detail}; look with holdfast kill list`
      : `the store is ${kind}, nothing has changed: ${detail}`,
  );
}

function present(values: StoredValues): Result<KillState, string> {
  return readKillState(values.get(killKey));
}

function scopeOf({ agent, tool, upstream, tenant, model }: ScopeOptions): SwitchScope {
  const named = Object.entries({ agent, tool, upstream, tenant, model });
  return Object.fromEntries(named.filter(([, value]) => value !== undefined));
}

/** Thrown all the same: what is stopped may be configured elsewhere. But a mistyped name stops nothing. */
function warnOfUnknown({ upstream, tool }: SwitchScope, config: Config, io: CommandOutput): void {
  const server = upstream ?? tool?.split(":", 1)[0];
  if (server === undefined || Object.hasOwn(config.upstreams, server)) return;
  io.err(
    `warning: no upstream ${JSON.stringify(server)} is configured here (${Object.keys(config.upstreams).join(", ")}); the switch is thrown, and may stop nothing`,
  );
}

function complain(io: CommandOutput, why: string): number {
  io.err(`error: ${why}`);
  return 2;
}
