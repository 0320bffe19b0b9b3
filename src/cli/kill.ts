/**
 * `holdfast kill`: stops calls now, on every gateway that shares the store. It needs the store and nothing else: no
 * gateway, no control plane. Exit codes: 0 in force; 1 stored, and not every gateway has said yet that it obeys; 2 wrong
 * usage, or the store cannot be reached, and nothing has changed.
 */
import type { Command } from "commander";
import { scopeText, stoppingModes } from "../limits/index.ts";
import type { SharedState } from "../state/index.ts";
import type { Config } from "./config-types.ts";
import { killStatus, waitUntilObeyed } from "./kill-status.ts";
import type { CommandOutput } from "./policy-knowledge.ts";
import {
  complain,
  liftIn,
  newSwitch,
  type ScopeOptions,
  type StateCommandParts,
  throwIn,
  warnOfUnknown,
  withScope,
  withState,
} from "./switches.ts";

interface KillOptions extends ScopeOptions {
  readonly dryRun?: boolean;
  readonly reason: string;
  readonly json?: boolean;
}

/**
 * Adds `kill`, `kill list` and `kill lift`. An option that both know goes to `kill`, so the two read the options of both.
 * `withStore` adds the options that say where the store is. */
export function registerKillCommands(
  program: Command,
  withStore: (command: Command) => Command,
  parts: StateCommandParts,
): void {
  const kill = withScope(withStore(program.command("kill")))
    .description("stop calls now: all of them, or those named; kill list, kill lift <id>")
    .option("--dry-run", "decide and record as always, forward nothing")
    .option("--reason <text>", "why; agents, records and people are shown it", "no reason given")
    .option("--json", "print JSON")
    .action((options: KillOptions, command: Command) =>
      withState(parts, command, (state, config) => stop(state, config, options, parts.io)),
    );
  withStore(kill.command("list"))
    .description("what is stopped or held back, by whom, and which gateways obey")
    .option("--json", "print JSON")
    .action((_: unknown, command: Command) =>
      withState(parts, command, (state) => killStatus(state, command.optsWithGlobals(), parts.io)),
    );
  withStore(kill.command("lift"))
    .description("let calls through again; an escrow is ended by escrow off")
    .argument("[ids...]", "switches, as kill list names them")
    .option("--all", "every switch that stops calls")
    .option("--json", "print JSON")
    .action((ids: string[], _: unknown, command: Command) =>
      withState(parts, command, (state) => lift(state, ids, command.optsWithGlobals(), parts.io)),
    );
}

async function stop(
  state: SharedState,
  config: Config,
  options: KillOptions,
  io: CommandOutput,
): Promise<number> {
  const thrown = newSwitch(options.dryRun === true ? "dry_run" : "pause", options);
  warnOfUnknown(thrown.scope, config, io);
  const done = await throwIn(state, thrown);
  if (!done.ok) return complain(io, done.error);
  const what = thrown.mode === "pause" ? "stopped" : "in dry run";
  if (options.json !== true) io.out(`${thrown.id}: ${scopeText(thrown.scope)} ${what}`);
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
  const done = await liftIn(state, wanted, stoppingModes);
  if (!done.ok) return complain(io, done.error);
  const stopping = done.value.switches.filter(({ mode }) => stoppingModes.includes(mode));
  if (options.json !== true)
    io.out(
      stopping.length === 0
        ? "nothing is stopped any more"
        : `still stopped: ${stopping.map(({ id }) => id).join(", ")}`,
    );
  return await waitUntilObeyed(state, done.value, options, io);
}
