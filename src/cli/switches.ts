/**
 * What the commands have in common that throw and lift switches (`holdfast kill`, `holdfast escrow`): one shared state,
 * which gateways read all the time, and a wait until they have said that they obey.
 */
import { randomBytes } from "node:crypto";
import { hostname, userInfo } from "node:os";
import type { Command } from "commander";
import { systemClock } from "../adapters/clock/index.ts";
import { changeSwitches } from "../control/index.ts";
import type { Result } from "../kernel/index.ts";
import {
  type KillState,
  liftSwitches,
  type Switch,
  type SwitchMode,
  type SwitchScope,
  throwSwitch,
} from "../limits/index.ts";
import type { SharedState } from "../state/index.ts";
import type { Config } from "./config-types.ts";
import type { CommandOutput } from "./policy-knowledge.ts";

export interface ScopeOptions {
  readonly agent?: string;
  readonly tool?: string;
  readonly upstream?: string;
  readonly tenant?: string;
  readonly model?: string;
}

/** What the commands need of the program they are part of. */
export interface StateCommandParts {
  readonly io: CommandOutput;
  /** Opens the state of the configuration named on the command line, or says why not. */
  readonly open: (
    command: Command,
  ) => Promise<Result<{ readonly state: SharedState; readonly config: Config }, string>>;
  readonly exit: (code: number) => void;
}

/** The options that say what a switch is thrown for; nothing named is every call. */
export function withScope(command: Command): Command {
  return command
    .option("--agent <id>", "only this agent, and whoever acts for it")
    .option("--tool <id>", "only this tool, server:tool")
    .option("--upstream <name>", "only this upstream")
    .option("--tenant <name>", "only this tenant")
    .option("--model <name>", "only agents with this model");
}

/** Exits with 2 when the state cannot be opened; otherwise with what `work` says. */
export async function withState(
  { open, io, exit }: StateCommandParts,
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

/** Who sits at the keyboard, as far as the machine knows. */
export function operator(): string {
  return `${userInfo().username}@${hostname()}`;
}

export function newSwitch(
  mode: SwitchMode,
  scope: ScopeOptions & { readonly reason: string },
): Switch {
  return {
    id: `${mode === "escrow" ? "escrow" : "kill"}-${randomBytes(4).toString("hex")}`,
    mode,
    scope: scopeOf(scope),
    reason: scope.reason,
    by: operator(),
    since: new Date(systemClock.wallMs()).toISOString(),
  };
}

function scopeOf({ agent, tool, upstream, tenant, model }: ScopeOptions): SwitchScope {
  const named = Object.entries({ agent, tool, upstream, tenant, model });
  return Object.fromEntries(named.filter(([, value]) => value !== undefined));
}

/** The state with the switch in it. The error is a sentence; it says whether anything has changed. */
export async function throwIn(
  state: SharedState,
  thrown: Switch,
): Promise<Result<KillState, string>> {
  return await changeSwitches(state, (before) => throwSwitch(before, thrown));
}

/** The state without these switches of these modes; `undefined`: without any of them. */
export async function liftIn(
  state: SharedState,
  ids: readonly string[] | undefined,
  among: readonly SwitchMode[],
): Promise<Result<KillState, string>> {
  return await changeSwitches(state, (before) => liftSwitches(before, ids, among));
}

/** Thrown all the same: what is stopped may be configured elsewhere. But a mistyped name stops nothing. */
export function warnOfUnknown(
  { upstream, tool }: SwitchScope,
  config: Config,
  io: CommandOutput,
): void {
  const server = upstream ?? tool?.split(":", 1)[0];
  if (server === undefined || Object.hasOwn(config.upstreams, server)) return;
  io.err(
    `warning: no upstream ${JSON.stringify(server)} is configured here (${Object.keys(config.upstreams).join(", ")}); the switch is thrown, and may stop nothing`,
  );
}

export function complain(io: CommandOutput, why: string): number {
  io.err(`error: ${why}`);
  return 2;
}
