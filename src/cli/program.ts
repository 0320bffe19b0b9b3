/** The `holdfast` command. What a command does lives beside it; what needs processes built is given by `main.ts`. */
import { Command, CommanderError } from "commander";
import { err, ok, type Result } from "../kernel/index.ts";
import { formatDiagnostic } from "../policy/index.ts";
import type { SharedState } from "../state/index.ts";
import { registerApprovalCommands } from "./approvals.ts";
import { registerAuditCommands } from "./audit.ts";
import { registerBreakerCommands } from "./breakers.ts";
import { loadConfig } from "./config.ts";
import type { Config } from "./config-types.ts";
import { registerEscrowCommands } from "./escrow.ts";
import { type OpenDrills, registerFailoverCommands } from "./failover/index.ts";
import { registerKillCommands } from "./kill.ts";
import { registerLimitsCommand } from "./limits.ts";
import { registerModelCommands } from "./model/index.ts";
import { registerPolicyCommands } from "./policy.ts";
import { registerPolicyBuild } from "./policy-build.ts";
import type { CommandOutput } from "./policy-knowledge.ts";
import { storeGiven } from "./store-option.ts";
import type { StateCommandParts } from "./switches.ts";
import { registerTokenCommands } from "./token.ts";
import { registerToolsCommand } from "./tools.ts";

/** What only `main.ts` can build. Each resolves with an exit code. */
export interface Processes {
  readonly version: string;
  readonly runGateway: (config: Config) => Promise<number>;
  readonly runControl: (config: Config) => Promise<number>;
  readonly runGuard: (config: Config) => Promise<number>;
  /** The verifier key of this site's guard; the key is made when absent. */
  readonly guardKey: (config: Config) => Promise<string>;
  readonly up: (configPath: string, config: Config, store: string | undefined) => Promise<number>;
  readonly wrap: (config: Config, options: WrapOptions) => Promise<number>;
  readonly openSharedState: (config: Config) => Promise<Result<SharedState, string>>;
  readonly openDrills: OpenDrills;
}

export interface WrapOptions {
  /** The first half of tool ids in policy and records. */
  readonly server: string;
  /** The agent's token; empty when the variable is not set. */
  readonly token: string;
  readonly tokenEnv: string;
  readonly command: readonly string[];
}

export interface Program {
  /** 0 done, 1 found something wrong, 2 used wrongly or unreadable. */
  run(args: readonly string[]): Promise<number>;
}

interface ConfigOption {
  readonly config: string;
  readonly store?: string;
}

const configOption = ["-c, --config <file>", "configuration file", "holdfast.yaml"] as const;
const storeOption = [
  "--store <address>",
  "where state is shared, instead of what the configuration says: postgres://… or a file",
] as const;

const terminal: CommandOutput = {
  out: (line) => process.stdout.write(`${line}\n`),
  err: (line) => process.stderr.write(`${line}\n`),
};

