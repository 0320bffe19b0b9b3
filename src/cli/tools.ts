/** `holdfast tools`: every tool that is known, what policy takes it for, and who could be let through to it. */
import type { Command } from "commander";
import { err } from "../kernel/index.ts";
import { formatDiagnostic, type Reach } from "../policy/index.ts";
import { catalogSkeleton } from "./catalog-skeleton.ts";
import { loadConfig } from "./config.ts";
import type { Config } from "./config-types.ts";
import { type ListedTool, type Listing, listing } from "./listed-tools.ts";
import type { CommandOutput } from "./policy-knowledge.ts";
import { tableLines } from "./table.ts";

export interface ToolsOptions {
  readonly config: string;
  readonly json?: boolean;
  readonly catalog?: boolean;
}

/** Resolves with the exit code: 0 listed, 1 listed but something could not be read, 2 nothing can be listed. */
export async function listTools(options: ToolsOptions, io: CommandOutput): Promise<number> {
  const config = await loadConfig(options.config, process.env, "unread");
  const listed = config.ok
    ? await listing(config.value)
    : err(config.error.map((diagnostic) => formatDiagnostic(diagnostic)));
  if (!config.ok || !listed.ok) {
    for (const line of listed.ok ? [] : listed.error) io.err(line);
    return 2;
  }
  const { tools, problems } = listed.value;
  for (const line of linesOf(listed.value, options)) io.out(line);
  for (const problem of problems) io.err(problem);
  const silent = silentServers(config.value, tools);
  if (silent.length > 0)
    io.err(`not seen yet: ${silent.join(", ")} (known once an agent has asked for its tools)`);
  return problems.length > 0 ? 1 : 0;
}

function linesOf({ tools, problems }: Listing, options: ToolsOptions): readonly string[] {
  if (options.json) return [JSON.stringify({ tools: tools.map(toolJson), problems })];
  return options.catalog ? catalogSkeleton(tools) : table(tools);
}

function silentServers({ upstreams }: Config, tools: readonly ListedTool[]): readonly string[] {
  return Object.keys(upstreams).filter(
    (server) =>
      upstreams[server]?.mcp !== undefined &&
      !tools.some(({ id, pinned }) => pinned !== undefined && id.startsWith(`${server}:`)),
  );
}

const header = ["TOOL", "EFFECT", "RISK", "FROM", "DIGEST", "CHANGED", "AGENTS"];
const digestLength = "sha256:".length + 12;

function table(tools: readonly ListedTool[]): readonly string[] {
  // A method of MCP that no rule opens is left out; a server may not even have it.
  const shown = tools.filter(
    (tool) =>
      tool.definition !== undefined ||
      tool.effectHint === undefined ||
      tool.reach.agents.length > 0,
  );
  const rows = shown.map(({ id, resolved, pinned, reach }) => [
    id,
    resolved.effect,
    resolved.risk,
    resolved.from,
    (resolved.definitionDigest ?? "-").slice(0, digestLength),
    pinned?.changed?.at ?? "-",
    agents(reach),
  ]);
  return tableLines([header, ...rows]);
}

function agents({ agents: some, except }: Reach): string {
  if (some.length === 0) return "none";
  return `${some.join(", ")}${except.length === 0 ? "" : ` but not ${except.join(", ")}`}`;
}

function toolJson({ id, definition, pinned, resolved, reach }: ListedTool): unknown {
  return {
    id,
    effect: resolved.effect,
    risk: resolved.risk,
    from: resolved.from,
    cost_estimate_micro_usd: resolved.costMicroUsd,
    definition_digest: resolved.definitionDigest,
    input_schema: definition?.inputSchema ?? null,
    annotations: pinned?.annotations ?? null,
    first_seen: pinned?.firstSeen ?? null,
    changed: pinned?.changed
      ? { at: pinned.changed.at, previous_digest: pinned.changed.from }
      : null,
    agents: reach.agents,
    agents_except: reach.except,
  };
}

/** Adds `tools`. `exit` gets the exit code. */
export function registerToolsCommand(
  program: Command,
  io: CommandOutput,
  exit: (code: number) => void,
): void {
  program
    .command("tools")
    .description("every known tool: effect, risk, definition, and which agents could call it")
    .option("-c, --config <file>", "configuration file", "holdfast.yaml")
    .option("--json", "one JSON value instead of a table")
    .option("--catalog", "a catalog in YAML of the tools that no policy file declares")
    .action(async (options: ToolsOptions) => exit(await listTools(options, io)));
}