export function createProgram(processes: Processes): Program {
  const program = new Command("holdfast")
    .description("The control layer between AI agents and production.")
    .version(processes.version)
    .showSuggestionAfterError()
    .exitOverride();
  const outcome = { code: 0 };
  const withConfig =
    (run: (config: Config) => Promise<number>) =>
    async (options: ConfigOption): Promise<void> => {
      const config = await configOrComplaint(options);
      outcome.code = config === undefined ? 2 : await run(config);
    };
  program
    .command("up")
    .description(
      "start gateway and control (the gateway alone where policy comes in a bundle), and stay",
    )
    .option(...configOption)
    .option(...storeOption)
    .action(async (options: ConfigOption) => {
      const config = await configOrComplaint(options);
      outcome.code =
        config === undefined ? 2 : await processes.up(options.config, config, options.store);
    });
  program
    .command("gateway")
    .description("the data plane alone: decide, record, forward")
    .option(...configOption)
    .option(...storeOption)
    .action(withConfig(processes.runGateway));
  program
    .command("control")
    .description("the control plane alone: policy folder to signed bundle, served")
    .option(...configOption)
    .option(...storeOption)
    .action(withConfig(processes.runControl));
  const exit = (code: number): void => {
    outcome.code = code;
  };
  registerWrap(program, processes, exit);
  registerPolicyBuild(registerPolicyCommands(program, terminal, exit), terminal, exit);
  registerToolsCommand(program, terminal, exit);
  const loading = (command: Command): Promise<Config | undefined> =>
    configOrComplaint(command.opts());
  registerFailoverCommands(program, terminal, exit, { ...processes, loadConfig: loading });
  registerAuditCommands(program);
  registerTokenCommands(program);
  const withStore = (command: Command): Command =>
    command.option(...configOption).option(...storeOption);
  const onState: StateCommandParts = {
    ...{ io: terminal, exit },
    open: (command) => stateOf(command, processes),
  };
  registerKillCommands(program, withStore, onState);
  registerApprovalCommands(program, withStore, onState);
  registerBreakerCommands(program, withStore, onState);
  registerLimitsCommand(program, withStore, onState);
  registerEscrowCommands(program, withStore, onState);
  registerModelCommands(program, withStore, onState);
  pointToHelp(program, "holdfast");
  return { run: (args) => run(program, args, outcome) };
}

/** Who used a command wrongly is told of that command's own help. */
function pointToHelp(command: Command, path: string): void {
  command.showHelpAfterError(`(${path} --help shows what there is)`);
  for (const each of command.commands) pointToHelp(each, `${path} ${each.name()}`);
}

function registerWrap(
  program: Command,
  { wrap }: Pick<Processes, "wrap">,
  exit: (code: number) => void,
): void {
  const mcp = program.command("mcp").description("MCP on this machine");
  mcp
    .command("wrap")
    .description(
      "the same enforcement around one stdio MCP server: holdfast mcp wrap -- <command …>",
    )
    .argument("<command...>", "the server's program and arguments")
    .option(...configOption)
    .option(...storeOption)
    .option("--token-env <name>", "variable that holds the agent's token", "HOLDFAST_TOKEN")
    .option("--server <name>", "the server's name in policies and records", "wrapped")
    .action(async (command: string[], options: Omit<WrapOptions, "command"> & ConfigOption) => {
      const config = await configOrComplaint(options);
      const token = process.env[options.tokenEnv] ?? "";
      exit(config === undefined ? 2 : await wrap(config, { ...options, token, command }));
    });
}

async function run(
  program: Command,
  args: readonly string[],
  outcome: { code: number },
): Promise<number> {
  try {
    await program.parseAsync(args, { from: "user" });
    return outcome.code === 0 ? Number(process.exitCode ?? 0) : outcome.code;
  } catch (thrown) {
    if (!(thrown instanceof CommanderError)) throw thrown;
    return thrown.exitCode === 0 ? 0 : 2;
  }
}

/** The shared state alone: what else the configuration needs (tokens, keys) may be missing where an operator types. */
async function stateOf(
  command: Command,
  processes: Processes,
): Promise<Result<{ readonly state: SharedState; readonly config: Config }, string>> {
  const options: ConfigOption = command.optsWithGlobals();
  const loaded = await loadConfig(options.config, process.env, "unread");
  if (!loaded.ok) return err(loaded.error.map(formatDiagnostic).join("\n"));
  const config = storeGiven(loaded.value, options.store);
  if (config.store.postgres?.reveal() === "")
    return err("the store's address is a secret that is not set here; set it, or give --store");
  const state = await processes.openSharedState(config);
  return state.ok ? ok({ state: state.value, config }) : state;
}

async function configOrComplaint({ config, store }: ConfigOption): Promise<Config | undefined> {
  const loaded = await loadConfig(config);
  if (loaded.ok) return storeGiven(loaded.value, store);
  for (const { file, line, column, message, hint } of loaded.error)
    process.stderr.write(
      `${file}:${line}:${column}: ${message}${hint === undefined ? "" : `\n  ${hint}`}\n`,
    );
  return undefined;
}
